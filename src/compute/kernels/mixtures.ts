import * as tf from '@tensorflow/tfjs-core'
import { shape4 } from './convolution.ts'
import { floats } from './heap.ts'
import { jsFloats, jsTensor } from './jsHeap.ts'
import { addWeighted } from './tables.ts'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import type { Entry } from './tables.ts'

/** Along one axis: an output, a pixel that it is mixed of, and by which weight. */
export interface Mix {
  readonly out: number
  readonly from: number
  readonly weight: number
}

/** Outputs that are mixed of pixels, each by the weight of its row times that of its column. */
export interface Mixture {
  /** [n, h, w, c] of the pixels. */
  readonly shape: number[]
  readonly rows: readonly Mix[]
  readonly columns: readonly Mix[]
}

/**
 * Bilinear mixing along one axis, as the forward kernels of TensorFlow.js take the two neighbours of a position; `ratio` is
 * the distance of two outputs in pixels.
 */
export function neighbourMixes(size: number, outSize: number, ratio: number, halfPixelCenters: boolean): Mix[] {
  return Array.from({ length: outSize }, (_, out): Mix[] => {
    const position = halfPixelCenters ? ratio * (out + 0.5) - 0.5 : ratio * out
    const lower = Math.max(0, Math.floor(position))
    const upper = Math.max(0, Math.min(size - 1, Math.ceil(position)))
    const weight = position - lower
    return [
      { out, from: lower, weight: 1 - weight },
      { out, from: upper, weight },
    ]
  }).flat()
}

/** The gradient by the pixels: each output's is added to those that it was mixed of. dy [n, oh, ow, c] -> [n, h, w, c]. */
export function mixtureGradient(
  backend: BackendWasm,
  dy: tf.TensorInfo,
  { shape, rows, columns }: Mixture,
): tf.TensorInfo {
  const [count, height, width, channels] = shape4.parse(shape)
  const [, outHeight, outWidth] = shape4.parse(dy.shape)
  const dx = backend.makeOutput(shape, 'float32')
  floats(backend, dx).fill(0)
  const pixel = 4 * channels
  const units: Entry[][] = Array.from({ length: count * height }, () => [])
  for (let n = 0; n < count; n++) {
    for (const { out, from, weight } of rows) {
      const unit = n * height + from
      units[unit]?.push([(n * outHeight + out) * outWidth * pixel, weight, unit * width * pixel])
    }
  }
  const places = columns.map(({ out, from, weight }): Entry => [out * pixel, weight, from * pixel])
  addWeighted(backend, { rows: units, columns: places, channels }, dy, dx)
  return dx
}

/** The same on the `js` backend. */
export function mixtureGradientForJs(
  backend: unknown,
  dy: tf.TensorInfo,
  { shape, rows, columns }: Mixture,
): tf.TensorInfo {
  const [count, height, width, channels] = shape4.parse(shape)
  const [, outHeight, outWidth] = shape4.parse(dy.shape)
  const gradient = jsFloats(backend, dy)
  const dx = new Float32Array(tf.util.sizeFromShape(shape))
  for (let n = 0; n < count; n++) {
    for (const row of rows) {
      for (const column of columns) {
        const from = ((n * outHeight + row.out) * outWidth + column.out) * channels
        const to = ((n * height + row.from) * width + column.from) * channels
        const weight = row.weight * column.weight
        for (let c = 0; c < channels; c++) dx[to + c] = (dx[to + c] ?? 0) + weight * (gradient[from + c] ?? 0)
      }
    }
  }
  return jsTensor(backend, dx, shape)
}
