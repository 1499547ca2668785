import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, it } from 'vitest'
import { randomCases, randomValues } from '../../../kernels/testing/random.ts'
import { registerJsKernels } from '../../../kernels/index.ts'
import { expectSame, startForTests } from '../../testing/compare.ts'
import type { Choice } from '../../../kernels/testing/random.ts'

beforeAll(async () => {
  registerJsKernels()
  await startForTests()
})

const tensor = (shape: readonly number[], seed: number): tf.Tensor4D =>
  tf.tensor4d(randomValues(shape, seed), [shape[0] ?? 1, shape[1] ?? 1, shape[2] ?? 1, shape[3] ?? 1])
const row = (size: number, seed: number): tf.Tensor1D => tf.tensor1d(randomValues([size], seed))

interface Window {
  readonly strides: [number, number]
  readonly dilations: [number, number]
  readonly pad: 'same' | 'valid' | number
}

interface Case extends Window {
  readonly shape: [number, number, number, number]
  readonly kernel: [number, number]
  readonly outputs: number
}

function convolutionCase({ whole, of }: Choice): Case {
  const kernel: [number, number] = [of([1, 2, 3, 3, 5]), of([1, 2, 3, 3, 4])]
  const dilated = of([true, false, false])
  const dilations: [number, number] = dilated ? [whole(1, 3), whole(1, 2)] : [1, 1]
  const strides: [number, number] = dilated || of([true, false]) ? [1, 1] : [whole(1, 3), whole(1, 3)]
  // TensorFlow.js takes the height's sizes for the width too where padding is given by number.
  const square = [kernel, strides, dilations].every(([down, across]) => down === across)
  const pad = of<Window['pad']>(['same', 'valid', square ? Math.min(1, kernel[0] - 1) : 'same'])
  const least = (axis: 0 | 1) => (pad === 'same' ? 1 : (kernel[axis] - 1) * dilations[axis] + 1)
  const shape: Case['shape'] = [whole(1, 3), least(0) + whole(0, 8), least(1) + whole(0, 8), of([1, 2, 3, 5, 16, 19])]
  return { shape, kernel, outputs: of([1, 2, 4, 7, 16, 18]), strides, dilations, pad }
}

/** The operation with both of its gradients. */
function withGradients(
  operation: (x: tf.Tensor4D, filter: tf.Tensor4D) => tf.Tensor,
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
): tf.Tensor[] {
  const y = operation(x, filter)
  const of = (a: tf.Tensor, b: tf.Tensor) => operation(tf.reshape(a, x.shape), tf.reshape(b, filter.shape))
  return [y, ...tf.grads(of)([x, filter], tensor(y.shape, 3))]
}

/**
 * The convolution and both gradients by their kernels. The js backend has none for dilated ones: there the filter's gaps are
 * zeros.
 */
function byKernels(x: tf.Tensor4D, filter: tf.Tensor4D, { strides, dilations, pad }: Window): tf.Tensor[] {
  const native = tf.getBackend() === 'native'
  const y = tf.conv2d(x, filter, strides, pad, 'NHWC', dilations)
  const dy = tensor(y.shape, 3)
  const weights = native ? filter : withGaps(filter, dilations)
  const attrs = { strides, pad, dataFormat: 'NHWC', ...(native ? { dilations } : {}) }
  const run = (kernel: string, inputs: tf.NamedTensorMap, more: object) =>
    tf.engine().runKernel<tf.Tensor4D>(kernel, inputs, { ...attrs, ...more })
  const dw = run(tf.Conv2DBackpropFilter, { x, dy }, { filterShape: weights.shape })
  return [
    y,
    run(tf.Conv2DBackpropInput, { dy, filter: weights }, { inputShape: x.shape }),
    native ? dw : tf.stridedSlice(dw, [0, 0, 0, 0], dw.shape, [...dilations, 1, 1]),
  ]
}

function withGaps(filter: tf.Tensor4D, [down, across]: [number, number]): tf.Tensor4D {
  const [rows, columns, c, o] = filter.shape
  const apart = tf.pad(tf.reshape(filter, [rows, 1, columns, 1, c * o]), [
    [0, 0],
    [0, down - 1],
    [0, 0],
    [0, across - 1],
    [0, 0],
  ])
  const whole: tf.Tensor4D = tf.reshape(apart, [rows * down, columns * across, c, o])
  return tf.slice(whole, [0, 0, 0, 0], [(rows - 1) * down + 1, (columns - 1) * across + 1, c, o])
}

describe('convolutions', () => {
  it.each(randomCases(40, 71, convolutionCase))(
    'forward and backward %s',
    async (_, { shape, kernel, outputs, ...window }) => {
      await expectSame(() => byKernels(tensor(shape, 1), tensor([...kernel, shape[3], outputs], 2), window), 2e-5)
    },
  )

  it.each(['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const)(
    'fused with %s',
    async (activation) => {
      await expectSame(() => {
        const fused = { strides: 1, pad: 'same', activation, bias: row(6, 3), leakyreluAlpha: 0.3 } as const
        const slopes = activation === 'prelu' ? { preluActivationWeights: row(6, 4) } : {}
        return tf.fused.conv2d({ x: tensor([2, 5, 4, 3], 1), filter: tensor([3, 3, 3, 6], 2), ...fused, ...slopes })
      })
    },
  )

  it.each([
    [2, 2, 'valid'],
    [3, 2, 'same'],
    [4, 2, 'same'],
    [3, 1, 'same'],
    [5, 3, 'valid'],
  ] as const)('transposed, size %d, stride %d, %s', async (size, stride, pad) => {
    const out = pad === 'same' ? 6 * stride : 5 * stride + size
    const run = (x: tf.Tensor4D, w: tf.Tensor4D) => tf.conv2dTranspose(x, w, [2, out, out, 3], stride, pad)
    await expectSame(() => withGradients(run, tensor([2, 6, 6, 4], 1), tensor([size, size, 3, 4], 2)), 2e-5)
  })

  it.each(randomCases(12, 72, convolutionCase))(
    'depthwise %s',
    async (_, { shape, kernel, strides, dilations, pad }) => {
      await expectSame(() => {
        const [x, filter] = [tensor(shape, 1), tensor([...kernel, shape[3], 1 + (shape[1] % 3)], 2)]
        const run = (a: tf.Tensor4D, w: tf.Tensor4D) => tf.depthwiseConv2d(a, w, strides, pad, 'NHWC', dilations)
        // TensorFlow.js has no gradients of dilated convolutions.
        return dilations.some((each) => each > 1) ? run(x, filter) : withGradients(run, x, filter)
      }, 2e-5)
    },
  )
})
