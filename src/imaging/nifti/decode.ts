import type { ImageSelection, VoxelType } from '../../core/contract/schemas.ts'
import { swapped, viewAs, widen, type Convert } from '../voxels/index.ts'
import type { NiftiHeader } from './header.ts'

export interface Decoding {
  readonly voxelType: VoxelType
  readonly channels: 1 | 3
  /** Null where the voxels are held as they are in the file. */
  readonly convert: Convert | null
  /** scaled = held * slope + inter: complex numbers are scaled before a part of them is taken. */
  readonly slope: number
  readonly inter: number
}

type Part = NonNullable<ImageSelection['part']>

/** What becomes of the voxels of a file. `rounded` is called, once, where a whole number has more digits than float64. */
export function decodingOf(header: NiftiHeader, part: Part, rounded: () => void): Decoding {
  const { datatype, littleEndian, slope, inter } = header
  const grey = { channels: 1, slope, inter } as const
  switch (datatype.kind) {
    case 'plain': {
      const voxelType = datatype.name
      return { ...grey, voxelType, convert: littleEndian || datatype.bytes === 1 ? null : swapped({ voxelType }) }
    }
    case 'wide':
      return { ...grey, voxelType: 'float64', convert: widen(datatype.name === 'int64', littleEndian, rounded) }
    case 'complex': {
      const voxelType = datatype.name === 'complex64' ? 'float32' : 'float64'
      const convert = partOf(part, voxelType, littleEndian, slope, inter)
      return { voxelType, channels: 1, convert, slope: 1, inter: 0 }
    }
    case 'colour':
      return { voxelType: 'uint8', channels: 3, convert: datatype.bytes === 4 ? dropAlpha : null, slope: 1, inter: 0 }
  }
}

function partOf(part: Part, type: 'float32' | 'float64', littleEndian: boolean, slope: number, inter: number): Convert {
  const size = type === 'float32' ? 4 : 8
  return (raw, out) => {
    if (!littleEndian) swap(raw, size)
    const pairs = viewAs(type, raw.buffer, raw.byteOffset, raw.length / size)
    const values = viewAs(type, out.buffer, out.byteOffset, out.length / size)
    for (let i = 0; i < values.length; i++) {
      const re = (pairs[2 * i] ?? 0) * slope + inter
      const im = (pairs[2 * i + 1] ?? 0) * slope
      values[i] = pick(part, re, im)
    }
  }
}

function pick(part: Part, re: number, im: number): number {
  switch (part) {
    case 'magnitude':
      return Math.hypot(re, im)
    case 'phase':
      return Math.atan2(im, re)
    case 'real':
      return re
    case 'imaginary':
      return im
  }
}

const dropAlpha: Convert = (raw, out) => {
  for (let from = 0, to = 0; from < raw.length; from += 4) {
    out[to++] = raw[from] ?? 0
    out[to++] = raw[from + 1] ?? 0
    out[to++] = raw[from + 2] ?? 0
  }
}

function swap(bytes: Uint8Array<ArrayBuffer>, size: 4 | 8): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (size === 4) buffer.swap32()
  else buffer.swap64()
}
