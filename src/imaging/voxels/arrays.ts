import type { VoxelType } from '../../core/contract/schemas.ts'
import type { VoxelArray } from '../types.ts'

const SAMPLE_BYTES: Readonly<Record<VoxelType, 1 | 2 | 4 | 8>> = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  float64: 8,
}

/** Bytes of one sample. */
export function sampleBytes(type: VoxelType): 1 | 2 | 4 | 8 {
  return SAMPLE_BYTES[type]
}

/** A typed array over a buffer, all of it or `length` samples from a byte on, which must be a multiple of the sample's size. */
export function viewAs(type: VoxelType, buffer: ArrayBuffer, byteOffset = 0, length?: number): VoxelArray {
  switch (type) {
    case 'uint8':
      return new Uint8Array(buffer, byteOffset, length)
    case 'int8':
      return new Int8Array(buffer, byteOffset, length)
    case 'uint16':
      return new Uint16Array(buffer, byteOffset, length)
    case 'int16':
      return new Int16Array(buffer, byteOffset, length)
    case 'uint32':
      return new Uint32Array(buffer, byteOffset, length)
    case 'int32':
      return new Int32Array(buffer, byteOffset, length)
    case 'float32':
      return new Float32Array(buffer, byteOffset, length)
    case 'float64':
      return new Float64Array(buffer, byteOffset, length)
  }
}

/** The voxel type of a typed array. */
export function typeOf(data: VoxelArray): VoxelType {
  if (data instanceof Uint8Array) return 'uint8'
  if (data instanceof Int8Array) return 'int8'
  if (data instanceof Uint16Array) return 'uint16'
  if (data instanceof Int16Array) return 'int16'
  if (data instanceof Uint32Array) return 'uint32'
  if (data instanceof Int32Array) return 'int32'
  return data instanceof Float32Array ? 'float32' : 'float64'
}

/** The bytes of a typed array, not copied. */
export function bytesOf(data: VoxelArray): Uint8Array<ArrayBuffer> {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
