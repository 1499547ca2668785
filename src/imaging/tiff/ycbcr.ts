import type { BlockShape } from './samples.ts'

/** Rec. 601, as where a file does not say. */
export const LUMA: readonly number[] = [0.299, 0.587, 0.114]
/** The full range of 8 bits, as where a file does not say. */
export const FULL_RANGE: readonly number[] = [0, 255, 128, 255, 128, 255]

/** Bytes of a block whose chroma is subsampled: whole data units (TIFF revision 6.0, section 21). */
export function subsampledBytes({ width, height }: BlockShape, [h, v]: readonly [number, number]): number {
  return Math.ceil(width / h) * Math.ceil(height / v) * (h * v + 2)
}

/** Data units of h * v luma samples and one of each chroma as interleaved Y, Cb, Cr, chroma repeated. */
export function joinSubsampled(
  bytes: Uint8Array,
  { width, height }: BlockShape,
  [h, v]: readonly [number, number],
): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(width * height * 3)
  const unit = h * v + 2
  const across = Math.ceil(width / h)
  for (let y = 0, k = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (Math.floor(y / v) * across + Math.floor(x / h)) * unit
      out[k++] = bytes[at + (y % v) * h + (x % h)] ?? 0
      out[k++] = bytes[at + h * v] ?? 0
      out[k++] = bytes[at + h * v + 1] ?? 0
    }
  }
  return out
}

/**
 * Interleaved 8-bit Y, Cb, Cr as RGB (TIFF revision 6.0, section 21).
 * @param luma weights of red, green and blue in Y
 * @param range the numbers of black and white of each component
 */
export function fromYCbCr(
  data: Uint8Array,
  luma: readonly number[],
  range: readonly number[],
): Uint8Array<ArrayBuffer> {
  const [lr = 0.299, lg = 0.587, lb = 0.114] = luma
  const [y0 = 0, y1 = 255, b0 = 128, b1 = 255, r0 = 128, r1 = 255] = range
  const out = new Uint8ClampedArray(data.length)
  const yScale = 255 / (y1 - y0 || 1)
  const bScale = 127 / (b1 - b0 || 1)
  const rScale = 127 / (r1 - r0 || 1)
  for (let i = 0; i + 2 < data.length; i += 3) {
    const y = ((data[i] ?? 0) - y0) * yScale
    const red = ((data[i + 2] ?? 0) - r0) * rScale * (2 - 2 * lr) + y
    const blue = ((data[i + 1] ?? 0) - b0) * bScale * (2 - 2 * lb) + y
    out[i] = red
    out[i + 1] = (y - lb * blue - lr * red) / lg
    out[i + 2] = blue
  }
  return new Uint8Array(out.buffer)
}
