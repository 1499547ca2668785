import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '../data/random.ts'
import { startWasm } from '../runtime/wasm.ts'
import { joinChannels } from '../models/operations.ts'
import { registerJsKernels } from './index.ts'
import { convolution, maxPooling, nearestResizing, numericGradient, outputSize } from './testing/reference.ts'
import type { Padding } from './testing/reference.ts'

type Shape4 = [number, number, number, number]

function values(shape: readonly number[], seed: number): Float32Array {
  const random = createRandom(seed)
  return Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 2 * random() - 1)
}

/** d/dx of sum(weights * f(x)), by the backend that is current. */
function gradient(
  f: (x: tf.Tensor4D) => tf.Tensor,
  x: Float32Array,
  shape: Shape4,
  weights: Float32Array,
): Float32Array {
  const result = tf.tidy(() => {
    const sum = (tensor: tf.Tensor): tf.Tensor =>
      tf.sum(tf.mul(tf.reshape(f(asFour(tensor)), [-1]), tf.tensor1d(weights)))
    return tf.grad(sum)(tf.tensor4d(x, shape)).dataSync()
  })
  if (!(result instanceof Float32Array)) throw new Error('float32 expected')
  return result
}

function asFour(tensor: tf.Tensor): tf.Tensor4D {
  const [a = 1, b = 1, c = 1, d = 1] = tensor.shape
  return tf.reshape(tensor, [a, b, c, d])
}

function expectClose(got: ArrayLike<number>, want: ArrayLike<number>, tolerance = 1e-4): void {
  expect(got.length).toBe(want.length)
  const scale = Math.max(1, ...Array.from(want, Math.abs))
  const worst = Math.max(...Array.from(want, (value, i) => Math.abs(value - (got[i] ?? NaN))))
  expect(worst / scale).toBeLessThan(tolerance)
}

interface ConvolutionCase {
  readonly name: string
  readonly x: Shape4
  readonly filter: Shape4
  readonly stride: number
  readonly padding: Padding
}

const convolutions: ConvolutionCase[] = [
  { name: 'one pixel', x: [1, 1, 1, 1], filter: [3, 3, 1, 1], stride: 1, padding: 'same' },
  { name: 'one channel', x: [1, 6, 5, 1], filter: [3, 3, 1, 2], stride: 1, padding: 'same' },
  { name: 'odd size, batch', x: [3, 5, 7, 2], filter: [3, 3, 2, 3], stride: 1, padding: 'same' },
  { name: 'multiples of four and eight', x: [2, 6, 9, 4], filter: [3, 3, 4, 8], stride: 1, padding: 'same' },
  { name: 'one row', x: [2, 1, 7, 4], filter: [3, 3, 4, 4], stride: 1, padding: 'same' },
  { name: 'one column', x: [2, 5, 1, 8], filter: [3, 3, 8, 4], stride: 1, padding: 'same' },
  { name: 'wide output', x: [1, 4, 4, 4], filter: [3, 3, 4, 12], stride: 1, padding: 'same' },
  { name: 'six to seven channels', x: [2, 4, 5, 6], filter: [3, 3, 6, 7], stride: 1, padding: 'same' },
  { name: 'valid', x: [2, 7, 6, 3], filter: [3, 3, 3, 2], stride: 1, padding: 'valid' },
  { name: '1 x 1 filter', x: [2, 4, 3, 5], filter: [1, 1, 5, 3], stride: 1, padding: 'same' },
  { name: 'even filter', x: [1, 5, 6, 2], filter: [2, 2, 2, 2], stride: 1, padding: 'same' },
  { name: '5 x 5 filter larger than the image', x: [1, 3, 4, 2], filter: [5, 5, 2, 2], stride: 1, padding: 'same' },
  { name: 'stride 2, same', x: [2, 7, 8, 2], filter: [3, 3, 2, 3], stride: 2, padding: 'same' },
  { name: 'stride 2, valid, pixels left over', x: [1, 6, 7, 2], filter: [3, 3, 2, 2], stride: 2, padding: 'valid' },
]

beforeAll(async () => {
  await startWasm(1)
  registerJsKernels()
})

