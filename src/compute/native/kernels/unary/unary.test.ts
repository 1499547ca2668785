import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, it } from 'vitest'
import { randomCases } from '../../../kernels/testing/random.ts'
import { expectSame, startForTests } from '../../testing/compare.ts'
import { randomShape, randomTensor } from '../testing/images.ts'

beforeAll(startForTests)

const positive = (x: tf.Tensor) => tf.add(tf.abs(x), 0.01)

/** Each is given values in [-3, 3). */
const operations: Record<string, (x: tf.Tensor) => tf.Tensor> = {
  abs: tf.abs,
  acos: (x) => tf.acos(tf.div(x, 3)),
  acosh: (x) => tf.acosh(tf.add(positive(x), 1)),
  asin: (x) => tf.asin(tf.div(x, 3)),
  asinh: tf.asinh,
  atan: tf.atan,
  atanh: (x) => tf.atanh(tf.div(x, 3.1)),
  ceil: tf.ceil,
  clipByValue: (x) => tf.clipByValue(x, -0.5, 1),
  cos: tf.cos,
  cosh: tf.cosh,
  elu: tf.elu,
  erf: tf.erf,
  exp: tf.exp,
  expm1: (x) => tf.expm1(tf.mul(x, 5)),
  floor: tf.floor,
  isFinite: (x) => tf.isFinite(tf.log(x)),
  isInf: (x) => tf.isInf(tf.div(1, tf.relu(x))),
  isNaN: (x) => tf.isNaN(tf.sqrt(x)),
  leakyRelu: (x) => tf.leakyRelu(x, 0.3),
  log: (x) => tf.log(positive(x)),
  log1p: (x) => tf.log1p(positive(x)),
  logicalNot: (x) => tf.logicalNot(tf.cast(tf.relu(x), 'bool')),
  logSigmoid: tf.logSigmoid,
  neg: tf.neg,
  reciprocal: (x) => tf.reciprocal(positive(x)),
  relu: tf.relu,
  relu6: (x) => tf.relu6(tf.mul(x, 4)),
  round: tf.round,
  rsqrt: (x) => tf.rsqrt(positive(x)),
  selu: tf.selu,
  sigmoid: tf.sigmoid,
  sign: tf.sign,
  sin: tf.sin,
  sinh: tf.sinh,
  softplus: tf.softplus,
  sqrt: (x) => tf.sqrt(positive(x)),
  square: tf.square,
  step: (x) => tf.step(x),
  stepOfAlpha: (x) => tf.step(x, 0.25),
  tan: (x) => tf.tan(tf.div(x, 3)),
  tanh: tf.tanh,
}

describe('operations of one tensor', () => {
  it.each(Object.entries(operations))('%s', async (_, operation) => {
    for (const [, shape] of randomCases(3, 1, (choice) => randomShape(choice, choice.whole(0, 4)))) {
      await expectSame(() => operation(randomTensor(shape, 7, { scale: 3, image: true })), 1e-5)
    }
    await expectSame(() => operation(randomTensor([2, 3, 1, 5], 8, { scale: 3, image: true })))
  })

  it('keeps integers', async () => {
    const integers = () => tf.tensor1d([-3, 0, 4, 7], 'int32')
    for (const operation of [tf.abs, tf.neg, tf.square, tf.relu, tf.relu6, tf.sign, tf.step]) {
      await expectSame(() => operation(integers()))
    }
    await expectSame(() => tf.clipByValue(integers(), -1, 5))
    await expectSame(() => tf.exp(integers()))
    await expectSame(() => tf.leakyRelu(integers(), 0.3))
  })

  it('knows what is no number and what is infinite', async () => {
    const odd = () => tf.tensor1d([NaN, Infinity, -Infinity, 0, -1])
    for (const operation of [
      tf.isNaN,
      tf.isInf,
      tf.isFinite,
      tf.abs,
      tf.neg,
      tf.exp,
      tf.sqrt,
      tf.square,
      tf.relu,
      tf.relu6,
    ]) {
      await expectSame(() => operation(odd()))
    }
  })

  it('is exact near 0', async () => {
    const small = () => tf.tensor1d([1e-9, -1e-9, 1e-6, 0])
    await expectSame(() => tf.mul(tf.log1p(small()), 1e6))
    await expectSame(() => tf.mul(tf.expm1(small()), 1e6))
  })
})
