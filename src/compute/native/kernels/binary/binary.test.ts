import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, it } from 'vitest'
import { randomCases } from '../../../kernels/testing/random.ts'
import { expectSame, startForTests } from '../../testing/compare.ts'
import { broadcastingShape, randomShape, randomTensor } from '../testing/images.ts'

beforeAll(startForTests)

const operations: Record<string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor> = {
  add: tf.add,
  sub: tf.sub,
  mul: tf.mul,
  div: (a, b) => tf.div(a, tf.add(tf.abs(b), 0.1)),
  maximum: tf.maximum,
  minimum: tf.minimum,
  pow: (a, b) => tf.pow(tf.abs(a), b),
  squaredDifference: tf.squaredDifference,
  atan2: (a, b) => tf.atan2(tf.add(tf.round(a), 0), tf.add(tf.round(b), 0)),
  mod: (a, b) => tf.mod(a, tf.add(tf.sign(b), 0.1)),
  floorDiv: (a, b) => tf.floorDiv(tf.mul(a, 10), tf.add(tf.sign(b), 0.1)),
  equal: (a, b) => tf.equal(tf.round(a), tf.round(b)),
  notEqual: (a, b) => tf.notEqual(tf.round(a), tf.round(b)),
  greater: tf.greater,
  greaterEqual: (a, b) => tf.greaterEqual(tf.round(a), tf.round(b)),
  less: tf.less,
  lessEqual: (a, b) => tf.lessEqual(tf.round(a), tf.round(b)),
  logicalAnd: (a, b) => tf.logicalAnd(tf.greater(a, 0), tf.greater(b, 0)),
  logicalOr: (a, b) => tf.logicalOr(tf.greater(a, 0), tf.greater(b, 0)),
  logicalXor: (a, b) => tf.logicalXor(tf.greater(a, 0), tf.greater(b, 0)),
}

const cases = randomCases(6, 3, (choice) => {
  const whole = randomShape(choice, choice.whole(0, 4))
  const part = broadcastingShape(choice, whole)
  return choice.of([[whole, part] as const, [part, whole] as const])
})

describe('operations of two tensors', () => {
  it.each(Object.entries(operations))('%s', async (_, operation) => {
    for (const [, [a, b]] of [
      ...cases,
      ['image', [[2, 3, 5, 4], [4]]] as const,
      [
        'rows',
        [
          [5, 4],
          [2, 3, 5, 4],
        ],
      ] as const,
    ]) {
      for (const image of [false, true]) {
        await expectSame(() =>
          operation(randomTensor(a, 1, { image, scale: 2 }), randomTensor(b, 2, { image, scale: 2 })),
        )
      }
    }
  })

  it('prelu', async () => {
    for (const alpha of [[4], [1, 1, 4], [3, 5, 4]]) {
      await expectSame(() => tf.prelu(randomTensor([2, 3, 5, 4], 1, { image: true }), randomTensor(alpha, 2)))
    }
  })

  it('works on integers and truth values', async () => {
    const a = () => tf.tensor1d([7, -7, 7, -7, 0, 6], 'int32')
    const b = () => tf.tensor1d([3, 3, -3, -3, 5, -2], 'int32')
    for (const operation of [
      tf.add,
      tf.sub,
      tf.mul,
      tf.div,
      tf.floorDiv,
      tf.mod,
      tf.maximum,
      tf.minimum,
      tf.equal,
      tf.less,
    ]) {
      await expectSame(() => operation(a(), b()))
      await expectSame(() => operation(a(), tf.cast(b(), 'float32')))
    }
    await expectSame(() => tf.pow(a(), tf.tensor1d([2, 3, 0, 1, 2, 2], 'int32')))
    await expectSame(() => tf.mul(tf.greater(a(), 0), b()))
    await expectSame(() => tf.greater(tf.greater(a(), 0), tf.greater(b(), 0)))
  })

  it('divides integers by 0 as TensorFlow.js does', async () => {
    const zeros = () => tf.zeros([3], 'int32')
    await expectSame(() => tf.floorDiv(tf.tensor1d([1, -1, 0], 'int32'), zeros()))
    await expectSame(() => tf.mod(tf.tensor1d([1, -1, 0], 'int32'), zeros()))
  })

  it('divides integers whose product would be too large, and the least one by -1', async () => {
    const a = () => tf.tensor1d([50_000, -50_000, 50_000, -65_536, -(2 ** 31), -(2 ** 31), 2 ** 31 - 1], 'int32')
    const b = () => tf.tensor1d([60_000, -60_000, -60_000, 65_537, -1, 7, -1], 'int32')
    await expectSame(() => tf.floorDiv(a(), b()))
    await expectSame(() => tf.mod(tf.slice(a(), 0, 4), tf.slice(b(), 0, 4)))
    await expectSame(() => tf.mod(tf.tensor1d([1e-30, -1e-30]), tf.tensor1d([-3e-30, 3e-30])))
  })

  it('hands on what is no number', async () => {
    const a = () => tf.tensor1d([NaN, 1, NaN, Infinity])
    const b = () => tf.tensor1d([1, NaN, NaN, -Infinity])
    for (const operation of [tf.add, tf.mul, tf.maximum, tf.minimum, tf.equal, tf.notEqual, tf.less, tf.greaterEqual]) {
      await expectSame(() => operation(a(), b()))
    }
  })
})
