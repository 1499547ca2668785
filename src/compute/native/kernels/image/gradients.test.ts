import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, it } from 'vitest'
import { convolveGenerally } from '../../../models/generalConvolution.ts'
import { depthwiseConvolution } from '../../../kernels/testing/depthwiseReference.ts'
import { randomCases } from '../../../kernels/testing/random.ts'
import {
  averagePooling,
  bilinearResizing,
  convolution,
  maxPooling,
  nearestResizing,
  transposedConvolution,
} from '../../../kernels/testing/reference.ts'
import { startForTests } from '../../testing/compare.ts'
import { expectGradients } from '../../testing/gradients.ts'
import type { Choice } from '../../../kernels/testing/random.ts'
import type { Padding } from '../../../kernels/testing/reference.ts'

type Shape4 = [number, number, number, number]

beforeAll(startForTests)

/** Sizes from one on; channels that fill blocks, or that share one, and others. */
function randomImage(choice: Choice): Shape4 {
  return [choice.whole(1, 3), choice.whole(1, 9), choice.whole(1, 9), choice.of([1, 2, 3, 8, 16, 19])]
}

function asFour(tensor: tf.Tensor): tf.Tensor4D {
  const [a = 1, b = 1, c = 1, d = 1] = tensor.shape
  return tf.reshape(tensor, [a, b, c, d])
}

function randomConvolution(choice: Choice, outputs: readonly [number, ...number[]]) {
  const shape = randomImage(choice)
  const gaps = choice.of([true, false])
  const [stride, dilation] = gaps ? [1, choice.whole(1, 3)] : [choice.whole(1, 3), 1]
  const filterShape: Shape4 = [choice.whole(1, 4), choice.whole(1, 4), shape[3], choice.of(outputs)]
  const fits = [0, 1].every((axis) => (shape[axis + 1] ?? 0) >= ((filterShape[axis] ?? 0) - 1) * dilation + 1)
  const padding = choice.of<Padding>(fits ? ['same', 'valid'] : ['same', 'same'])
  return { shape, filterShape, padding, stride, dilation }
}

/** The convolution of this geometry as the networks call it. */
function convolved({ padding, stride, dilation }: ReturnType<typeof randomConvolution>, depthwise: boolean) {
  const [strides, dilations]: [number, number][] = [
    [stride, stride],
    [dilation, dilation],
  ]
  return (x: tf.Tensor, filter: tf.Tensor) =>
    convolveGenerally(asFour(x), {
      ...{ filter: asFour(filter), bias: null, padding, depthwise },
      ...{ strides: strides ?? [1, 1], dilations: dilations ?? [1, 1] },
    })
}

describe('gradients by numeric differentiation', () => {
  it.each(randomCases(24, 51, (choice) => randomConvolution(choice, [1, 4, 8, 16, 18])))(
    'of convolutions %s',
    async (_, given) => {
      await expectGradients({
        shapes: [given.shape, given.filterShape],
        operation: convolved(given, false),
        reference: (x, filter) => convolution(x, filter, given),
        seed: 1,
      })
    },
  )

  it.each(randomCases(10, 52, (choice) => randomConvolution(choice, [1, 1, 2])))(
    'of depthwise convolutions %s',
    async (_, given) => {
      await expectGradients({
        shapes: [given.shape, given.filterShape],
        operation: convolved(given, true),
        reference: (x, filter) => depthwiseConvolution(x, filter, given),
        seed: 2,
      })
    },
  )

  const transposed = randomCases(12, 53, (choice) => {
    const shape = randomImage(choice)
    const side = choice.whole(1, 3)
    const filterShape: Shape4 = [side, side, choice.of([1, 3, 8, 16]), shape[3]]
    return { shape, filterShape, padding: choice.of<Padding>(['same', 'valid']), stride: choice.of([1, 2, side]) }
  })

  it.each(transposed)('of transposed convolutions %s', async (_, given) => {
    const { shape, filterShape, padding, stride } = given
    const longer = (size: number) => size * stride + (padding === 'valid' ? Math.max(0, filterShape[0] - stride) : 0)
    const outShape: Shape4 = [shape[0], longer(shape[1]), longer(shape[2]), filterShape[2]]
    await expectGradients({
      shapes: [shape, filterShape],
      operation: (x, filter) => tf.conv2dTranspose(asFour(x), asFour(filter), outShape, stride, padding),
      reference: (x, filter) => transposedConvolution(x, filter, given),
      seed: 3,
    })
  })

  const pools = randomCases(12, 54, (choice) => {
    const shape = randomImage(choice)
    const size = choice.whole(1, Math.min(3, shape[1], shape[2]))
    return { shape, size, stride: choice.of([size, size, 1, 2]), padding: choice.of<Padding>(['same', 'valid']) }
  })

  it.each(pools)('of pooling %s', async (_, given) => {
    const { shape, size, stride, padding } = given
    await expectGradients({
      shapes: [shape],
      operation: (x) => tf.maxPool(asFour(x), size, stride, padding),
      reference: (x) => maxPooling(x, given),
      seed: 4,
    })
    await expectGradients({
      shapes: [shape],
      operation: (x) => tf.avgPool(asFour(x), size, stride, padding),
      reference: (x) => averagePooling(x, given),
      seed: 5,
    })
  })

  const sizes = randomCases(12, 55, (choice) => {
    const shape = randomImage(choice)
    const to = (size: number) => (choice.of([true, false]) ? 2 * size : choice.whole(1, 12))
    return { shape, to: [to(shape[1]), to(shape[2])] as [number, number] }
  })

  it.each(sizes)('of resizing %s', async (_, { shape, to }) => {
    await expectGradients({
      shapes: [shape],
      operation: (x) => tf.image.resizeNearestNeighbor(asFour(x), to),
      reference: (x) => nearestResizing(x, shape, to),
      seed: 6,
    })
    await expectGradients({
      shapes: [shape],
      operation: (x) => tf.image.resizeBilinear(asFour(x), to),
      reference: (x) => bilinearResizing(x, shape, to),
      seed: 7,
    })
  })
})
