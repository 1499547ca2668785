import type { Dims } from '../../core/contract/schemas.ts'
import type { LabelArray } from '../types.ts'

/** A connected part of one label. */
export interface Component {
  readonly label: number
  readonly voxels: number
  /** Pairs [first voxel, number of voxels] along x, ascending, x fastest over the whole map. */
  readonly runs: readonly number[]
}

/**
 * The connected parts of every label: voxels belong together where they touch, be it at a corner (8 neighbours in a picture, 26
 * in a volume) and have the same label. In the order of their first voxels. O(voxels + runs).
 */
export function connectedComponents(labels: LabelArray, dims: Dims): Component[] {
  const [nx, ny, nz] = dims
  const rows = ny * nz
  const starts: number[] = []
  const ends: number[] = []
  const values: number[] = []
  const firstOfRow = new Uint32Array(rows + 1)
  const parents: number[] = []
  const root = (run: number): number => {
    let top = run
    while (parents[top] !== top) top = parents[top] ?? top
    for (let at = run; at !== top;) {
      const next = parents[at] ?? top
      parents[at] = top
      at = next
    }
    return top
  }
  const join = (a: number, b: number): void => {
    const [first, second] = [root(a), root(b)]
    if (first !== second) parents[Math.max(first, second)] = Math.min(first, second)
  }
  /** Joins the runs of a row with those of an earlier one that they overlap or touch at a corner. Both ascend. */
  const joinRows = (row: number, earlier: number): void => {
    const shift = (row - earlier) * nx
    const lastA = firstOfRow[earlier + 1] ?? 0
    let firstA = firstOfRow[earlier] ?? 0
    for (let b = firstOfRow[row] ?? 0; b < starts.length; b++) {
      const startB = (starts[b] ?? 0) - shift
      const endB = (ends[b] ?? 0) - shift
      while (firstA < lastA && (ends[firstA] ?? 0) < startB) firstA++
      for (let a = firstA; a < lastA && (starts[a] ?? 0) <= endB; a++) if (values[a] === values[b]) join(a, b)
    }
  }
  for (let row = 0; row < rows; row++) {
    firstOfRow[row] = starts.length
    const end = (row + 1) * nx
    for (let i = row * nx; i < end;) {
      const value = labels[i] ?? 0
      let stop = i + 1
      while (stop < end && labels[stop] === value) stop++
      if (value !== 0) {
        parents.push(starts.length)
        starts.push(i)
        ends.push(stop)
        values.push(value)
      }
      i = stop
    }
    const y = row % ny
    const z = (row - y) / ny
    if (y > 0) joinRows(row, row - 1)
    if (z === 0) continue
    for (let dy = -1; dy <= 1; dy++) if (y + dy >= 0 && y + dy < ny) joinRows(row, row - ny + dy)
  }
  return collect(starts, ends, values, root)
}

function collect(
  starts: readonly number[],
  ends: readonly number[],
  values: readonly number[],
  root: (run: number) => number,
): Component[] {
  const byRoot = new Map<number, { label: number; voxels: number; runs: number[] }>()
  starts.forEach((start, run) => {
    const key = root(run)
    let component = byRoot.get(key)
    if (component === undefined) {
      component = { label: values[run] ?? 0, voxels: 0, runs: [] }
      byRoot.set(key, component)
    }
    const length = (ends[run] ?? start) - start
    component.voxels += length
    component.runs.push(start, length)
  })
  return [...byRoot.values()]
}
