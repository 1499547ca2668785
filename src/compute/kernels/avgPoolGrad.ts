import * as tf from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { pair, shape4 } from './convolution.ts'
import { mixtureGradient, mixtureGradientForJs } from './mixtures.ts'
import { input, registerWasmKernel, replaceKernel } from './register.ts'
import type { Mix, Mixture } from './mixtures.ts'

const attrsSchema = z.object({
  filterSize: pair,
  strides: pair,
  pad: z.union([z.enum(['same', 'valid']), z.number()]),
  dimRoundingMode: z.enum(['floor', 'round', 'ceil']).nullish(),
})

/**
 * Gradient of average pooling: each output's gradient in equal parts to the pixels of its window. The kernels that ship
 * with 4.22 divide by the window's size also where part of the window lies on the padding, which the forward kernels leave
 * out of the mean. dy [n, oh, ow, c], input [n, h, w, c] -> [n, h, w, c]. Any size, stride and padding.
 */
export function registerAvgPoolGrad(): void {
  registerWasmKernel(tf.AvgPoolGrad, ({ inputs, attrs, backend }) =>
    mixtureGradient(backend, input(inputs, 'dy'), mixtureOf(inputs, attrs)),
  )
}

export function registerAvgPoolGradForJs(): void {
  replaceKernel(tf.AvgPoolGrad, 'cpu', ({ inputs, attrs, backend }) =>
    mixtureGradientForJs(backend, input(inputs, 'dy'), mixtureOf(inputs, attrs)),
  )
}

function mixtureOf(inputs: tf.NamedTensorInfoMap, attrs: unknown): Mixture {
  const { shape } = input(inputs, 'input')
  const { filterSize, strides, pad, dimRoundingMode } = attrsSchema.parse(attrs)
  const info = tf.backend_util.computePool2DInfo(
    shape4.parse(shape),
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode ?? undefined,
  )
  const { inHeight, outHeight, filterHeight, strideHeight, inWidth, outWidth, filterWidth, strideWidth, padInfo } = info
  return {
    shape,
    rows: mixes(inHeight, outHeight, { size: filterHeight, stride: strideHeight, before: padInfo.top }),
    columns: mixes(inWidth, outWidth, { size: filterWidth, stride: strideWidth, before: padInfo.left }),
  }
}

interface Window {
  readonly size: number
  readonly stride: number
  readonly before: number
}

function mixes(inSize: number, outSize: number, { size, stride, before }: Window): Mix[] {
  return Array.from({ length: outSize }, (_, out): Mix[] => {
    const first = Math.max(0, out * stride - before)
    const end = Math.min(inSize, out * stride - before + size)
    return Array.from({ length: Math.max(0, end - first) }, (_, i) => ({
      out,
      from: first + i,
      weight: 1 / (end - first),
    }))
  }).flat()
}
