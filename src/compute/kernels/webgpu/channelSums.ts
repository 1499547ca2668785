import * as tf from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { BIAS_GRADIENT } from '../reluGradient.ts'
import { input } from '../register.ts'
import { registerWebgpuKernel, shippedKernel } from './program.ts'
import { sums } from './sums.ts'
import type { Sums } from './sums.ts'

const attrsSchema = z.object({ axis: z.union([z.number(), z.array(z.number())]).nullish(), keepDims: z.boolean() })

/**
 * Sums and means over neighbouring axes that are not the last, as normalizations and the gradients of biases take them
 * of [n, h, w, c] over height and width. (The shipped kernels first transpose the whole tensor, and then give each sum
 * to one work group.) All else runs the shipped kernels. BIAS_GRADIENT: dy [..., c] -> its sum over all but the channels.
 */
export function registerChannelSums(): void {
  for (const kernel of [tf.Sum, tf.Mean]) {
    const shipped = shippedKernel(kernel)
    registerWebgpuKernel(kernel, ({ inputs, attrs = {}, backend }) => {
      const x = input(inputs, 'x')
      const { axis, keepDims } = attrsSchema.parse(attrs)
      const axes = tf.util.parseAxisParam(axis ?? x.shape.map((_, at) => at), x.shape).sort((a, b) => a - b)
      const [first = 0] = axes
      const end = first + axes.length
      const size = (from: number, to: number) => tf.util.sizeFromShape(x.shape.slice(from, to))
      const extents = [size(0, first), size(first, end), size(end, x.shape.length)] as const
      const neighbours = axes.length > 0 && axes.every((each, at) => each === first + at) && end < x.shape.length
      if (x.dtype !== 'float32' || !neighbours || extents.includes(0)) return shipped({ inputs, attrs, backend })
      const left = keepDims ? x.shape.map((extent, at) => (at >= first && at < end ? 1 : extent)) : kept(x, first, end)
      return sums(backend, { ...plain(x), extents, outputShape: left, divisor: kernel === tf.Mean ? extents[1] : 1 })
    })
  }
  registerWebgpuKernel(BIAS_GRADIENT, ({ inputs, backend }) => {
    const dy = input(inputs, 'dy')
    const channels = dy.shape.at(-1) ?? 1
    const extents = [1, tf.util.sizeFromShape(dy.shape) / channels, channels] as const
    return sums(backend, { ...plain(dy), extents, outputShape: [channels], divisor: 1 })
  })
}

function plain(tensor: tf.TensorInfo): Pick<Sums, 'key' | 'inputs' | 'uniforms' | 'code'> {
  return { key: 'plain', inputs: [{ name: 'x', tensor }], uniforms: [], code: 'sum += f32(x[at]);' }
}

function kept({ shape }: tf.TensorInfo, first: number, end: number): number[] {
  return shape.filter((_, at) => at < first || at >= end)
}
