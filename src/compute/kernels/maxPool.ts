import * as tf from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { pair, shape4 } from './convolution.ts'
import { address } from './heap.ts'
import { callShipped, input, registerWasmKernel } from './register.ts'
import { parallel } from './threads/index.ts'

const attrsSchema = z.object({
  filterSize: pair,
  strides: pair,
  pad: z.union([z.enum(['same', 'valid']), z.number(), z.array(z.array(z.number()))]),
  dimRoundingMode: z.enum(['floor', 'round', 'ceil']).nullish(),
})

/** The geometry of max pooling. Sizes in pixels, channels last; null for padding given by the side. */
export function poolInfo(x: tf.TensorInfo, attrs: unknown): tf.backend_util.Conv2DInfo | null {
  const { filterSize, strides, pad, dimRoundingMode } = attrsSchema.parse(attrs)
  if (Array.isArray(pad)) return null
  const shape = shape4.parse(x.shape)
  return tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode ?? undefined)
}

/** 2 x 2 windows side by side that cover the image. */
export function isPlainHalving(info: tf.backend_util.Conv2DInfo): boolean {
  return (
    info.filterHeight === 2 &&
    info.filterWidth === 2 &&
    info.strideHeight === 2 &&
    info.strideWidth === 2 &&
    info.inHeight === 2 * info.outHeight &&
    info.inWidth === 2 * info.outWidth
  )
}

/** Max pooling, x [n, h, w, c] -> [n, oh, ow, c]: by 2 x 2 on all threads, otherwise by the kernel that ships. */
export function registerMaxPool(): void {
  const shipped = registerWasmKernel(tf.MaxPool, (args) => {
    const { inputs, attrs, backend } = args
    const x = input(inputs, 'x')
    const info = x.dtype === 'float32' ? poolInfo(x, attrs) : null
    if (info === null || !isPlainHalving(info)) return callShipped(shipped, args)
    const { batchSize, outHeight, outWidth, inChannels } = info
    const out = backend.makeOutput(info.outShape, 'float32')
    const [from, to] = [address(backend, x), address(backend, out)]
    parallel(backend).run('maxPool2', batchSize * outHeight, from, to, outWidth, inChannels)
    return out
  })
}
