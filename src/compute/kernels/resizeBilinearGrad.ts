import * as tf from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { shape4 } from './convolution.ts'
import { floats } from './heap.ts'
import { jsFloats, jsTensor } from './jsHeap.ts'
import { input, registerWasmKernel, replaceKernel } from './register.ts'
import { addWeighted } from './tables.ts'
import type { Entry } from './tables.ts'

const attrsSchema = z.object({ alignCorners: z.boolean(), halfPixelCenters: z.boolean().optional() })

/**
 * Gradient of bilinear resizing: each output's gradient is added to the four pixels that it was mixed of, by their weights.
 * dy [n, oh, ow, c], images [n, h, w, c] -> [n, h, w, c]. Any sizes. The kernels that ship do not know half-pixel centers.
 */
export function registerResizeBilinearGrad(): void {
  registerWasmKernel(tf.ResizeBilinearGrad, ({ inputs, attrs, backend }) => {
    const dy = input(inputs, 'dy')
    const { images, height, width, channels, outHeight, outWidth, rows, columns } = geometry(inputs, attrs)
    const dx = backend.makeOutput(images.shape, 'float32')
    floats(backend, dx).fill(0)
    const pixel = 4 * channels
    const units: Entry[][] = []
    for (let n = 0; n < (images.shape[0] ?? 0); n++) {
      for (let y = 0; y < height; y++) {
        const mine = rows.filter(({ from }) => from === y)
        const to = (n * height + y) * width * pixel
        units.push(mine.map(({ out, weight }): Entry => [(n * outHeight + out) * outWidth * pixel, weight, to]))
      }
    }
    const places = columns.map(({ out, from, weight }): Entry => [out * pixel, weight, from * pixel])
    addWeighted(backend, { rows: units, columns: places, channels }, dy, dx)
    return dx
  })
}

export function registerResizeBilinearGradForJs(): void {
  replaceKernel(tf.ResizeBilinearGrad, 'cpu', ({ inputs, attrs, backend }) => {
    const gradient = jsFloats(backend, input(inputs, 'dy'))
    const { images, height, width, channels, outHeight, outWidth, rows, columns } = geometry(inputs, attrs)
    const dx = new Float32Array(tf.util.sizeFromShape(images.shape))
    for (let n = 0; n < (images.shape[0] ?? 0); n++) {
      for (const row of rows) {
        for (const column of columns) {
          const from = ((n * outHeight + row.out) * outWidth + column.out) * channels
          const to = ((n * height + row.from) * width + column.from) * channels
          const weight = row.weight * column.weight
          for (let c = 0; c < channels; c++) dx[to + c] = (dx[to + c] ?? 0) + weight * (gradient[from + c] ?? 0)
        }
      }
    }
    return jsTensor(backend, dx, images.shape)
  })
}

function geometry(inputs: tf.NamedTensorInfoMap, attrs: unknown) {
  const images = input(inputs, 'images')
  const { alignCorners, halfPixelCenters = false } = attrsSchema.parse(attrs)
  const [, height, width, channels] = shape4.parse(images.shape)
  const [, outHeight, outWidth] = shape4.parse(input(inputs, 'dy').shape)
  const rows = mixes(height, outHeight, alignCorners, halfPixelCenters)
  const columns = mixes(width, outWidth, alignCorners, halfPixelCenters)
  return { images, height, width, channels, outHeight, outWidth, rows, columns }
}

/** Along one axis: an output, a pixel that it is mixed of, and by which weight. */
interface Mix {
  readonly out: number
  readonly from: number
  readonly weight: number
}

function mixes(size: number, outSize: number, alignCorners: boolean, halfPixelCenters: boolean): Mix[] {
  const aligned = alignCorners && outSize > 1
  const ratio = (aligned ? size - 1 : size) / (aligned ? outSize - 1 : outSize)
  return Array.from({ length: outSize }, (_, out) => {
    const position = halfPixelCenters ? ratio * (out + 0.5) - 0.5 : ratio * out
    const lower = Math.max(0, Math.floor(position))
    const weight = position - lower
    const upper = Math.min(size - 1, Math.ceil(position))
    return [
      { out, from: lower, weight: 1 - weight },
      { out, from: upper, weight },
    ]
  }).flat()
}
