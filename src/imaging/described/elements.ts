import type { ImageSelection, VoxelType } from '../../core/contract/schemas.ts'
import { viewAs, widen, type Convert } from '../voxels/index.ts'

/** Types of samples in files that a text header describes, by the names of numpy. */
export type ElementType = VoxelType | 'int64' | 'uint64'

const BYTES: Readonly<Record<ElementType, number>> = {
  ...{ uint8: 1, int8: 1, uint16: 2, int16: 2, uint32: 4, int32: 4 },
  ...{ float32: 4, float64: 8, int64: 8, uint64: 8 },
}

export function elementBytes(type: ElementType): number {
  return BYTES[type]
}

/** The type that samples are held in: 64-bit integers as float64, which is exact up to 2^53. */
export function heldType(type: ElementType): VoxelType {
  return type === 'int64' || type === 'uint64' ? 'float64' : type
}

export type ComplexPart = NonNullable<ImageSelection['part']>

/**
 * What turns samples of a file into samples as they are held; undefined where they are the same. `rounded` is called, once, where a
 * whole number has more digits than float64.
 */
export function conversion(
  type: ElementType,
  littleEndian: boolean,
  part: ComplexPart | null,
  rounded: () => void,
): Convert | undefined {
  const bytes = BYTES[type]
  const swap = !littleEndian && bytes > 1
  if (part !== null) {
    const held = heldType(type)
    const pick = PARTS[part]
    return (raw, out) => {
      if (swap) swapBytes(raw, bytes)
      const pairs = viewAs(held, raw.buffer, raw.byteOffset, raw.length / bytes)
      const values = viewAs(held, out.buffer, out.byteOffset, out.length / bytes)
      for (let i = 0; i < values.length; i++) values[i] = pick(pairs[2 * i] ?? 0, pairs[2 * i + 1] ?? 0)
    }
  }
  if (type === 'int64' || type === 'uint64') return widen(type === 'int64', littleEndian, rounded)
  if (!swap) return undefined
  return (raw, out) => {
    out.set(raw)
    swapBytes(out, bytes)
  }
}

/** Reverses the bytes of each sample, in place. */
function swapBytes(samples: Uint8Array<ArrayBuffer>, bytes: number): void {
  const buffer = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
  if (bytes === 2) buffer.swap16()
  else if (bytes === 4) buffer.swap32()
  else buffer.swap64()
}

const PARTS: Readonly<Record<ComplexPart, (real: number, imaginary: number) => number>> = {
  magnitude: Math.hypot,
  phase: (real, imaginary) => Math.atan2(imaginary, real),
  real: (real) => real,
  imaginary: (_real, imaginary) => imaginary,
}