describe.each(['wasm', 'cpu'])('gradients on %s agree with numeric differentiation in double precision', (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend)
  })

  it.each(convolutions)('convolution: $name', ({ x: shape, filter: filterShape, stride, padding }) => {
    const x = values(shape, 1)
    const filter = values(filterShape, 2)
    const geometry = { shape, filterShape, stride, padding }
    const [outHeight, outWidth] = outputSize(geometry)
    const weights = values([shape[0], outHeight, outWidth, filterShape[3]], 3)
    const run = (image: tf.Tensor4D, kernel: tf.Tensor4D) => tf.conv2d(image, kernel, stride, padding)

    const byInput = gradient((image) => run(image, tf.tensor4d(filter, filterShape)), x, shape, weights)
    expectClose(
      byInput,
      numericGradient((at) => convolution(at, Float64Array.from(filter), geometry), x, weights),
    )
    const byFilter = gradient((kernel) => run(tf.tensor4d(x, shape), kernel), filter, filterShape, weights)
    expectClose(
      byFilter,
      numericGradient((at) => convolution(Float64Array.from(x), at, geometry), filter, weights),
    )
  })

  it.each<{ name: string; shape: Shape4; size: number; stride: number; padding: Padding }>([
    { name: 'halving, four channels', shape: [2, 4, 6, 4], size: 2, stride: 2, padding: 'valid' },
    { name: 'halving, six channels', shape: [2, 4, 6, 6], size: 2, stride: 2, padding: 'valid' },
    { name: 'halving, three channels', shape: [2, 4, 6, 3], size: 2, stride: 2, padding: 'valid' },
    { name: 'odd size', shape: [1, 5, 7, 4], size: 2, stride: 2, padding: 'valid' },
    { name: 'odd size, same', shape: [1, 5, 7, 4], size: 2, stride: 2, padding: 'same' },
    { name: 'overlapping windows', shape: [1, 6, 5, 2], size: 3, stride: 1, padding: 'same' },
  ])('max pooling: $name', ({ shape, size, stride, padding }) => {
    const x = values(shape, 4)
    const pooled = maxPooling(Float64Array.from(x), { shape, size, stride, padding })
    const weights = values([pooled.length], 5)
    const got = gradient((image) => tf.maxPool(image, size, stride, padding), x, shape, weights)
    expectClose(
      got,
      numericGradient((at) => maxPooling(at, { shape, size, stride, padding }), x, weights),
    )
  })

  it.each<{ name: string; shape: Shape4; to: [number, number] }>([
    { name: 'doubling, four channels', shape: [3, 3, 2, 4], to: [6, 4] },
    { name: 'doubling, seven channels', shape: [2, 3, 2, 7], to: [6, 4] },
    { name: 'doubling, three channels', shape: [3, 3, 2, 3], to: [6, 4] },
    { name: 'one pixel', shape: [1, 1, 1, 4], to: [2, 2] },
    { name: 'to an odd size', shape: [2, 3, 4, 2], to: [7, 5] },
    { name: 'to a smaller size', shape: [1, 6, 6, 1], to: [4, 3] },
  ])('nearest resizing: $name', ({ shape, to }) => {
    const x = values(shape, 6)
    const weights = values([shape[0], ...to, shape[3]], 7)
    const got = gradient((image) => tf.image.resizeNearestNeighbor(image, to), x, shape, weights)
    expectClose(
      got,
      numericGradient((at) => nearestResizing(at, shape, to), x, weights),
    )
  })

  it.each([
    [4, 8],
    [6, 5],
    [3, 4],
  ])('joining %i and %i channels', (first, second) => {
    const shape: Shape4 = [2, 3, 2, first]
    const other = tf.tensor4d(values([2, 3, 2, second], 10), [2, 3, 2, second])
    const weights = values([2, 3, 2, first + second], 11)
    const got = gradient((image) => joinChannels(image, other), values(shape, 12), shape, weights)
    // The gradient of joining is the part of the weights that lies where the input went.
    expectClose(
      got,
      Float32Array.from(got, (_, i) => weights[Math.floor(i / first) * (first + second) + (i % first)] ?? NaN),
    )
    other.dispose()
  })
})

it('gives the gradient of a maximum that occurs twice to one pixel alone', async () => {
  for (const backend of ['wasm', 'cpu']) {
    await tf.setBackend(backend)
    const x = new Float32Array(16).fill(1)
    const got = gradient((image) => tf.maxPool(image, 2, 2, 'valid'), x, [1, 2, 2, 4], Float32Array.of(1, 2, 3, 4))
    expect([...got]).toEqual([1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  }
})

it('finds the maximum of a window of negative values', async () => {
  await tf.setBackend('wasm')
  const x = Float32Array.of(-4, -3, -2, -1)
  const got = gradient((image) => tf.maxPool(image, 2, 2, 'valid'), x, [1, 2, 2, 1], Float32Array.of(5))
  expect([...got]).toEqual([0, 0, 0, 5])
})
