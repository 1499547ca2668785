import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '../data/random.ts'
import { startWasm } from '../runtime/wasm.ts'
import { ADAM_UPDATE, MOMENTUM_UPDATE, PULL_UPDATE, registerJsKernels, SQUARE_SUM } from './index.ts'

function values(size: number, seed: number): Float32Array {
  const random = createRandom(seed)
  return Float32Array.from({ length: size }, () => 2 * random() - 1)
}

function expectClose(tensor: tf.Tensor, want: Float64Array): void {
  const got = tensor.dataSync()
  expect(got.length).toBe(want.length)
  want.forEach((value, i) => {
    expect(got[i]).toBeCloseTo(value, 5)
  })
}

function run(name: string, inputs: tf.NamedTensorMap, attrs: tf.NamedAttrMap): void {
  tf.tidy(() => {
    tf.engine().runKernel(name, inputs, attrs)
  })
}

beforeAll(async () => {
  await startWasm(1)
  registerJsKernels()
})

describe.each(['wasm', 'cpu'])('optimizer updates on %s', (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend)
  })

  it.each([1, 3, 4, 7, 1023, 1024, 1026, 3000])('Adam takes the published steps on %i weights', (size) => {
    const tensors = tf.memory().numTensors
    const attrs = { rate: 0.05, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.01 }
    const variable = tf.variable(tf.tensor1d(values(size, 1)))
    const [mean, square, scale] = [tf.zeros([size]), tf.zeros([size]), tf.scalar(0.5)]
    const want = Float64Array.from(values(size, 1))
    const [wantMean, wantSquare] = [new Float64Array(size), new Float64Array(size)]
    for (let step = 0; step < 3; step++) {
      const gradient = tf.tensor1d(values(size, 10 + step))
      run(ADAM_UPDATE, { variable, gradient, mean, square, scale }, attrs)
      gradient.dispose()
      values(size, 10 + step).forEach((value, i) => {
        const g = value * 0.5
        wantMean[i] = 0.9 * (wantMean[i] ?? NaN) + 0.1 * g
        wantSquare[i] = 0.999 * (wantSquare[i] ?? NaN) + 0.001 * g ** 2
        const taken = (0.05 * (wantMean[i] ?? NaN)) / (Math.sqrt(wantSquare[i] ?? NaN) + 1e-8)
        want[i] = 0.99 * (want[i] ?? NaN) - taken
      })
    }
    expectClose(variable, want)
    expectClose(mean, wantMean)
    expectClose(square, wantSquare)
    tf.dispose([variable, mean, square, scale])
    // The tensor that the variable was made from is left.
    expect(tf.memory().numTensors).toBe(tensors + 1)
  })

  it.each([
    [5, false],
    [2050, false],
    [5, true],
    [2050, true],
  ])('momentum takes the published steps on %i weights, Nesterov: %s', (size, nesterov) => {
    const variable = tf.variable(tf.tensor1d(values(size, 1)))
    const [velocity, scale] = [tf.zeros([size]), tf.scalar(2)]
    const want = Float64Array.from(values(size, 1))
    const wantVelocity = new Float64Array(size)
    for (let step = 0; step < 3; step++) {
      const gradient = tf.tensor1d(values(size, 20 + step))
      run(MOMENTUM_UPDATE, { variable, gradient, velocity, scale }, { rate: 0.1, momentum: 0.8, nesterov })
      gradient.dispose()
      values(size, 20 + step).forEach((value, i) => {
        const v = 0.8 * (wantVelocity[i] ?? NaN) + 2 * value
        wantVelocity[i] = v
        want[i] = (want[i] ?? NaN) - 0.1 * (nesterov ? 2 * value + 0.8 * v : v)
      })
    }
    expectClose(variable, want)
    expectClose(velocity, wantVelocity)
    tf.dispose([variable, velocity, scale])
  })

  it.each([1, 6, 1027, 3000])('pulls %i weights towards their anchor', (size) => {
    const [variable, anchor] = [tf.variable(tf.tensor1d(values(size, 1))), tf.tensor1d(values(size, 2))]
    const other = Float64Array.from(values(size, 2))
    const want = Float64Array.from(values(size, 1), (value, i) => 0.75 * value + 0.25 * (other[i] ?? NaN))
    run(PULL_UPDATE, { variable, anchor }, { share: 0.25 })
    expectClose(variable, want)
    expectClose(anchor, other)
    tf.dispose([variable, anchor])
  })

  it.each([1, 2, 6, 1024, 1025, 5001])('adds up %i squares', (size) => {
    const x = tf.tensor1d(values(size, 3))
    const want = values(size, 3).reduce((sum, value) => sum + value * value, 0)
    const got = tf.tidy(() => tf.engine().runKernel<tf.Tensor>(SQUARE_SUM, { x }, {}).dataSync()[0])
    expect((got ?? NaN) / want).toBeCloseTo(1, 5)
    x.dispose()
  })

  // Of a depthwise convolution, and of one with this activation, XNNPACK keeps the packed weights.
  it.each<[name: string, operation: (x: tf.Tensor4D, filter: tf.Tensor4D, bias: tf.Tensor1D) => tf.Tensor]>([
    ['our convolution', (x, filter) => tf.conv2d(x, filter, 1, 'same')],
    ['depthwise convolution', (x, filter) => tf.depthwiseConv2d(x, filter, 1, 'same')],
    [
      'convolution with bias and activation',
      (x, filter, bias) =>
        tf.fused.conv2d({ x, filter, bias, strides: 1, pad: 'same', activation: 'leakyrelu', leakyreluAlpha: 0.2 }),
    ],
  ])('is seen by what ran with the weights before: %s', (_, operation) => {
    const shape: [number, number, number, number] = [3, 3, 4, 1]
    const filter = tf.variable(tf.tensor4d(values(36, 1), shape))
    const bias = tf.variable(tf.tensor1d([1]))
    const x = tf.tensor4d(values(2 * 6 * 6 * 4, 2), [2, 6, 6, 4])
    const step = (variable: tf.Variable) => {
      const [velocity, gradient, scale] = [tf.zerosLike(variable), tf.onesLike(variable), tf.scalar(1)]
      run(MOMENTUM_UPDATE, { variable, gradient, velocity, scale }, { rate: 1, momentum: 0, nesterov: false })
      tf.dispose([velocity, gradient, scale])
    }
    const now = () => tf.tidy(() => operation(x, filter, bias).dataSync().slice())
    const anew = () =>
      tf.tidy(() =>
        operation(x, tf.tensor4d(filter.dataSync().slice(), shape), tf.tensor1d(bias.dataSync())).dataSync(),
      )
    let before = now()
    for (const variable of [filter, bias]) {
      step(variable)
      expect(now()).toEqual(anew())
      if (variable === filter) expect(now()).not.toEqual(before)
      before = now()
    }
    tf.dispose([filter, bias, x])
  })
})
