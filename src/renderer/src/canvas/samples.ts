import type { SliceData, VoxelType } from '../../../core/contract/schemas.ts'

export type Samples =
  Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array

/** A slice ready to be drawn: samples in the wire's slice order, RGB interleaved. scaled = raw * slope + inter. */
export interface ImageSlice {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  readonly voxelType: VoxelType
  readonly samples: Samples
  readonly slope: number
  readonly inter: number
}

const bytesPerSample: Record<VoxelType, number> = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  float64: 8,
}

/** Reads the bytes of `volume.slice` as what they are. Copies only where the bytes are not aligned. */
export function toImageSlice(slice: SliceData): ImageSlice {
  const count = slice.width * slice.height * slice.channels
  const size = bytesPerSample[slice.voxelType]
  if (slice.data.byteLength !== count * size) {
    throw new RangeError(`A slice of ${String(count)} samples came with ${String(slice.data.byteLength)} bytes.`)
  }
  const bytes = slice.data.byteOffset % size === 0 ? slice.data : slice.data.slice()
  return {
    width: slice.width,
    height: slice.height,
    channels: slice.channels,
    voxelType: slice.voxelType,
    samples: samplesOf(slice.voxelType, bytes, count),
    slope: slice.slope,
    inter: slice.inter,
  }
}

function samplesOf(type: VoxelType, bytes: Uint8Array, count: number): Samples {
  const { buffer, byteOffset } = bytes
  switch (type) {
    case 'uint8':
      return bytes
    case 'int8':
      return new Int8Array(buffer, byteOffset, count)
    case 'uint16':
      return new Uint16Array(buffer, byteOffset, count)
    case 'int16':
      return new Int16Array(buffer, byteOffset, count)
    case 'uint32':
      return new Uint32Array(buffer, byteOffset, count)
    case 'int32':
      return new Int32Array(buffer, byteOffset, count)
    case 'float32':
      return new Float32Array(buffer, byteOffset, count)
    case 'float64':
      return new Float64Array(buffer, byteOffset, count)
  }
}

/** Scaled intensity at a buffer offset (in pixels): one number a channel. */
export function intensityAt(slice: ImageSlice, offset: number): readonly number[] {
  const values: number[] = []
  for (let c = 0; c < slice.channels; c++) {
    values.push((slice.samples[offset * slice.channels + c] ?? NaN) * slice.slope + slice.inter)
  }
  return values
}
