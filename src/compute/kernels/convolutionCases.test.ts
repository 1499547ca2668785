import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { beforeAll, describe, it } from 'vitest'
import { convolveGenerally } from '../models/generalConvolution.ts'
import { convolve } from '../models/operations.ts'
import { convolveTransposed } from '../models/transposedConvolution.ts'
import { startWasm } from '../runtime/wasm.ts'
import { registerJsKernels } from './index.ts'
import { backendWithout } from './testing/backends.ts'
import { checkGradients, expectClose } from './testing/checkGradients.ts'
import { depthwiseConvolution } from './testing/depthwiseReference.ts'
import { randomCases, randomValues } from './testing/random.ts'
import { convolution, transposedConvolution } from './testing/reference.ts'
import type { Choice } from './testing/random.ts'
import type { Padding } from './testing/reference.ts'

type Shape4 = [number, number, number, number]

beforeAll(async () => {
  await startWasm(1)
  registerJsKernels()
})

/** Sizes from one on, odd ones, channels that are no multiples of four, batches of one. */
function randomImage(choice: Choice): Shape4 {
  return [choice.whole(1, 3), choice.whole(1, 9), choice.whole(1, 9), choice.of([1, 2, 3, 4, 5, 7, 8, 12])]
}

interface Case {
  readonly shape: Shape4
  readonly filterShape: Shape4
  readonly padding: Padding
  readonly stride: number
  readonly dilation: number
}

/** 'valid' needs an image of the window's size at least. */
function fitting({ shape, filterShape, padding, stride, dilation }: Case): Case {
  const window = (taps: number) => (taps - 1) * dilation + 1
  const fits = shape[1] >= window(filterShape[0]) && shape[2] >= window(filterShape[1])
  return { shape, filterShape, padding: fits ? padding : 'same', stride, dilation }
}

function randomConvolution(choice: Choice, outputs: (channels: number) => number): Case {
  const shape = randomImage(choice)
  const gaps = choice.of([true, false])
  return fitting({
    shape,
    filterShape: [choice.whole(1, 5), choice.whole(1, 5), shape[3], outputs(shape[3])],
    padding: choice.of(['same', 'valid']),
    stride: gaps ? 1 : choice.whole(1, 3),
    dilation: gaps ? choice.whole(1, 3) : 1,
  })
}

function asFour(tensor: tf.Tensor): tf.Tensor4D {
  const [a = 1, b = 1, c = 1, d = 1] = tensor.shape
  return tf.reshape(tensor, [a, b, c, d])
}

describe('convolution', () => {
  const cases = randomCases(30, 1, (choice) => randomConvolution(choice, () => choice.of([1, 2, 3, 4, 6, 8, 13])))

  it.each(cases)('with strides and dilations %s', async (_, { stride, dilation, ...given }) => {
    const geometry = { ...given, stride, dilation }
    await checkGradients({
      shapes: [given.shape, given.filterShape, [given.filterShape[3]]],
      operation: (x, filter, bias) =>
        convolveGenerally(asFour(x), {
          filter: asFour(filter),
          bias,
          padding: given.padding,
          strides: [stride, stride],
          dilations: [dilation, dilation],
          depthwise: false,
        }),
      reference: (x, filter, bias) => plusBias(convolution(x, filter, geometry), bias),
      seed: 1,
    })
  })

  it.each(cases.slice(0, 12))("by TensorFlow's own operation, with strides %s", async (_, { stride, ...given }) => {
    await checkGradients({
      shapes: [given.shape, given.filterShape],
      operation: (x, filter) => tf.conv2d(asFour(x), asFour(filter), stride, given.padding),
      reference: (x, filter) => convolution(x, filter, { ...given, stride, dilation: 1 }),
      seed: 2,
    })
  })

  it.each(cases.slice(0, 16))('with bias and ReLU in one %s', async (_, { shape, filterShape, padding }) => {
    await checkGradients({
      shapes: [shape, filterShape, [filterShape[3]]],
      operation: (x, filter, bias) => {
        return convolve(asFour(x), { filter, bias, padding, relu: true }, true)
      },
      reference: (x, filter, bias) => {
        const geometry = { shape, filterShape, padding, stride: 1 }
        return plusBias(convolution(x, filter, geometry), bias).map((y) => Math.max(0, y))
      },
      seed: 3,
    })
  })
})

interface DepthwiseCase {
  readonly stride: number
  readonly dilation: number
  readonly padding: 'same' | 'valid'
}

