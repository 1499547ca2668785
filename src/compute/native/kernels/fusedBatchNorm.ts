import * as tf from '@tensorflow/tfjs-core'
import { constant, emit, float } from '../graph/build.ts'
import { combine } from './elementwise.ts'
import { add, multiply, reciprocalRoot, subtract } from './math.ts'
import { layoutOf, registerNativeKernel } from './recorder.ts'
import type { Value } from '../graph/types.ts'

/**
 * Batch normalization by given statistics: (x - mean) / sqrt(variance + epsilon) * scale + offset. Of images that lie
 * channels first, with one number a channel, it is one node, which ONNX Runtime can join with the convolution before it.
 */
export function registerFusedBatchNorm(): void {
  registerNativeKernel(tf.FusedBatchNorm, (call) => {
    const { input, optional, attrs, backend } = call
    const epsilon = typeof attrs.varianceEpsilon === 'number' ? attrs.varianceEpsilon : 1e-3
    const x = input('x')
    const names = ['mean', 'variance', 'scale', 'offset'].filter((name) => optional(name) !== null)
    const parameters = names.map(input)
    const ofChannels = parameters.every(({ shape }) => shape.length === 1 && shape[0] === x.shape[3])
    if (x.shape.length === 4 && layoutOf(backend, x) === 'channelsFirst' && ofChannels) {
      const image = call.value('x', 'channelsFirst')
      const given = (name: string, otherwise: number) =>
        optional(name) === null ? filled(x.shape[3] ?? 0, otherwise) : call.value(name)
      const inputs = [image, given('scale', 1), given('offset', 0), call.value('mean'), call.value('variance')]
      const y = emit('BatchNormalization', inputs, image.shape, { attributes: { epsilon: float(epsilon) } })
      return backend.make(y, x.shape, 'float32', 'channelsFirst')
    }
    return combine(backend, [x, ...parameters], 'float32', ([image, mean, variance, ...affine]) => {
      if (image === undefined || mean === undefined || variance === undefined) throw new Error('Three are needed.')
      const scale = optional('scale') === null ? null : (affine.shift() ?? null)
      const offset = optional('offset') === null ? null : (affine.shift() ?? null)
      const root = reciprocalRoot(add(variance, epsilon))
      // Two passes over the image: x * factor + shift, with both made of the small ones.
      const factor = scale === null ? root : multiply(root, scale)
      const centred = multiply(mean, factor)
      const shift = offset === null ? subtract(0, centred) : subtract(offset, centred)
      return add(multiply(image, factor), shift)
    })
  })
}

function filled(count: number, value: number): Value {
  return constant(new Float32Array(count).fill(value), [count], 'float32')
}
