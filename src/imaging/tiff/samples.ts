import type { VoxelType } from '../../core/contract/schemas.ts'
import type { VoxelArray } from '../types.ts'
import { sampleBytes, viewAs } from '../voxels/index.ts'
import type { PageLayout } from './layout.ts'

/** Width and height of a block in pixels, and samples that lie beside each other in it. */
export interface BlockShape {
  readonly width: number
  readonly height: number
  readonly samples: number
}

/** Bytes of one row of a block as it is stored: rows begin with a byte. */
export function rowBytes(layout: PageLayout, shape: BlockShape): number {
  return Math.ceil((shape.width * shape.samples * layout.bits) / 8)
}

export function newSamples(type: VoxelType, count: number): VoxelArray {
  return viewAs(type, new ArrayBuffer(count * sampleBytes(type)))
}

/** 16-bit colours as 8-bit ones: their upper bytes. */
export function eightBits(wide: Uint16Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(wide.length)
  for (let i = 0; i < out.length; i++) out[i] = (wide[i] ?? 0) >> 8
  return out
}

/**
 * Unpacked bytes of a block as samples in the machine's byte order, prediction undone. `bytes` is written to. Throws
 * RangeError where the prediction does not go with the samples.
 */
export function samplesOf(bytes: Uint8Array<ArrayBuffer>, layout: PageLayout, shape: BlockShape): VoxelArray {
  const { bits, format, predictor, little } = layout
  const row = rowBytes(layout, shape)
  if (predictor === 3) undoFloatPrediction(bytes, row, bits / 8, shape)
  else if (!little && bits > 8 && bits % 8 === 0) swap(bytes, bits / 8)
  const values = bits % 8 === 0 ? wholeBytes(bytes, layout, shape) : unpackBits(bytes, layout, shape)
  if (predictor === 2) {
    if (format === 'float' && bits === 16) throw new RangeError('prediction of halves')
    undoPrediction(values, bits, shape)
  } else if (predictor !== 1 && predictor !== 3) throw new RangeError(`predictor ${predictor}`)
  return values
}

/** Copies: a block's bytes need not begin where an array of larger numbers can. */
function wholeBytes(bytes: Uint8Array<ArrayBuffer>, layout: PageLayout, shape: BlockShape): VoxelArray {
  const { bits, format, sampleType } = layout
  const count = shape.width * shape.height * shape.samples
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice()
  const { buffer, byteOffset } = aligned
  if (format === 'float' && bits === 16) return halves(new Uint16Array(buffer, byteOffset, count))
  if (bits === 64 && format !== 'float') {
    const wide =
      format === 'int' ? new BigInt64Array(buffer, byteOffset, count) : new BigUint64Array(buffer, byteOffset, count)
    return Float64Array.from(wide, Number)
  }
  if (bits === 24) {
    const out = new Uint32Array(count)
    for (let i = 0, k = 0; i < count; i++, k += 3) {
      out[i] = (bytes[k] ?? 0) | ((bytes[k + 1] ?? 0) << 8) | ((bytes[k + 2] ?? 0) << 16)
    }
    return out
  }
  return viewAs(sampleType, buffer, byteOffset, count)
}

function swap(bytes: Uint8Array<ArrayBuffer>, size: number): void {
  const whole = bytes.subarray(0, bytes.length - (bytes.length % size))
  const buffer = Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength)
  if (size === 2) buffer.swap16()
  else if (size === 4) buffer.swap32()
  else if (size === 8) buffer.swap64()
  else for (let i = 0; i < whole.length; i += size) whole.subarray(i, i + size).reverse()
}

/** Samples of 1 to 31 bits, the highest bit first. */
function unpackBits(bytes: Uint8Array, layout: PageLayout, shape: BlockShape): VoxelArray {
  const { bits, sampleType } = layout
  const perRow = shape.width * shape.samples
  const row = rowBytes(layout, shape)
  const out = newSamples(sampleType, perRow * shape.height)
  for (let y = 0, k = 0; y < shape.height; y++) {
    let at = y * row
    let held = 0
    let value = 0
    for (let x = 0; x < perRow; x++) {
      while (held < bits) {
        // At most 30 bits are held and 8 come: numbers, as 32-bit arithmetic would lose them.
        value = (value % 2 ** held) * 256 + (bytes[at++] ?? 0)
        held += 8
      }
      held -= bits
      out[k++] = Math.floor(value / 2 ** held) % 2 ** bits
    }
  }
  return out
}

function halves(packed: Uint16Array): Float32Array<ArrayBuffer> {
  const out = new Float32Array(packed.length)
  for (let i = 0; i < packed.length; i++) {
    const half = packed[i] ?? 0
    const sign = half & 0x8000 ? -1 : 1
    const exponent = (half >> 10) & 31
    const fraction = half & 1023
    if (exponent === 0) out[i] = sign * fraction * 2 ** -24
    else if (exponent === 31) out[i] = fraction === 0 ? sign * Infinity : NaN
    else out[i] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
  }
  return out
}

/** Each sample is stored as its difference from the one to its left (revision 6.0, section 14). */
function undoPrediction(values: VoxelArray, bits: number, { width, height, samples }: BlockShape): void {
  if (bits < 8 || bits % 8 !== 0 || bits === 24 || bits === 64) throw new RangeError(`prediction of ${bits} bits`)
  // Sums wrap around in the width of the samples, whatever they mean.
  const { buffer, byteOffset, length } = values
  const words =
    bits === 8
      ? new Uint8Array(buffer, byteOffset, length)
      : bits === 16
        ? new Uint16Array(buffer, byteOffset, length)
        : new Uint32Array(buffer, byteOffset, length)
  const perRow = width * samples
  for (let y = 0; y < height; y++) {
    const end = (y + 1) * perRow
    for (let i = y * perRow + samples; i < end; i++) words[i] = (words[i] ?? 0) + (words[i - samples] ?? 0)
  }
}

/** Bytes of equal weight lie together, differences of bytes (Adobe's TIFF technical note 3); gives little-endian samples. */
function undoFloatPrediction(
  bytes: Uint8Array<ArrayBuffer>,
  row: number,
  size: number,
  { height, width, samples }: BlockShape,
): void {
  if (size !== 2 && size !== 4 && size !== 8) throw new RangeError('prediction of such floating-point samples')
  const perRow = width * samples
  const copy = new Uint8Array(row)
  for (let y = 0; y < height; y++) {
    const line = bytes.subarray(y * row, (y + 1) * row)
    for (let i = samples; i < line.length; i++) line[i] = (line[i] ?? 0) + (line[i - samples] ?? 0)
    copy.set(line)
    for (let i = 0; i < perRow; i++) {
      for (let b = 0; b < size; b++) line[i * size + b] = copy[(size - 1 - b) * perRow + i] ?? 0
    }
  }
}
