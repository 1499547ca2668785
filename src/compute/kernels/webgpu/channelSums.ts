import * as tf from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { BIAS_GRADIENT } from '../reluGradient.ts'
import { input } from '../register.ts'
import { registerWebgpuKernel, runByElement, shippedKernel } from './program.ts'
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu'

/** So many invocations occupy a large card; fewer elements than this for one would cost more than they save. */
const INVOCATIONS = 2 ** 15
const LEAST_ELEMENTS = 32

const attrsSchema = z.object({ axis: z.union([z.number(), z.array(z.number())]).nullish(), keepDims: z.boolean() })

/**
 * Sums and means over neighbouring axes that are not the last, as normalizations and the gradients of biases take them
 * of [n, h, w, c] over height and width: in two passes that read along the channels, each sum split into parts, which are
 * added up in order. (The shipped kernels first transpose the whole tensor, and then give each sum to one work group.)
 * All else runs the shipped kernels. BIAS_GRADIENT: dy [..., c] -> its sum over all but the channels.
 */
export function registerChannelSums(): void {
  for (const kernel of [tf.Sum, tf.Mean]) {
    const shipped = shippedKernel(kernel)
    registerWebgpuKernel(kernel, ({ inputs, attrs = {}, backend }) => {
      const x = input(inputs, 'x')
      const { axis, keepDims } = attrsSchema.parse(attrs)
      const axes = tf.util.parseAxisParam(axis ?? x.shape.map((_, at) => at), x.shape).sort((a, b) => a - b)
      const [first = 0] = axes
      const neighbours = axes.length > 0 && axes.every((each, at) => each === first + at)
      const end = first + axes.length
      if (x.dtype !== 'float32' || !neighbours || end === x.shape.length) return shipped({ inputs, attrs, backend })
      const size = (from: number, to: number) => tf.util.sizeFromShape(x.shape.slice(from, to))
      const extents = [size(0, first), size(first, end), size(end, x.shape.length)] as const
      if (extents.includes(0)) return shipped({ inputs, attrs, backend })
      const [reduced, kept] = [[...axes], x.shape.filter((_, at) => at < first || at >= end)]
      const shape = keepDims ? x.shape.map((extent, at) => (reduced.includes(at) ? 1 : extent)) : kept
      return sums(backend, x, extents, shape, kernel === tf.Mean ? extents[1] : 1)
    })
  }
  registerWebgpuKernel(BIAS_GRADIENT, ({ inputs, backend }) => {
    const dy = input(inputs, 'dy')
    const channels = dy.shape.at(-1) ?? 1
    return sums(backend, dy, [1, tf.util.sizeFromShape(dy.shape) / channels, channels], [channels], 1)
  })
}

/** x as [outer, count, inner] -> its sums over count, divided by `divisor`, as a tensor of `shape`. */
function sums(
  backend: WebGPUBackend,
  x: tf.TensorInfo,
  [outer, count, inner]: readonly [number, number, number],
  shape: readonly number[],
  divisor: number,
): tf.TensorInfo {
  const most = Math.max(1, Math.ceil(count / LEAST_ELEMENTS))
  const parts = Math.min(most, Math.ceil(INVOCATIONS / (outer * inner)))
  const share = Math.ceil(count / parts)
  const pass = (tensor: tf.TensorInfo, of: number, length: number, into: number, outputShape: readonly number[]) =>
    runByElement(
      backend,
      {
        key: into === 1 ? 'sumsOfChannels' : 'partsOfSums',
        inputs: [{ name: 'x', tensor }],
        outputShape,
        uniforms: [
          { name: 'extents', values: [of, into, inner] },
          { name: 'share', values: [length] },
          { name: 'divisor', values: [into === 1 ? divisor : 1] },
        ],
      },
      CODE,
    )
  if (parts === 1) return pass(x, count, count, 1, shape)
  const partial = pass(x, count, share, parts, [outer, parts, inner])
  const result = pass(partial, parts, parts, 1, shape)
  backend.disposeData(partial.dataId)
  return result
}

/** Element [o, part, i] is the sum of x [o, part * share … , i]. */
const CODE = `
  let place = index % uniforms.extents.z;
  let row = index / uniforms.extents.z;
  let part = row % uniforms.extents.y;
  let first = (row / uniforms.extents.y) * uniforms.extents.x;
  let last = first + min(uniforms.extents.x, (part + 1) * uniforms.share);
  var sum = 0.0;
  for (var at = first + part * uniforms.share; at < last; at++) { sum += f32(x[at * uniforms.extents.z + place]); }
  return sum / f32(uniforms.divisor);`
