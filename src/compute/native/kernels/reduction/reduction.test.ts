import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, it } from 'vitest'
import { randomCases } from '../../../kernels/testing/random.ts'
import { expectSame, startForTests } from '../../testing/compare.ts'
import { randomShape, randomTensor } from '../testing/images.ts'

beforeAll(startForTests)

type Reduce = (x: tf.Tensor, axes: number[] | undefined, keep: boolean) => tf.Tensor

const operations: Record<string, Reduce> = {
  sum: tf.sum,
  mean: tf.mean,
  max: tf.max,
  min: tf.min,
  prod: tf.prod,
  all: (x, axes, keep) => tf.all(tf.greater(x, -0.8), axes, keep),
  any: (x, axes, keep) => tf.any(tf.greater(x, 0.8), axes, keep),
  variance: (x, axes, keep) => tf.moments(x, axes, keep).variance,
  logSumExp: (x, axes, keep) => tf.logSumExp(x, axes, keep),
}

const cases = randomCases(12, 5, (choice) => {
  const shape = randomShape(choice, choice.whole(0, 5))
  const axes = shape.map((_, axis) => axis).filter(() => choice.whole(0, 1) === 1)
  return {
    shape,
    axes: choice.of([axes, axes, axes.map((axis) => axis - shape.length), undefined]),
    keep: choice.of([true, false]),
  }
})
const images = [[1, 2], [0, 1, 2], [3], [0], [1], [2], [0, 3], [2, 3], [0, 1, 2, 3]].flatMap((axes) =>
  [true, false].map((keep) => ['image', { shape: [2, 3, 5, 4], axes, keep }] as const),
)

describe('reductions', () => {
  it.each(Object.entries(operations))('%s', async (_, operation) => {
    for (const [, { shape, axes, keep }] of [...cases, ...images]) {
      await expectSame(() => operation(randomTensor(shape, 1, { image: true }), axes, keep))
    }
  })

  it('argMax and argMin, the first of equal ones', async () => {
    for (const axis of [0, 1, 2, 3, -1]) {
      const x = () => tf.round(tf.mul(randomTensor([3, 5, 2, 4], 9, { image: true }), 2))
      await expectSame(() => tf.argMax(x(), axis))
      await expectSame(() => tf.argMin(x(), axis))
    }
    await expectSame(() => tf.argMax(tf.tensor1d([3, 9, 9, 1], 'int32')))
  })

  it('sums integers and truth values', async () => {
    const x = () => tf.tensor2d([1, -2, 3, 4, 0, 6], [2, 3], 'int32')
    for (const operation of [tf.sum, tf.mean, tf.max, tf.min, tf.prod]) {
      await expectSame(() => operation(x(), 1))
      await expectSame(() => operation(tf.greater(x(), 0), 0))
    }
  })
})
