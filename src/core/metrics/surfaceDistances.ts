import {
  extentsOf,
  squaredDistances,
  surfaceOf,
  voxelBounds,
  type GridDims,
  type GridSpacing,
} from '../voxels/index.ts'

/** In the unit of the spacing; each null where one of both masks is empty and the other is not, 0 where both are. */
export interface SurfaceDistances {
  /** Hausdorff distance: the largest of all distances. */
  readonly hd: number | null
  /** The 95th percentile of all distances, those of both surfaces taken together, interpolated linearly. */
  readonly hd95: number | null
  /** Average symmetric surface distance: the mean of the two means. */
  readonly assd: number | null
}

/**
 * How far the surfaces of one label lie apart in two label maps: from each surface voxel of the one to the nearest of the
 * other, centre to centre, in both directions. Definitions and numbers are those of medpy (`hd`, `hd95`, `assd` with
 * connectivity 1); MONAI's Hausdorff distance is the same, its 95th percentile the larger of the two directions'.
 *
 * @param dims `[x, y]`, `[x, y, 1]` or `[x, y, z]`.
 */
export function surfaceDistances(
  truth: Uint8Array,
  predicted: Uint8Array,
  label: number,
  dims: GridDims,
  spacing: GridSpacing = [],
): SurfaceDistances {
  const ofLabel = (value: number): boolean => value === label
  const a = voxelBounds(truth, dims, ofLabel)
  const b = voxelBounds(predicted, dims, ofLabel)
  if (a === null && b === null) return { hd: 0, hd95: 0, assd: 0 }
  if (a === null || b === null) return { hd: null, hd95: null, assd: null }
  // All of both lies within one cuboid, outside of which nothing needs to be looked at.
  const first = a.first.map((value, axis) => Math.min(value, b.first[axis] ?? value))
  const size = a.last.map((value, axis) => Math.max(value, b.last[axis] ?? value) - (first[axis] ?? 0) + 1)
  const crop: Crop = { dims: extentsOf(dims), first: triple(first), size: triple(size) }
  const surfaceA = croppedSurface(truth, label, crop)
  const surfaceB = croppedSurface(predicted, label, crop)
  const toB = distancesFrom(surfaceA, surfaceB, crop.size, spacing)
  const toA = distancesFrom(surfaceB, surfaceA, crop.size, spacing)
  const all = new Float64Array(toA.length + toB.length)
  all.set(toA)
  all.set(toB, toA.length)
  all.sort()
  return { hd: all[all.length - 1] ?? 0, hd95: percentile(all, 0.95), assd: (mean(toA) + mean(toB)) / 2 }
}

type Triple = readonly [number, number, number]

interface Crop {
  readonly dims: Triple
  readonly first: Triple
  readonly size: Triple
}

function triple(values: readonly number[]): Triple {
  return [values[0] ?? 0, values[1] ?? 0, values[2] ?? 0]
}

function croppedSurface(labels: Uint8Array, label: number, { dims, first, size }: Crop): Uint8Array {
  const mask = new Uint8Array(size[0] * size[1] * size[2])
  for (let z = 0, i = 0; z < size[2]; z++) {
    for (let y = 0; y < size[1]; y++) {
      const row = first[0] + dims[0] * (first[1] + y + dims[1] * (first[2] + z))
      for (let x = 0; x < size[0]; x++, i++) if (labels[row + x] === label) mask[i] = 1
    }
  }
  // A volume that is cropped to one slice is still a volume: its surface is all of it.
  return dims[2] > 1 && size[2] === 1 ? mask : surfaceOf(mask, size)
}

/** From each voxel of the one surface to the nearest of the other. */
function distancesFrom(from: Uint8Array, to: Uint8Array, size: Triple, spacing: GridSpacing): Float64Array {
  const field = squaredDistances(to, size, spacing)
  let count = 0
  for (const value of from) count += value
  const distances = new Float64Array(count)
  for (let i = 0, at = 0; i < from.length; i++) if (from[i] === 1) distances[at++] = Math.sqrt(field[i] ?? 0)
  return distances
}

/** Of ascending values; numpy's default. */
function percentile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1)
  const below = Math.floor(at)
  const low = sorted[below] ?? 0
  return low + (at - below) * ((sorted[below + 1] ?? low) - low)
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
