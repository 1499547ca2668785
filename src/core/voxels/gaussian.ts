import { extentsOf, type GridDims } from './grid.ts'

/** Kernels reach so many deviations, as scipy's do. */
const REACH = 4

/**
 * Smooths by a Gaussian along each axis of more than one voxel, the border mirrored with its last voxel repeated
 * (`scipy.ndimage.gaussian_filter`, mode 'reflect'). The array itself where `deviation` (in voxels) is 0.
 */
export function smoothed(values: Float32Array, dims: GridDims, deviation: number): Float32Array {
  if (deviation <= 0) return values
  const [nx, ny, nz] = extentsOf(dims, values.length)
  const kernel = kernelOf(deviation)
  let current = values
  for (const [length, stride] of [
    [nx, 1],
    [ny, nx],
    [nz, nx * ny],
  ] as const) {
    if (length > 1) current = along(current, length, stride, kernel)
  }
  return current
}

/** From the middle on. */
function kernelOf(deviation: number): Float64Array {
  const radius = Math.floor(REACH * deviation + 0.5)
  const kernel = Float64Array.from({ length: radius + 1 }, (_, i) => Math.exp(-(i * i) / (2 * deviation * deviation)))
  const sum = kernel.reduce((total, value, i) => total + (i === 0 ? value : 2 * value), 0)
  return kernel.map((value) => value / sum)
}

function along(values: Float32Array, length: number, stride: number, kernel: Float64Array): Float32Array {
  const out = new Float32Array(values.length)
  const radius = kernel.length - 1
  // The line with what lies beyond its ends.
  const line = new Float64Array(length + 2 * radius)
  const period = 2 * length
  for (let start = 0; start < values.length; start++) {
    if (Math.floor(start / stride) % length !== 0) continue
    for (let i = 0; i < line.length; i++) {
      const at = (((i - radius) % period) + period) % period
      line[i] = values[start + (at < length ? at : period - 1 - at) * stride] ?? 0
    }
    for (let i = 0; i < length; i++) {
      let sum = (kernel[0] ?? 0) * (line[i + radius] ?? 0)
      for (let k = 1; k <= radius; k++) {
        sum += (kernel[k] ?? 0) * ((line[i + radius - k] ?? 0) + (line[i + radius + k] ?? 0))
      }
      out[start + i * stride] = sum
    }
  }
  return out
}
