import { componentSizes, connectedComponents, type Components } from './components.ts'
import { extentsOf, type GridDims } from './grid.ts'

/**
 * Fills the holes of every label: background that a label encloses by itself, so that no way along the faces of voxels leads
 * from it to the edge of the picture or volume without crossing that label. Other labels inside stay; of labels that enclose
 * each other the inner one fills first. Pictures and volumes; changes `labels` (one a voxel, x fastest).
 */
export function fillHoles(labels: Uint8Array | Uint32Array, dims: GridDims): void {
  const extents = extentsOf(dims, labels.length)
  const present = new Set<number>()
  for (const value of labels) if (value !== 0) present.add(value)
  const sizes = [...present].map((value) => ({ value, voxels: count(labels, value) }))
  sizes.sort((a, b) => a.voxels - b.voxels || a.value - b.value)
  for (const { value } of sizes) fillOne(labels, extents, value)
}

function count(labels: Uint8Array | Uint32Array, value: number): number {
  let found = 0
  for (const label of labels) if (label === value) found++
  return found
}

function fillOne(labels: Uint8Array | Uint32Array, dims: readonly [number, number, number], value: number): void {
  const others = new Uint8Array(labels.length)
  for (let i = 0; i < others.length; i++) others[i] = labels[i] === value ? 0 : 1
  const parts = connectedComponents(others, dims, 6)
  const open = touchingEdge(parts, dims)
  for (let i = 0; i < labels.length; i++) {
    const id = parts.ids[i] ?? 0
    if (labels[i] === 0 && id !== 0 && open[id] === 0) labels[i] = value
  }
}

/** By part number: 1 where the part reaches an edge. An axis of one voxel has none. */
function touchingEdge({ ids, count }: Components, [nx, ny, nz]: readonly [number, number, number]): Uint8Array {
  const open = new Uint8Array(count + 1)
  for (let z = 0, i = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      const edge = (ny > 1 && (y === 0 || y === ny - 1)) || (nz > 1 && (z === 0 || z === nz - 1))
      for (let x = 0; x < nx; x++, i++) {
        if (edge || (nx > 1 && (x === 0 || x === nx - 1))) open[ids[i] ?? 0] = 1
      }
    }
  }
  return open
}

export interface PartsWanted {
  /** Only the largest part of each label stays; of equally large ones the first. */
  readonly largest?: boolean
  /** Parts of fewer voxels go. */
  readonly smallest?: number
}

/** Leaves out parts of labels (neighbours at corners belong together); changes `labels`, whose voxels become 0. */
export function keepParts(
  labels: Uint8Array | Uint32Array,
  dims: GridDims,
  { largest = false, smallest = 0 }: PartsWanted,
): void {
  if (!largest && smallest <= 1) return
  const parts = connectedComponents(labels, dims, 26, 'values')
  const sizes = componentSizes(parts)
  const valueOf = new Uint32Array(parts.count + 1)
  for (let i = 0; i < labels.length; i++) valueOf[parts.ids[i] ?? 0] = labels[i] ?? 0
  const best = new Map<number, number>()
  if (largest) {
    for (let id = 1; id <= parts.count; id++) {
      const value = valueOf[id] ?? 0
      if ((sizes[id] ?? 0) > (sizes[best.get(value) ?? -1] ?? 0)) best.set(value, id)
    }
  }
  for (let i = 0; i < labels.length; i++) {
    const id = parts.ids[i] ?? 0
    if (id === 0) continue
    const stays = (sizes[id] ?? 0) >= smallest && (!largest || best.get(valueOf[id] ?? 0) === id)
    if (!stays) labels[i] = 0
  }
}
