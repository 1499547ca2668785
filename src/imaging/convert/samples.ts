import { basename } from 'node:path'
import type { VoxelType } from '../../core/contract/schemas.ts'
import { CodedError } from '../../core/contract/errors.ts'
import type { ImageVolume, VoxelArray } from '../types.ts'
import { sampleBytes, viewAs } from '../voxels/index.ts'

/** Types that a file can be written with, by the names of numpy; `rgb24`: three bytes a voxel, red, green and blue. */
export const datatypes = [
  ...(['uint8', 'int8', 'uint16', 'int16', 'uint32', 'int32', 'uint64', 'int64'] as const),
  ...(['float32', 'float64', 'rgb24'] as const),
] as const
export type WrittenType = (typeof datatypes)[number]

/** What becomes of the voxels of an image. */
export interface Casting {
  readonly type: WrittenType
  /** In which they are handed on: 64-bit integers as float64. */
  readonly held: VoxelType
  /** Of the file: the voxels as they are and how they are scaled, or 1 and 0 where the values are scaled already. */
  readonly slope: number
  readonly inter: number
  /** Turns a piece of voxels; the same piece where nothing is to be done. */
  readonly cast: (piece: VoxelArray) => VoxelArray
  /** Has a value been rounded to a whole number? Known when all pieces have passed. */
  readonly rounded: () => boolean
}

/** The type that the voxels of an opened image have in its file, as far as it can be written. */
export function storedType({ info, channels, voxelType }: ImageVolume): WrittenType {
  if (channels === 3) return 'rgb24'
  return info.datatype === 'int64' || info.datatype === 'uint64' ? info.datatype : voxelType
}

/**
 * How to write an image with samples of a type, its own where none is wanted. Where it is its own, the samples stay and so does their
 * scaling if `keepsScaling`; otherwise the scaled values are written, rounded to the nearest whole number (a half to the even one)
 * where the type has only those. Throws CodedError('bad-request') where colour is to become numbers; casting throws it where a value
 * does not fit.
 */
export function castingOf(image: ImageVolume, wanted: WrittenType | null, keepsScaling: boolean): Casting {
  const own = storedType(image)
  const name = basename(image.source.path)
  const { slope, inter } = image
  const scaled = slope !== 1 || inter !== 0
  const keeps = (wanted ?? own) === own && (!scaled || (keepsScaling && wanted === null))
  if (keeps) {
    const held = heldAs(own)
    return { type: own, held, slope, inter, cast: (piece) => piece, rounded: () => false }
  }
  const type = wanted ?? (/^(float64|u?int(32|64))$/.test(own) ? 'float64' : 'float32')
  if (own === 'rgb24' || type === 'rgb24') {
    const what = own === 'rgb24' ? `is in colour, so it cannot be written as ${type}` : 'is not in colour'
    throw new CodedError('bad-request', `${name} ${what}; leave the data type as it is.`)
  }
  const held = heldAs(type)
  const range = RANGES[type]
  let rounded = false
  const misfit = (value: number): CodedError =>
    new CodedError('bad-request', `${name} holds the value ${value}, which ${type} cannot; choose a wider data type.`)
  const cast = (piece: VoxelArray): VoxelArray => {
    const out = viewAs(held, new ArrayBuffer(piece.length * sampleBytes(held)))
    for (let i = 0; i < out.length; i++) {
      const value = (piece[i] ?? 0) * slope + inter
      if (range === undefined) {
        out[i] = value
        if (type === 'float32' && Number.isFinite(value) && !Number.isFinite(out[i])) throw misfit(value)
        continue
      }
      const whole = toWhole(value)
      if (!(whole >= range[0] && whole <= range[1])) throw misfit(value)
      if (whole !== value) rounded = true
      out[i] = whole
    }
    return out
  }
  return { type, held, slope: 1, inter: 0, cast, rounded: () => rounded }
}

function toWhole(value: number): number {
  const nearest = Math.round(value)
  // + 0: no negative nought.
  return (nearest - value === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest) + 0
}

function heldAs(type: WrittenType): VoxelType {
  if (type === 'rgb24') return 'uint8'
  return type === 'int64' || type === 'uint64' ? 'float64' : type
}

const RANGES: Partial<Record<WrittenType, readonly [number, number]>> = {
  ...{ uint8: [0, 255], int8: [-128, 127], uint16: [0, 65535], int16: [-32768, 32767] },
  ...{ uint32: [0, 2 ** 32 - 1], int32: [-(2 ** 31), 2 ** 31 - 1] },
  // The largest float64 below the limits of the type.
  ...{ uint64: [0, 2 ** 64 - 2048], int64: [-(2 ** 63), 2 ** 63 - 1024] },
}

/** Samples as the bytes of a file. */
export function fileBytes(samples: VoxelArray, type: WrittenType, littleEndian: boolean): Uint8Array {
  const wide = type === 'int64' || type === 'uint64'
  const bytes = wide ? wideBytes(samples, type) : Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
  const size = wide ? 8 : samples.BYTES_PER_ELEMENT
  if (littleEndian || size === 1) return bytes
  const swapped = wide ? bytes : Buffer.from(bytes)
  if (size === 2) return swapped.swap16()
  return size === 4 ? swapped.swap32() : swapped.swap64()
}

/** float64 has 2^63 and 2^64 for the largest of these numbers, which are one less: without a bound they would come out negative or 0. */
function wideBytes(samples: VoxelArray, type: 'int64' | 'uint64'): Buffer {
  const signed = type === 'int64'
  const whole = signed ? new BigInt64Array(samples.length) : new BigUint64Array(samples.length)
  const beyond = signed ? 2 ** 63 : 2 ** 64
  for (let i = 0; i < samples.length; i++) {
    const value = samples[i] ?? 0
    whole[i] = value < beyond ? BigInt(value) : signed ? 2n ** 63n - 1n : 2n ** 64n - 1n
  }
  return Buffer.from(whole.buffer)
}
