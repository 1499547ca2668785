import { CodedError } from '../../core/contract/errors.ts'
import type { ComputeSlice } from '../../core/contract/compute.ts'
import type { VoxelType } from '../../core/contract/schemas.ts'

/** Rec. 601 luma, the weights that image readers use for grey. */
const LUMINANCE = [0.299, 0.587, 0.114] as const

type Samples =
  Float32Array | Float64Array | Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array

const readers: Record<VoxelType, (buffer: ArrayBuffer) => Samples> = {
  uint8: (buffer) => new Uint8Array(buffer),
  int8: (buffer) => new Int8Array(buffer),
  uint16: (buffer) => new Uint16Array(buffer),
  int16: (buffer) => new Int16Array(buffer),
  uint32: (buffer) => new Uint32Array(buffer),
  int32: (buffer) => new Int32Array(buffer),
  float32: (buffer) => new Float32Array(buffer),
  float64: (buffer) => new Float64Array(buffer),
}

/**
 * The slice as the network takes it: height x width values in [0, 1], x fastest, where `low` becomes 0 and `high` 1 and
 * what lies beyond is clipped. RGB becomes luminance. Samples that are no numbers become 0.
 * Throws CodedError('bad-request') when the bytes do not hold width x height x channels samples.
 */
export function normalizedSlice(slice: Omit<ComputeSlice, 'index'>): Float32Array {
  const { width, height, channels, slope, inter, low, high } = slice
  const pixels = width * height
  const samples = readSamples(slice.data, slice.voxelType, pixels * channels)
  const range = high - low
  const gain = range > 0 ? slope / range : 0
  const offset = range > 0 ? (inter - low) / range : 0
  const out = new Float32Array(pixels)
  for (let i = 0; i < pixels; i++) {
    const raw =
      channels === 1
        ? (samples[i] ?? 0)
        : LUMINANCE[0] * (samples[3 * i] ?? 0) +
          LUMINANCE[1] * (samples[3 * i + 1] ?? 0) +
          LUMINANCE[2] * (samples[3 * i + 2] ?? 0)
    const value = raw * gain + offset
    out[i] = value > 0 ? Math.min(value, 1) : 0
  }
  return out
}

/** Throws CodedError('bad-request') when the bytes do not hold so many samples. */
export function readSamples(bytes: Uint8Array, type: VoxelType, count: number): Samples {
  // Copied: a view at an odd offset into a frame cannot be read as wider samples.
  const samples = bytes.byteLength % bytesOf(type) === 0 ? readers[type](bytes.slice().buffer) : null
  if (samples?.length !== count) {
    throw new CodedError('bad-request', `A slice has ${bytes.byteLength} bytes, which is not what its size needs.`)
  }
  return samples
}

function bytesOf(type: VoxelType): number {
  if (type === 'float64') return 8
  if (type === 'uint8' || type === 'int8') return 1
  return type === 'uint16' || type === 'int16' ? 2 : 4
}
