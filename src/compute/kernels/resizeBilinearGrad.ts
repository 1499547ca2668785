import * as tf from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { shape4 } from './convolution.ts'
import { mixtureGradient, mixtureGradientForJs, neighbourMixes } from './mixtures.ts'
import { input, registerWasmKernel, replaceKernel } from './register.ts'
import type { Mix, Mixture } from './mixtures.ts'

const attrsSchema = z.object({ alignCorners: z.boolean(), halfPixelCenters: z.boolean().optional() })

/**
 * Gradient of bilinear resizing: each output's gradient is added to the four pixels that it was mixed of, by their weights.
 * dy [n, oh, ow, c], images [n, h, w, c] -> [n, h, w, c]. Any sizes. The kernels that ship with 4.22 do not know half-pixel
 * centers.
 */
export function registerResizeBilinearGrad(): void {
  registerWasmKernel(tf.ResizeBilinearGrad, ({ inputs, attrs, backend }) =>
    mixtureGradient(backend, input(inputs, 'dy'), mixtureOf(inputs, attrs)),
  )
}

export function registerResizeBilinearGradForJs(): void {
  replaceKernel(tf.ResizeBilinearGrad, 'cpu', ({ inputs, attrs, backend }) =>
    mixtureGradientForJs(backend, input(inputs, 'dy'), mixtureOf(inputs, attrs)),
  )
}

function mixtureOf(inputs: tf.NamedTensorInfoMap, attrs: unknown): Mixture {
  const { shape } = input(inputs, 'images')
  const { alignCorners, halfPixelCenters = false } = attrsSchema.parse(attrs)
  const [, height, width] = shape4.parse(shape)
  const [, outHeight, outWidth] = shape4.parse(input(inputs, 'dy').shape)
  return {
    shape,
    rows: mixes(height, outHeight, alignCorners, halfPixelCenters),
    columns: mixes(width, outWidth, alignCorners, halfPixelCenters),
  }
}

function mixes(size: number, outSize: number, alignCorners: boolean, halfPixelCenters: boolean): Mix[] {
  const aligned = alignCorners && outSize > 1
  const ratio = (aligned ? size - 1 : size) / (aligned ? outSize - 1 : outSize)
  return neighbourMixes(size, outSize, ratio, halfPixelCenters)
}
