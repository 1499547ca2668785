import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { expectSame, startForTests } from '../../testing/compare.ts'
import { all, pick, sample } from './testing/samples.ts'

beforeAll(startForTests)

const indices = () => tf.tensor1d([1, 0, 1, 1], 'int32')

/** Operations that are linear in x, and made for each case. What TensorFlow.js cannot differentiate is left out. */
const operations: [name: string, (picks: readonly number[]) => (x: tf.Tensor) => tf.Tensor][] = [
  ['concat', (picks) => (x) => tf.concat([x, tf.mul(x, 2)], pick(picks, 0, x.rank))],
  ['slice', (picks) => (x) => tf.slice(x, pick(picks, 0, x.shape.at(0) ?? 1))],
  ['pad', (picks) => (x) => (x.rank > 4 ? x : tf.pad(x, around(x, picks)))],
  ['transpose', (picks) => (x) => tf.transpose(x, turned(x.rank, pick(picks, 0, x.rank)))],
  [
    'tile',
    (picks) => (x) =>
      x.rank > 4
        ? x
        : tf.tile(
            x,
            around(x, picks).map(([before]) => before + 1),
          ),
  ],
  ['reverse', (picks) => (x) => tf.reverse(x, pick(picks, 0, x.rank))],
  ['split', (picks) => (x) => parts(x, picks, (axis, extent) => tf.split(x, extent, axis))],
  ['stack', (picks) => (x) => tf.stack([x, tf.mul(x, -3)], pick(picks, 0, x.rank))],
  ['unstack', (picks) => (x) => parts(x, picks, (axis) => tf.unstack(x, axis))],
  ['reshape', () => (x) => tf.reshape(x, [-1, x.shape.at(-1) ?? 1])],
  ['expandDims', (picks) => (x) => tf.expandDims(x, pick(picks, 0, x.rank))],
  [
    'broadcastTo',
    (picks) => (x) => (x.rank > 3 ? x : tf.broadcastTo(tf.expandDims(x, 0), [1 + pick(picks, 0, 3), ...x.shape])),
  ],
  ['gather', (picks) => (x) => (x.shape[0] === 1 ? x : tf.gather(x, indices(), pick(picks, 0, 1)))],
]

function around(x: tf.Tensor, picks: readonly number[]): [number, number][] {
  return x.shape.map((_, axis) => [pick(picks, axis, 3), pick(picks, axis + 4, 3)])
}

function turned(rank: number, by: number): number[] {
  return Array.from({ length: rank }, (_, axis) => (axis + by) % rank)
}

function parts(
  x: tf.Tensor,
  picks: readonly number[],
  apart: (axis: number, extent: number) => tf.Tensor[],
): tf.Tensor {
  const axis = pick(picks, 0, x.rank)
  const extent = x.shape[axis] ?? 1
  return extent === 1 ? x : tf.addN(apart(axis, extent).map((part, index) => tf.mul(part, index + 1)))
}

describe.each(operations)('the gradient of %s', (_, make) => {
  const cases = all(31, 3)

  it.each(cases)('is the transposed operation for %s', async (_, { shape, turned: channelsFirst, picks }) => {
    const operation = (x: tf.Tensor) => make(picks)(tf.mul(x, 1))
    await tf.setBackend('native')
    // w . A x = x . A'w for every x and w.
    const products = tf.tidy(() => {
      const x = sample(shape, 'float32', 1, channelsFirst)
      const y = operation(x)
      const w = sample(y.shape, 'float32', 2, channelsFirst)
      return tf.stack([tf.sum(tf.mul(y, w)), tf.sum(tf.mul(tf.grad(operation)(x, w), x))])
    })
    const [product = NaN, transposed = NaN] = await products.data()
    expect(Math.abs(product - transposed)).toBeLessThan(1e-5 * (1 + Math.abs(product)))
    products.dispose()
  })

  it.each(cases)('is that of the js backend for %s', async (_, { shape, turned: channelsFirst, picks }) => {
    const operation = (x: tf.Tensor) => make(picks)(tf.mul(x, 1))
    const loss = (x: tf.Tensor) => tf.sum(tf.square(operation(x)))
    await expectSame(() => tf.grad(loss)(sample(shape, 'float32', 1, channelsFirst)))
  })
})
