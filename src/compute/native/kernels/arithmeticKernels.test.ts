import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, it } from 'vitest'
import { randomCases } from '../../kernels/testing/random.ts'
import { expectSame, startForTests } from '../testing/compare.ts'
import { randomShape, randomTensor } from './testing/images.ts'

beforeAll(startForTests)

const shapes = randomCases(8, 21, (choice) => randomShape(choice, choice.whole(1, 4)))

describe('softmax', () => {
  it.each(shapes)('%s', async (_, shape) => {
    const logits = () => randomTensor(shape, 1, { image: true, scale: 8 })
    await expectSame(() => tf.softmax(logits()))
    await expectSame(() => tf.logSoftmax(logits()))
  })
})

describe('batch normalization by given statistics', () => {
  const parameters = (shape: number[]) =>
    [
      randomTensor(shape, 2),
      tf.add(tf.abs(randomTensor(shape, 3)), 0.1),
      randomTensor(shape, 4),
      randomTensor(shape, 5),
    ] as const
  it.each([
    [[2, 3, 5, 4], [4]],
    [[1, 1, 1, 1], [1]],
    [
      [2, 3, 5, 4],
      [2, 3, 5, 4],
    ],
    [[3, 4], [4]],
    [[2, 3, 4], [4]],
  ])('%j by %j', async (shape, of) => {
    for (const image of [false, true]) {
      const x = () => randomTensor(shape, 1, { image })
      await expectSame(() => {
        const [mean, variance, offset, scale] = parameters(of)
        return [
          tf.batchNorm(x(), mean, variance, offset, scale, 0.01),
          tf.batchNorm(x(), mean, variance),
          tf.batchNorm(x(), mean, variance, undefined, scale),
          tf.batchNorm(x(), mean, variance, offset),
        ]
      })
    }
  })
})

describe('sums', () => {
  it.each(shapes)('of several tensors %s', async (_, shape) => {
    await expectSame(() => tf.addN([1, 2, 3].map((seed) => randomTensor(shape, seed, { image: seed === 2 }))))
  })

  it.each(shapes)('up to each element %s', async (_, shape) => {
    for (const [exclusive, reverse] of [
      [true, false],
      [false, true],
      [true, true],
      [false, false],
    ] as const) {
      await expectSame(() => tf.cumsum(randomTensor(shape, 1, { image: true }), shape.length - 1, exclusive, reverse))
      await expectSame(() => tf.cumsum(randomTensor(shape, 1, { image: true }), 0, exclusive, reverse))
    }
  })
})

describe('select', () => {
  it.each(shapes)('%s', async (_, shape) => {
    const a = () => randomTensor(shape, 1, { image: true })
    const b = () => randomTensor(shape, 2)
    await expectSame(() => tf.where(tf.greater(a(), b()), a(), b()))
    await expectSame(() => tf.where(tf.greater(a(), b()), tf.greater(a(), 0), tf.less(b(), 0)))
    await expectSame(() => tf.where(tf.greater(a(), b()), tf.cast(tf.mul(a(), 9), 'int32'), b()))
  })
})

describe('casts', () => {
  it.each(shapes)('%s', async (_, shape) => {
    const x = () => randomTensor(shape, 1, { image: true, scale: 3 })
    for (const first of ['int32', 'bool', 'float32'] as const) {
      for (const second of ['int32', 'bool', 'float32'] as const) {
        await expectSame(() => tf.cast(tf.cast(x(), first), second))
      }
    }
  })
})
