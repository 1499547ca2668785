import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { beforeAll, describe, expect, it } from 'vitest'
import { startWasm } from '../runtime/wasm.ts'
import { BIAS_GRADIENT, RELU_BIAS_GRADIENT } from './index.ts'
import { randomCases, randomValues } from './testing/random.ts'

type Shape4 = [number, number, number, number]

interface Case {
  readonly shape: Shape4
  readonly filterShape: Shape4
  readonly strides: [number, number]
  readonly dilations: [number, number]
  readonly pad: 'same' | 'valid' | number | tf.backend_util.ExplicitPadding
  readonly activation: 'linear' | 'relu' | 'sigmoid'
}

beforeAll(async () => {
  await startWasm(1)
})

/** What an operation gives on a backend, all values of all outputs in a row. */
async function on(backend: string, operation: () => tf.Tensor | tf.Tensor[]): Promise<Float32Array> {
  await tf.setBackend(backend)
  const before = tf.memory().numTensors
  const result = tf.tidy(() => {
    const outputs = operation()
    return tf.concat((Array.isArray(outputs) ? outputs : [outputs]).map((output) => tf.reshape(output, [-1])))
  })
  const values = Float32Array.from(await result.data())
  result.dispose()
  expect(tf.memory().numTensors).toBe(before)
  return values
}

function expectClose(got: ArrayLike<number>, want: ArrayLike<number>): void {
  expect(got.length).toBe(want.length)
  const scale = Math.max(1, ...Array.from(want, Math.abs))
  const worst = Math.max(0, ...Array.from(want, (value, i) => Math.abs(value - (got[i] ?? NaN))))
  expect(worst / scale).toBeLessThan(1e-5)
}

/** Wide enough that each width of tile occurs, with filters so large that they are read block by block. */
const cases = randomCases(40, 3, (choice): Case => {
  const channels = choice.of([1, 2, 3, 4, 6, 8, 17, 64])
  const dilation = choice.of([1, 1, 2])
  return {
    shape: [choice.whole(1, 3), choice.whole(5, 20), choice.whole(5, 20), channels],
    filterShape: [
      choice.whole(1, 3),
      choice.whole(1, 3),
      channels,
      choice.of([1, 2, 3, 4, 5, 7, 8, 9, 12, 14, 64, 96]),
    ],
    strides: dilation === 1 ? [choice.whole(1, 3), choice.whole(1, 3)] : [1, 1],
    dilations: [dilation, dilation],
    pad: choice.of<Case['pad']>([
      'same',
      'valid',
      1,
      [
        [0, 0],
        [2, 0],
        [1, 3],
        [0, 0],
      ],
    ]),
    activation: choice.of(['linear', 'relu', 'relu', 'sigmoid']),
  }
})

describe('convolution with bias on wasm agrees with the plain loops of the js backend', () => {
  it.each(cases)('%s', async (_, { shape, filterShape, strides, dilations, pad, activation }) => {
    const operation = () =>
      tf.fused.conv2d({
        x: tf.tensor4d(randomValues(shape, 1), shape),
        filter: tf.tensor4d(randomValues(filterShape, 2), filterShape),
        bias: tf.tensor1d(randomValues([filterShape[3]], 3)),
        ...{ strides, dilations, pad, activation },
      })
    expectClose(await on('wasm', operation), await on('cpu', operation))
  })
})

it('keeps what is not a number', async () => {
  const shape: Shape4 = [1, 3, 8, 4]
  const operation = () => {
    const x = tf.tensor4d(randomValues(shape, 1).fill(NaN, 0, 1), shape)
    return tf.fused.conv2d({ x, filter: tf.ones([3, 3, 4, 8]), strides: 1, pad: 'same', activation: 'relu' })
  }
  const values = await on('wasm', operation)
  // The first value is met by the windows of the first two pixels of the first two rows.
  const broken = [...values.keys()].filter((i) => Number.isNaN(values[i]))
  expect(new Set(broken.map((i) => Math.floor(i / 8)))).toEqual(new Set([0, 1, 8, 9]))
})

describe.each([1, 2, 3, 4, 6, 7, 8])('with %i channels, wasm agrees with js', (channels) => {
  const shape: Shape4 = [2, 6, 10, channels]
  const image = () => tf.tensor4d(randomValues(shape, 4), shape)

  it.each<[name: string, operation: () => tf.Tensor]>([
    ['pooling by two', () => tf.maxPool(image(), 2, 2, 'valid')],
    ['pooling by three', () => tf.maxPool(image(), 3, 2, 'same')],
    ['doubling', () => tf.image.resizeNearestNeighbor(image(), [12, 20])],
    ['another size', () => tf.image.resizeNearestNeighbor(image(), [9, 14], false, true)],
  ])('%s', async (_, operation) => {
    expectClose(await on('wasm', operation), await on('cpu', operation))
  })

  it('the gradient of ReLU and bias', async () => {
    const large: Shape4 = [3, 17, 21, channels]
    const y = () => tf.relu(tf.tensor4d(randomValues(large, 5), large))
    const dy = () => tf.tensor4d(randomValues(large, 6), large)
    const run = (name: string, inputs: tf.NamedTensorMap) =>
      tf.engine().runKernel<tf.Tensor | tf.Tensor[]>(name, inputs)
    const masked = () => tf.mul(dy(), tf.step(y()))
    expectClose(
      await on('wasm', () => run(RELU_BIAS_GRADIENT, { y: y(), dy: dy() })),
      await on('cpu', () => [masked(), tf.sum(masked(), [0, 1, 2])]),
    )
    expectClose(
      await on('wasm', () => run(BIAS_GRADIENT, { dy: dy() })),
      await on('cpu', () => tf.sum(dy(), [0, 1, 2])),
    )
  })
})

it('lets a clone share the memory of its tensor until both are disposed', async () => {
  await tf.setBackend('wasm')
  const before = tf.memory().numDataBuffers
  const tensor = tf.tensor1d([1, 2, 3])
  const clone = tensor.clone()
  expect(clone.dataId).toBe(tensor.dataId)
  tensor.dispose()
  expect([...clone.dataSync()]).toEqual([1, 2, 3])
  clone.dispose()
  expect(tf.memory().numDataBuffers).toBe(before)
})
