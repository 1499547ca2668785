import { newCanvas } from './canvas.ts'
import type { Canvas } from './canvas.ts'

export interface Size {
  readonly width: number
  readonly height: number
}

/**
 * The size at which a picture is shown: in the ratio of its pixels' sides, the longer side at most `most` pixels. Small
 * pictures are enlarged, by a whole number, so that each pixel is as large as the next.
 */
export function shownSize(picture: Size, most: number, pixel: Size = { width: 1, height: 1 }): Size {
  const unit = Math.min(pixel.width, pixel.height)
  const width = (picture.width * pixel.width) / unit
  const height = (picture.height * pixel.height) / unit
  const room = most / Math.max(width, height)
  const factor = room >= 1 ? Math.floor(room) : room
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) }
}

/** Resamples a picture: linear between pixels where it becomes larger, the mean of the covered ones where it becomes smaller. */
export function scaled(picture: Canvas, size: Size): Canvas {
  if (picture.width === size.width && picture.height === size.height) return picture
  const across = taps(picture.width, size.width)
  const down = taps(picture.height, size.height)
  const rows = new Float32Array(size.width * picture.height * 3)
  for (let y = 0; y < picture.height; y++) {
    for (let x = 0; x < size.width; x++) {
      const { from, weights } = across[x] ?? NO_TAPS
      for (let c = 0; c < 3; c++) {
        let sum = 0
        for (let k = 0; k < weights.length; k++) {
          sum += (weights[k] ?? 0) * (picture.data[(y * picture.width + from + k) * 3 + c] ?? 0)
        }
        rows[(y * size.width + x) * 3 + c] = sum
      }
    }
  }
  const result = newCanvas(size.width, size.height)
  const stride = size.width * 3
  for (let y = 0; y < size.height; y++) {
    const { from, weights } = down[y] ?? NO_TAPS
    for (let i = 0; i < stride; i++) {
      let sum = 0
      for (let k = 0; k < weights.length; k++) sum += (weights[k] ?? 0) * (rows[(from + k) * stride + i] ?? 0)
      result.data[y * stride + i] = Math.round(sum)
    }
  }
  return result
}

interface Taps {
  readonly from: number
  readonly weights: readonly number[]
}
const NO_TAPS: Taps = { from: 0, weights: [] }

/** Of each new pixel along an axis: the first old pixel that it is made of, and the weights of those from there on. */
function taps(before: number, after: number): Taps[] {
  const step = before / after
  return Array.from({ length: after }, (_, at) => {
    if (after >= before) {
      const centre = Math.min(before - 1, Math.max(0, (at + 0.5) * step - 0.5))
      const from = Math.min(Math.floor(centre), Math.max(0, before - 2))
      return before === 1 ? { from: 0, weights: [1] } : { from, weights: [1 - (centre - from), centre - from] }
    }
    const [start, end] = [at * step, (at + 1) * step]
    const from = Math.floor(start)
    const last = Math.min(before, Math.ceil(end - 1e-9))
    const weights = Array.from(
      { length: last - from },
      (__, k) => (Math.min(end, from + k + 1) - Math.max(start, from + k)) / step,
    )
    return { from, weights }
  })
}

/** Resamples labels or numbers of objects: the one at each new pixel's centre. */
export function scaledLabels<Labels extends Uint8Array | Uint32Array>(labels: Labels, from: Size, to: Size): Labels {
  if (from.width === to.width && from.height === to.height) return labels
  const length = to.width * to.height
  const result = (labels instanceof Uint8Array ? new Uint8Array(length) : new Uint32Array(length)) as Labels
  const columns = Int32Array.from({ length: to.width }, (_, x) => Math.floor(((x + 0.5) * from.width) / to.width))
  for (let y = 0; y < to.height; y++) {
    const row = Math.floor(((y + 0.5) * from.height) / to.height) * from.width
    for (let x = 0; x < to.width; x++) result[y * to.width + x] = labels[row + (columns[x] ?? 0)] ?? 0
  }
  return result
}
