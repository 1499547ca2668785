import { sliceAxes, sliceExtent } from '../../core/labelmap/index.ts'
import type { Dims, Vec3 } from '../../core/contract/schemas.ts'
import type { ImageVolume, LabelArray, VoxelArray } from '../../imaging/index.ts'
import type { SliceGrid } from './planes.ts'

/** A slice of samples as the network sees it: raw, channels interleaved. */
export interface RawSlice {
  readonly width: number
  readonly height: number
  readonly data: VoxelArray
}

/** Voxel of a pixel of a grid. */
function voxelAt({ origin, column, row, next }: SliceGrid, i: number, j: number, k: number, axis: 0 | 1 | 2): number {
  return origin[axis] + i * column[axis] + j * row[axis] + k * next[axis]
}

/**
 * The samples of one slice. In oblique planes linear between voxels (as Float32), beyond the edges as at them. Throws what the
 * voxels throw.
 */
export async function imageSlice(
  image: Pick<ImageVolume, 'dims' | 'channels' | 'voxels'>,
  grid: SliceGrid,
  index: number,
  signal?: AbortSignal,
): Promise<RawSlice> {
  const { width, height } = grid
  if (grid.axis === null) return { width, height, data: await interpolated(image, grid, index, signal) }
  const stored = await image.voxels.slice(grid.axis, index, { signal })
  return { width, height, data: arranged(stored, image.dims, grid, image.channels) }
}

/** From a stored slice (ascending axes, the lower one fastest) to the grid's columns and rows. */
function arranged<T extends VoxelArray | LabelArray>(stored: T, dims: Dims, grid: SliceGrid, channels: number): T {
  const { width, height, origin, column, row } = grid
  const [fast, slow] = sliceAxes(grid.axis ?? 2)
  const [columns] = sliceExtent(dims, grid.axis ?? 2)
  if (column[fast] === 1 && row[slow] === 1 && origin[fast] === 0 && origin[slow] === 0) return stored
  // `slice` keeps the array's own type; TypeScript widens it to the union.
  const out = stored.slice() as T
  let to = 0
  for (let j = 0; j < height; j++) {
    for (let i = 0; i < width; i++) {
      const x = origin[fast] + i * column[fast] + j * row[fast]
      const y = origin[slow] + i * column[slow] + j * row[slow]
      const from = (x + y * columns) * channels
      for (let c = 0; c < channels; c++) out[to++] = stored[from + c] ?? 0
    }
  }
  return out
}

/** Labels or object numbers of one slice, nearest; `outside` where there is no voxel. */
export function labelSlice<T extends Uint8Array | Uint32Array>(
  labels: T,
  dims: Dims,
  grid: SliceGrid,
  index: number,
  outside: number,
): T {
  const { width, height } = grid
  const out = new (labels.constructor as new (length: number) => T)(width * height)
  const [nx, ny, nz] = dims
  for (let j = 0, to = 0; j < height; j++) {
    for (let i = 0; i < width; i++, to++) {
      const x = Math.round(voxelAt(grid, i, j, index, 0))
      const y = Math.round(voxelAt(grid, i, j, index, 1))
      const z = Math.round(voxelAt(grid, i, j, index, 2))
      const inside = x >= 0 && y >= 0 && z >= 0 && x < nx && y < ny && z < nz
      out[to] = inside ? (labels[x + nx * (y + ny * z)] ?? 0) : outside
    }
  }
  return out
}

/** 1 where a pixel lies outside of the volume. */
export function outsideSlice(dims: Dims, grid: SliceGrid, index: number): Uint8Array {
  const { width, height } = grid
  const out = new Uint8Array(width * height)
  for (let j = 0, to = 0; j < height; j++) {
    for (let i = 0; i < width; i++, to++) {
      for (const axis of [0, 1, 2] as const) {
        const at = Math.round(voxelAt(grid, i, j, index, axis))
        if (at < 0 || at >= dims[axis]) out[to] = 1
      }
    }
  }
  return out
}

async function interpolated(
  { dims, channels, voxels }: Pick<ImageVolume, 'dims' | 'channels' | 'voxels'>,
  grid: SliceGrid,
  index: number,
  signal: AbortSignal | undefined,
): Promise<Float32Array<ArrayBuffer>> {
  const all = await voxels.all({ signal })
  const { width, height } = grid
  const out = new Float32Array(width * height * channels)
  for (let j = 0, to = 0; j < height; j++) {
    for (let i = 0; i < width; i++) {
      const at: Vec3 = [voxelAt(grid, i, j, index, 0), voxelAt(grid, i, j, index, 1), voxelAt(grid, i, j, index, 2)]
      for (let c = 0; c < channels; c++) out[to++] = linearAt(all, dims, channels, c, at)
    }
  }
  return out
}

function linearAt(all: VoxelArray, dims: Dims, channels: number, channel: number, at: Vec3): number {
  const [nx, ny] = dims
  const low: Vec3 = [0, 0, 0]
  const share: Vec3 = [0, 0, 0]
  for (const axis of [0, 1, 2] as const) {
    const clamped = Math.min(dims[axis] - 1, Math.max(0, at[axis]))
    low[axis] = Math.min(Math.floor(clamped), Math.max(0, dims[axis] - 2))
    share[axis] = clamped - low[axis]
  }
  let sum = 0
  for (let corner = 0; corner < 8; corner++) {
    const [dx, dy, dz] = [corner & 1, (corner >> 1) & 1, corner >> 2]
    const weight =
      (dx === 1 ? share[0] : 1 - share[0]) * (dy === 1 ? share[1] : 1 - share[1]) * (dz === 1 ? share[2] : 1 - share[2])
    if (weight === 0) continue
    const voxel = low[0] + dx + nx * (low[1] + dy + ny * (low[2] + dz))
    sum += weight * (all[voxel * channels + channel] ?? 0)
  }
  return sum
}
