import type { VoxelType } from '../../core/contract/schemas.ts'
import { viewAs } from '../voxels/index.ts'
import type { VoxelArray } from '../types.ts'
import type { DicomFile, PixelLayout } from './header.ts'
import { applyPalette } from './palette.ts'

/** A frame without its packing: little-endian samples, not yet what they mean. */
export interface RawFrame {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly sampleBits: number
  /** Bits of a sample that the compressed data had, where they were compressed. */
  readonly codedBits?: number
  /** Of samples of one bit: the place of the first in the first byte. */
  readonly firstBit: number
  readonly planar: boolean
  /** Colours are red, green and blue already, whatever the file says. */
  readonly rgb: boolean
  /** Two pixels share their colour difference: four bytes for both. */
  readonly halved: boolean
}

/** The type that a file's values are held in without their scaling. Colours are bytes. */
export function storedType({ samples, palette, bitsAllocated, signed, float }: PixelLayout): VoxelType {
  if (samples === 3 || palette !== null || bitsAllocated === 1) return 'uint8'
  if (float) return bitsAllocated === 64 ? 'float64' : 'float32'
  if (bitsAllocated === 8) return signed ? 'int8' : 'uint8'
  if (bitsAllocated === 16) return signed ? 'int16' : 'uint16'
  return signed ? 'int32' : 'uint32'
}

/** The values of a frame in `storedType`, row by row; colours as interleaved RGB. Cropped to the picture. */
export function valuesOf({ pixels }: DicomFile, raw: RawFrame): VoxelArray {
  const { rows, columns, crop, samples, palette } = pixels
  const values = samples === 3 ? colours(pixels, raw) : numbers(pixels, raw)
  const coloured = palette === null ? values : applyPalette(values, palette)
  return crop === null ? coloured : cropped(coloured, columns, crop, coloured.length / (rows * columns))
}

function numbers(pixels: PixelLayout, raw: RawFrame): VoxelArray {
  const { rows, columns, signed, float, shift, bitsAllocated } = pixels
  const count = rows * columns
  if (bitsAllocated === 1) {
    const { bytes, firstBit } = raw
    return Uint8Array.from({ length: count }, (_, i) => ((bytes[(firstBit + i) >> 3] ?? 0) >> ((firstBit + i) & 7)) & 1)
  }
  const type = pixels.palette === null ? storedType(pixels) : bitsAllocated === 8 ? 'uint8' : 'uint16'
  const stored = viewAs(type, aligned(raw, bitsAllocated, count))
  if (float) return stored
  const coded = raw.codedBits ?? pixels.bitsStored
  if (signed && coded > pixels.bitsStored) return withSign(stored, pixels.bitsStored)
  if (coded >= bitsAllocated && shift === 0) return stored
  const up = 32 - coded - shift
  if (signed) for (let i = 0; i < count; i++) stored[i] = ((stored[i] ?? 0) << up) >> (32 - coded)
  else for (let i = 0; i < count; i++) stored[i] = ((stored[i] ?? 0) << up) >>> (32 - coded)
  return stored
}

/** Negative numbers of compressed samples, which can come with the sign in the bits above those that count or without. */
function withSign(values: VoxelArray, bits: number): VoxelArray {
  const above = 32 - bits
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0
    if (value >> bits === 0) values[i] = (value << above) >> above
  }
  return values
}

/** The samples in memory of their own that begins where a typed array can, widened where they came in fewer bytes. */
function aligned({ bytes, sampleBits }: RawFrame, bits: number, count: number): ArrayBuffer {
  if (sampleBits === bits) {
    const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength
    return whole ? bytes.buffer : bytes.slice().buffer
  }
  const wide = new Uint16Array(count)
  for (let i = 0; i < count; i++) wide[i] = bytes[i] ?? 0
  return wide.buffer
}

function colours(pixels: PixelLayout, raw: RawFrame): Uint8Array<ArrayBuffer> {
  const count = pixels.rows * pixels.columns
  const rgb = raw.halved ? spread(raw.bytes, pixels) : raw.planar ? interleaved(raw.bytes, count) : raw.bytes.slice()
  if (!raw.rgb && pixels.photometric.startsWith('YBR')) toRgb(rgb)
  return rgb
}

function interleaved(planes: Uint8Array, count: number): Uint8Array<ArrayBuffer> {
  const rgb = new Uint8Array(3 * count)
  for (let i = 0, at = 0; i < count; i++) {
    rgb[at++] = planes[i] ?? 0
    rgb[at++] = planes[i + count] ?? 0
    rgb[at++] = planes[i + 2 * count] ?? 0
  }
  return rgb
}

/** Y1 Y2 Cb Cr of two pixels in a row as Y Cb Cr of each. */
function spread(bytes: Uint8Array, { rows, columns }: PixelLayout): Uint8Array<ArrayBuffer> {
  const pairs = Math.ceil(columns / 2)
  const out = new Uint8Array(rows * columns * 3)
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const pair = 4 * (row * pairs + (column >> 1))
      out[at++] = bytes[pair + (column & 1)] ?? 0
      out[at++] = bytes[pair + 2] ?? 0
      out[at++] = bytes[pair + 3] ?? 0
    }
  }
  return out
}

/** Luminance and colour difference of full range to red, green and blue (PS3.3, C.7.6.3.1.2), in place. */
function toRgb(ybr: Uint8Array): void {
  const clamp = (value: number): number => Math.min(255, Math.max(0, Math.round(value)))
  for (let i = 0; i + 2 < ybr.length; i += 3) {
    const [y, cb, cr] = [ybr[i] ?? 0, (ybr[i + 1] ?? 0) - 128, (ybr[i + 2] ?? 0) - 128]
    ybr[i] = clamp(y + 1.402 * cr)
    ybr[i + 1] = clamp(y - 0.344136286 * cb - 0.714136286 * cr)
    ybr[i + 2] = clamp(y + 1.772 * cb)
  }
}

function cropped(
  values: VoxelArray,
  columns: number,
  to: { readonly columns: number; readonly rows: number },
  channels: number,
): VoxelArray {
  const out = values.slice(0, to.columns * to.rows * channels)
  for (let row = 0; row < to.rows; row++) {
    const from = row * columns * channels
    out.set(values.subarray(from, from + to.columns * channels), row * to.columns * channels)
  }
  return out
}
