import { CodedError } from '../../core/contract/errors.ts'
import type { InputSettings } from '../../core/contract/recipes.ts'

export interface Size {
  readonly width: number
  readonly height: number
}

/** No picture is made larger than 8192 x 8192, whatever a card asks for. */
const MOST_PIXELS = 2 ** 26

/** The size in which a picture goes to the network. Throws CodedError('bad-request') where it would become enormous. */
export function networkSize({ width, height }: Size, resize: InputSettings['resize']): Size {
  switch (resize.kind) {
    case 'none':
      return { width, height }
    case 'factor': {
      const scaled = (extent: number): number => Math.max(1, Math.round(extent * resize.factor))
      const size = { width: scaled(width), height: scaled(height) }
      if (resize.factor > 1 && size.width * size.height > MOST_PIXELS) {
        throw new CodedError(
          'bad-request',
          `A picture of ${width} x ${height} pixels would become ${size.width} x ${size.height} for the network; crop it, or train with a smaller input.resize.factor than ${resize.factor}.`,
        )
      }
      return size
    }
    case 'fit':
      return { width: resize.width, height: resize.height }
  }
}

/** For each pixel of one axis: the pixels of the source that it is made of, and their weights, which sum to 1. */
interface Taps {
  readonly count: number
  /** size x count. */
  readonly from: Int32Array
  readonly weights: Float64Array
}

/**
 * Pixels are squares, and the edges of both pictures lie on each other. Larger: bilinear. Smaller: each pixel is the mean of
 * what it covers.
 */
function tapsOf(source: number, target: number): Taps {
  const scale = source / target
  const count = scale > 1 ? Math.ceil(scale) + 1 : 2
  const from = new Int32Array(target * count)
  const weights = new Float64Array(target * count)
  for (let t = 0; t < target; t++) {
    if (scale > 1) {
      const begin = t * scale
      const end = Math.min(source, begin + scale)
      const first = Math.floor(begin)
      for (let n = 0; n < count; n++) {
        const share = Math.min(end, first + n + 1) - Math.max(begin, first + n)
        from[t * count + n] = Math.min(source - 1, first + n)
        weights[t * count + n] = share > 0 ? share / (end - begin) : 0
      }
    } else {
      const at = Math.min(source - 1, Math.max(0, (t + 0.5) * scale - 0.5))
      const first = Math.floor(at)
      from[t * count] = first
      from[t * count + 1] = Math.min(source - 1, first + 1)
      weights[t * count] = 1 - (at - first)
      weights[t * count + 1] = at - first
    }
  }
  return { count, from, weights }
}

/** Resizes `channels` planes of height x width; returns the input itself where the size stays. Also for probabilities. */
export function resizePlanes(image: Float32Array, channels: number, from: Size, to: Size): Float32Array {
  if (from.width === to.width && from.height === to.height) return image
  const columns = tapsOf(from.width, to.width)
  const rows = tapsOf(from.height, to.height)
  const out = new Float32Array(channels * to.width * to.height)
  const narrow = new Float32Array(to.width * from.height)
  for (let c = 0; c < channels; c++) {
    const plane = c * from.width * from.height
    for (let y = 0; y < from.height; y++) {
      const line = plane + y * from.width
      for (let x = 0; x < to.width; x++) {
        let sum = 0
        for (let n = x * columns.count; n < (x + 1) * columns.count; n++) {
          sum += (columns.weights[n] ?? 0) * (image[line + (columns.from[n] ?? 0)] ?? 0)
        }
        narrow[y * to.width + x] = sum
      }
    }
    const target = c * to.width * to.height
    for (let y = 0; y < to.height; y++) {
      for (let x = 0; x < to.width; x++) {
        let sum = 0
        for (let n = y * rows.count; n < (y + 1) * rows.count; n++) {
          sum += (rows.weights[n] ?? 0) * (narrow[(rows.from[n] ?? 0) * to.width + x] ?? 0)
        }
        out[target + y * to.width + x] = sum
      }
    }
  }
  return out
}

/** Resizes labels or object numbers: each pixel takes the value at its middle. */
export function resizeNearest<T extends Uint8Array | Uint16Array | Uint32Array>(labels: T, from: Size, to: Size): T {
  if (from.width === to.width && from.height === to.height) return labels
  const out = new (labels.constructor as new (length: number) => T)(to.width * to.height)
  const middle = (t: number, source: number, target: number): number =>
    Math.min(source - 1, Math.floor(((t + 0.5) * source) / target))
  const columns = Int32Array.from({ length: to.width }, (_, x) => middle(x, from.width, to.width))
  for (let y = 0; y < to.height; y++) {
    const line = middle(y, from.height, to.height) * from.width
    for (let x = 0; x < to.width; x++) out[y * to.width + x] = labels[line + (columns[x] ?? 0)] ?? 0
  }
  return out
}