/** As the networks call it. */
function depthwise({ stride, dilation, padding }: DepthwiseCase) {
  return (x: tf.Tensor, filter: tf.Tensor): tf.Tensor =>
    convolveGenerally(asFour(x), {
      filter: asFour(filter),
      bias: null,
      padding,
      strides: [stride, stride],
      dilations: [dilation, dilation],
      depthwise: true,
    })
}

describe('depthwise convolution', () => {
  const cases = randomCases(24, 2, (choice) => randomConvolution(choice, () => choice.of([1, 1, 1, 2, 3])))

  it.each(cases)('with strides and dilations %s', async (_, { stride, dilation, ...given }) => {
    await checkGradients({
      shapes: [given.shape, given.filterShape],
      operation: depthwise({ stride, dilation, padding: given.padding }),
      reference: (x, filter) => depthwiseConvolution(x, filter, { ...given, stride, dilation }),
      seed: 4,
    })
  })
})

describe('depthwise convolution on a backend without kernels for its gradients', () => {
  const cases = randomCases(8, 4, (choice) => randomConvolution(choice, () => choice.of([1, 2])))

  it.each(cases)('has the same gradients by a dense filter %s', async (_, { stride, dilation, ...given }) => {
    const run = () =>
      tf.tidy(() => {
        const image = tf.tensor(randomValues(given.shape, 1), given.shape)
        const weights = tf.tensor(randomValues(given.filterShape, 2), given.filterShape)
        const operation = depthwise({ stride, dilation, padding: given.padding })
        const gradients = tf.grads((x, filter) => tf.sum(tf.square(operation(x, filter))))([image, weights])
        return [operation(image, weights), ...gradients].map((tensor) => Array.from(tensor.dataSync()))
      })
    await tf.setBackend('cpu')
    const byKernels = run()
    await backendWithout([tf.DepthwiseConv2dNativeBackpropFilter, tf.DepthwiseConv2dNativeBackpropInput])
    run().forEach((values, i) => {
      expectClose(values, byKernels[i] ?? [], 1e-4)
    })
  })
})

describe('transposed convolution', () => {
  const cases = randomCases(24, 3, (choice) => {
    const shape = randomImage(choice)
    const side = choice.whole(1, 3)
    const filterShape: Shape4 = [side, choice.of([side, 1, 2, 3]), choice.of([1, 2, 3, 4, 8]), shape[3]]
    return { shape, filterShape, padding: choice.of<Padding>(['same', 'valid']), stride: choice.whole(1, 3) }
  })

  it.each(cases)('by the operation of TensorFlow %s', async (_, given) => {
    const { shape, filterShape, padding, stride } = given
    const longer = (size: number, taps: number) =>
      size * stride + (padding === 'valid' ? Math.max(0, taps - stride) : 0)
    const outShape: Shape4 = [
      shape[0],
      longer(shape[1], filterShape[0]),
      longer(shape[2], filterShape[1]),
      filterShape[2],
    ]
    await checkGradients({
      shapes: [shape, filterShape],
      operation: (x, filter) => tf.conv2dTranspose(asFour(x), asFour(filter), outShape, stride, padding),
      reference: (x, filter) => transposedConvolution(x, filter, given),
      seed: 5,
    })
  })

  it.each(cases.slice(0, 12))('with windows side by side, as one with bias %s', async (_, given) => {
    const { shape, stride } = given
    const filterShape: Shape4 = [stride, stride, given.filterShape[2], shape[3]]
    const outShape: Shape4 = [shape[0], shape[1] * stride, shape[2] * stride, filterShape[2]]
    await checkGradients({
      shapes: [shape, filterShape, [filterShape[2]]],
      operation: (x, filter, bias) => {
        // On `js`, which has no kernel for it, what the layer does.
        const ours = convolveTransposed(asFour(x), { filter, bias })
        return ours ?? tf.add(tf.conv2dTranspose(asFour(x), asFour(filter), outShape, stride, 'same'), bias)
      },
      reference: (x, filter, bias) => {
        const geometry = { shape, filterShape, stride, padding: 'same' } as const
        return plusBias(transposedConvolution(x, filter, geometry), bias)
      },
      seed: 6,
    })
  })
})

function plusBias(y: Float64Array, bias: Float64Array): Float64Array {
  return y.map((value, i) => value + (bias[i % bias.length] ?? NaN))
}
