import { extentsOf, type GridDims } from './grid.ts'

/**
 * Neighbours that belong together: of pictures 4 or 8; of volumes 6 (faces), 18 (faces and edges) or 26 (corners too). On a
 * single slice 6 is the same as 4, and 18 and 26 the same as 8.
 */
export type Connectivity = 4 | 8 | 6 | 18 | 26

export interface Components {
  /** 0 where nothing is, else the part's number from 1 on, in the order of the parts' first voxels. */
  readonly ids: Uint32Array
  readonly count: number
}

/** Which voxels are looked at: all that are not 0 as one, those of one value, or each value by itself. */
export type ComponentsOf = 'mask' | 'values' | { readonly value: number }

/**
 * Connected parts. Runs of voxels along x are joined with those of the rows before (union-find), so that memory beside the
 * result grows with the number of runs.
 *
 * @param values A mask or a label map, x the fastest.
 * @param of `mask` (default): what is not 0 is all one. `values`: only neighbours of the same value belong together.
 */
export function connectedComponents(
  values: ArrayLike<number>,
  dims: GridDims,
  connectivity: Connectivity,
  of: ComponentsOf = 'mask',
): Components {
  const [nx, ny, nz] = extentsOf(dims, values.length)
  const runs = new Runs()
  const neighbours = rowsBefore(connectivity)
  // The first run of each row, and one past the last.
  const firstRun = new Int32Array(ny * nz + 1)
  for (let row = 0; row < ny * nz; row++) {
    firstRun[row] = runs.count
    collect(values, row * nx, nx, of, runs)
    const y = row % ny
    const z = (row - y) / ny
    for (const { dy, dz, reach } of neighbours) {
      if (y + dy < 0 || y + dy >= ny || z + dz < 0) continue
      const before = row + dy + dz * ny
      join(runs, firstRun[before] ?? 0, firstRun[before + 1] ?? 0, firstRun[row] ?? 0, (before - row) * nx, reach)
    }
    firstRun[row + 1] = runs.count
  }
  return number(runs, values.length)
}

/** How many voxels each part has, by its number; the first entry counts what belongs to none. */
export function componentSizes(components: Components): Float64Array {
  const sizes = new Float64Array(components.count + 1)
  for (const id of components.ids) sizes[id] = (sizes[id] ?? 0) + 1
  return sizes
}

interface RowBefore {
  readonly dy: number
  readonly dz: number
  /** Voxels along x that two runs may lie apart and still touch: 0 or 1. */
  readonly reach: 0 | 1
}

function rowsBefore(connectivity: Connectivity): RowBefore[] {
  const faces = connectivity === 4 || connectivity === 6
  const corners = connectivity === 8 || connectivity === 26
  const rows: RowBefore[] = []
  for (const [dy, dz] of [
    [-1, 0],
    [0, -1],
    [-1, -1],
    [1, -1],
  ] as const) {
    const straight = dy === 0 || dz === 0
    if (straight) rows.push({ dy, dz, reach: faces ? 0 : 1 })
    else if (!faces) rows.push({ dy, dz, reach: corners ? 1 : 0 })
  }
  return rows
}

/** Runs of voxels along x, and the forest of those that belong together. */
class Runs {
  count = 0
  start = new Float64Array(1024)
  end = new Float64Array(1024)
  value = new Float64Array(1024)
  parent = new Uint32Array(1024)

  add(start: number, end: number, value: number): void {
    if (this.count === this.start.length) this.#grow()
    this.start[this.count] = start
    this.end[this.count] = end
    this.value[this.count] = value
    this.parent[this.count] = this.count
    this.count += 1
  }

  root(run: number): number {
    let at = run
    for (let up = this.parent[at] ?? at; up !== at; up = this.parent[at] ?? at) {
      const above = this.parent[up] ?? up
      this.parent[at] = above
      at = above
    }
    return at
  }

  /** The earlier root stays one, so that parts are numbered by their first voxels. */
  unite(one: number, other: number): void {
    const [a, b] = [this.root(one), this.root(other)]
    if (a < b) this.parent[b] = a
    else this.parent[a] = b
  }

  #grow(): void {
    const wider = <A extends Float64Array | Uint32Array>(old: A, made: A): A => {
      made.set(old)
      return made
    }
    const room = this.count * 2
    this.start = wider(this.start, new Float64Array(room))
    this.end = wider(this.end, new Float64Array(room))
    this.value = wider(this.value, new Float64Array(room))
    this.parent = wider(this.parent, new Uint32Array(room))
  }
}

function collect(values: ArrayLike<number>, start: number, nx: number, of: ComponentsOf, runs: Runs): void {
  const only = typeof of === 'object' ? of.value : null
  const apart = of === 'values'
  let open = -1
  let held = 0
  for (let i = start; i < start + nx; i++) {
    const raw = values[i] ?? 0
    const wanted = only === null ? raw !== 0 : raw === only
    const value = apart ? raw : 1
    if (open >= 0 && (!wanted || value !== held)) {
      runs.add(open, i, held)
      open = -1
    }
    if (wanted && open < 0) {
      open = i
      held = value
    }
  }
  if (open >= 0) runs.add(open, start + nx, held)
}

/** Joins the runs of a row (from `first` on) with those of a row before, whose voxels lie `shift` away. */
function join(runs: Runs, before: number, beforeEnd: number, first: number, shift: number, reach: number): void {
  let up = before
  let here = first
  while (up < beforeEnd && here < runs.count) {
    joinIfTouching(runs, up, here, shift, reach)
    const upEnd = (runs.end[up] ?? 0) - shift
    const end = runs.end[here] ?? 0
    // Runs of different values may follow each other without a gap, and then touch crosswise where both end together.
    if (upEnd === end && up + 1 < beforeEnd) joinIfTouching(runs, up + 1, here, shift, reach)
    if (upEnd < end) up += 1
    else here += 1
  }
}

function joinIfTouching(runs: Runs, up: number, here: number, shift: number, reach: number): void {
  if (runs.value[up] !== runs.value[here]) return
  const upStart = (runs.start[up] ?? 0) - shift
  const upEnd = (runs.end[up] ?? 0) - shift
  const start = runs.start[here] ?? 0
  const end = runs.end[here] ?? 0
  if (upStart < end + reach && start < upEnd + reach) runs.unite(up, here)
}

function number(runs: Runs, voxels: number): Components {
  const ids = new Uint32Array(voxels)
  const ofRoot = new Uint32Array(runs.count)
  let count = 0
  for (let run = 0; run < runs.count; run++) {
    const root = runs.root(run)
    if (root === run) ofRoot[run] = ++count
    ids.fill(ofRoot[root] ?? 0, runs.start[run] ?? 0, runs.end[run] ?? 0)
  }
  return { ids, count }
}
