import type { Affine, Axis, Dims } from '../contract/schemas.ts'
import type { Reorientation } from './reorient.ts'

type Samples =
  Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array

/**
 * Copies the voxels of a volume into another order of storage. `data` has x fastest and `channels` samples a voxel, interleaved;
 * `dims` are its extents before.
 */
export function reorderVoxels<T extends Samples>(
  data: T,
  dims: Dims,
  { axes, flips }: Pick<Reorientation, 'axes' | 'flips'>,
  channels = 1,
): T {
  if (data.length !== dims[0] * dims[1] * dims[2] * channels) {
    throw new RangeError(`reorderVoxels: ${data.length} samples for ${dims.join(' x ')} x ${channels}`)
  }
  const strides = [channels, dims[0] * channels, dims[0] * dims[1] * channels] as const
  const step = (k: Axis): number => (flips[k] ? -strides[axes[k]] : strides[axes[k]])
  const start = (k: Axis): number => (flips[k] ? strides[axes[k]] * (dims[axes[k]] - 1) : 0)
  const [sx, sy, sz] = [step(0), step(1), step(2)]
  const [nx, ny, nz] = [dims[axes[0]], dims[axes[1]], dims[axes[2]]]
  // `slice` keeps the array's own type and is a copy to write over.
  const out = data.slice() as T
  const first = start(0) + start(1) + start(2)
  let to = 0
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      let from = first + y * sy + z * sz
      if (sx === channels) {
        out.set(data.subarray(from, from + nx * channels), to)
        to += nx * channels
      } else if (channels === 1) {
        for (let x = 0; x < nx; x++, from += sx) out[to++] = data[from] ?? 0
      } else {
        for (let x = 0; x < nx; x++, from += sx) {
          for (let c = 0; c < channels; c++) out[to++] = data[from + c] ?? 0
        }
      }
    }
  }
  return out
}

/** A voxel centre that falls between two voxels but for rounding goes to the upper one, in every volume alike. */
const TIE = 1e-6

/**
 * The values of a volume at the voxel centres of another grid, by the nearest voxel; `outside` where there is none.
 * `toSource` takes indices of the target to (fractional) indices of the source.
 */
export function resampleNearest<T extends Samples>(
  data: T,
  dims: Dims,
  toSource: Affine,
  target: Dims,
  out: T,
  outside = 0,
): T {
  if (out.length !== target[0] * target[1] * target[2]) throw new RangeError('resampleNearest: wrong length')
  const [a = 0, b = 0, c = 0, d = 0] = toSource[0] ?? []
  const [e = 0, f = 0, g = 0, h = 0] = toSource[1] ?? []
  const [i = 0, j = 0, k = 0, l = 0] = toSource[2] ?? []
  const [nx, ny, nz] = dims
  const half = 0.5 + TIE
  let to = 0
  for (let z = 0; z < target[2]; z++) {
    for (let y = 0; y < target[1]; y++) {
      const [u, v, w] = [b * y + c * z + d + half, f * y + g * z + h + half, j * y + k * z + l + half]
      for (let x = 0; x < target[0]; x++) {
        const [p, q, r] = [Math.floor(a * x + u), Math.floor(e * x + v), Math.floor(i * x + w)]
        const inside = p >= 0 && q >= 0 && r >= 0 && p < nx && q < ny && r < nz
        out[to++] = inside ? (data[p + nx * (q + ny * r)] ?? outside) : outside
      }
    }
  }
  return out
}
