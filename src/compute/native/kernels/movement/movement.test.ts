import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, it } from 'vitest'
import { expectSame, startForTests } from '../../testing/compare.ts'
import { all, pick, sample } from './testing/samples.ts'

beforeAll(startForTests)

describe('movement of elements, compared with the js backend', () => {
  it.each(all(1))('concatenates %s', async (_, { shape, dtype, turned, picks }) => {
    const axis = pick(picks, 0, shape.length)
    const other = shape.with(axis, 1 + pick(picks, 1, 3))
    await expectSame(() => tf.concat([sample(shape, dtype, 1, turned), sample(other, dtype, 2)], axis))
    await expectSame(() =>
      tf.concat(
        [sample(shape, dtype, 1, turned), sample(other, dtype, 2), sample(shape, dtype, 3)],
        axis - shape.length,
      ),
    )
  })

  it.each(all(3))('cuts out %s', async (_, { shape, dtype, turned, picks }) => {
    const begin = shape.map((extent, axis) => pick(picks, axis, extent))
    const size = shape.map((extent, axis) => 1 + pick(picks, axis + 5, extent - (begin[axis] ?? 0)))
    await expectSame(() => tf.slice(sample(shape, dtype, 1, turned), begin, size))
    await expectSame(() => tf.slice(sample(shape, dtype, 1, turned), begin))
  })

  it.each(all(5))('cuts out with strides %s', async (_, { shape, dtype, turned, picks }) => {
    const strides = shape.map((_extent, axis) => [1, 2, 3, -1, -2][pick(picks, axis, 5)] ?? 1)
    const begin = shape.map((extent, axis) => pick(picks, axis + 3, 2 * extent) - extent)
    const end = shape.map((extent, axis) => pick(picks, axis + 5, 2 * extent + 2) - extent)
    const masks = [pick(picks, 8, 4), pick(picks, 9, 4), 0, 0, strides[0] === 1 ? pick(picks, 10, 2) : 0]
    await expectSame(() => tf.stridedSlice(sample(shape, dtype, 1, turned), begin, end, strides, ...masks))
  })

  it('cuts out with a new axis and an ellipsis', async () => {
    await expectSame(() =>
      tf.stridedSlice(sample([3, 4, 5], 'float32', 1), [0, 0, 1], [0, 0, 4], [1, 1, 1], 0, 0, 2, 1),
    )
  })

  it.each(all(7))('transposes %s', async (_, { shape, dtype, turned, picks }) => {
    const order = shape.map((_extent, axis) => axis).sort((a, b) => pick(picks, a, 1000) - pick(picks, b, 1000))
    await expectSame(() => tf.transpose(sample(shape, dtype, 1, turned), order))
  })

  it.each([[[0, 3, 1, 2]], [[0, 2, 3, 1]]])('passes between the orders by %s', async (order) => {
    await expectSame(() => tf.transpose(sample([2, 3, 4, 5], 'float32', 1, true), order))
    await expectSame(() => tf.transpose(sample([2, 3, 4, 5], 'float32', 1), order))
    await expectSame(() => tf.add(tf.transpose(sample([2, 3, 4, 5], 'float32', 1), order), 1))
  })

  it.each(all(9))('pads %s', async (_, { shape, dtype, turned, picks }) => {
    if (shape.length > 4) return
    const paddings = shape.map((_extent, axis): [number, number] => [pick(picks, axis, 3), pick(picks, axis + 4, 3)])
    await expectSame(() => tf.pad(sample(shape, dtype, 1, turned), paddings))
    await expectSame(() => tf.pad(sample(shape, dtype, 1, turned), paddings, 1))
  })

  it.each(all(11))('repeats and reverses %s', async (_, { shape, dtype, turned, picks }) => {
    await expectSame(() =>
      tf.tile(
        sample(shape, dtype, 1, turned),
        shape.map((_extent, axis) => 1 + pick(picks, axis, 3)),
      ),
    )
    const axes = shape.flatMap((_extent, axis) => (pick(picks, axis, 2) === 0 ? [axis] : []))
    await expectSame(() => tf.reverse(sample(shape, dtype, 1, turned), axes))
  })

  it.each(all(13))('splits, stacks and unstacks %s', async (_, { shape, dtype, turned, picks }) => {
    const axis = pick(picks, 0, shape.length)
    const extent = shape[axis] ?? 1
    await expectSame(() => tf.split(sample(shape, dtype, 1, turned), extent, axis))
    const first = 1 + pick(picks, 1, extent)
    const parts = first === extent ? [extent] : [first, -1]
    await expectSame(() => tf.split(sample(shape, dtype, 1, turned), parts, axis - shape.length))
    await expectSame(() => tf.unstack(sample(shape, dtype, 1, turned), axis))
    const place = pick(picks, 3, shape.length + 1)
    await expectSame(() => tf.stack([sample(shape, dtype, 1, turned), sample(shape, dtype, 2)], place))
    await expectSame(() => tf.stack([sample(shape, dtype, 1, turned)], -1))
  })

  it.each(all(15))('gives another shape to %s', async (_, { shape, dtype, turned, picks }) => {
    const x = () => sample(shape, dtype, 1, turned)
    const place = pick(picks, 0, shape.length)
    await expectSame(() => tf.reshape(x(), [-1]))
    await expectSame(() => tf.reshape(x(), [...shape.slice(0, place), -1, ...shape.slice(place + 2)]))
    await expectSame(() => tf.expandDims(x(), place))
    await expectSame(() => tf.squeeze(x()))
    await expectSame(() => tf.reshape(x(), shape.toReversed()))
  })

  it.each(all(17))('gathers from %s', async (_, { shape, dtype, turned, picks }) => {
    const axis = pick(picks, 0, shape.length)
    const extent = shape[axis] ?? 1
    const indices = [0, 1, 2, 3, 4, 5].map((at) => pick(picks, at, extent))
    await expectSame(() => tf.gather(sample(shape, dtype, 1, turned), tf.tensor(indices, [2, 3], 'int32'), axis))
    await expectSame(() => tf.gather(sample(shape, dtype, 1, turned), tf.scalar(indices[0] ?? 0, 'int32'), axis))
  })

  it('gathers in batches', async () => {
    const indices = () => tf.tensor2d([0, 2, 1, 1], [2, 2], 'int32')
    await expectSame(() => tf.gather(sample([2, 3, 4], 'float32', 1), indices(), 1, 1))
    await expectSame(() => tf.gather(sample([2, 5, 3, 4], 'float32', 1), indices(), 2, 1))
  })

  it.each(all(19))('fills as %s', async (_, { shape, dtype, turned }) => {
    await expectSame(() => tf.zerosLike(sample(shape, dtype, 1, turned)))
    await expectSame(() => tf.onesLike(sample(shape, dtype, 1, turned)))
    await expectSame(() => tf.fill([...shape], 3, dtype === 'bool' ? 'float32' : dtype))
  })

  it('fills large tensors', async () => {
    await expectSame(() => tf.fill([7, 50], -2.5))
    await expectSame(() => tf.onesLike(sample([9, 30], 'bool', 1)))
  })

  it.each(['float32', 'int32', 'bool'] as const)('marks classes as %s', async (dtype) => {
    const classes = (shape: number[]) => sample(shape, 'int32', 5)
    await expectSame(() => tf.oneHot(classes([7]), 4, 1, 0, dtype))
    await expectSame(() => tf.oneHot(classes([2, 3, 4]), 3, 1, 0, dtype))
    await expectSame(() => tf.oneHot(classes([2, 3]), 3, dtype === 'bool' ? 0 : 5, dtype === 'bool' ? 1 : -1, dtype))
    await expectSame(() => tf.oneHot(tf.scalar(2, 'int32'), 3, 1, 0, dtype))
  })

  it('does the same with nothing', async () => {
    await expectSame(() => tf.concat([tf.zeros([0, 3]), sample([2, 3], 'float32', 1)], 0))
    await expectSame(() => tf.concat([tf.zeros([0, 3]), tf.zeros([0, 3])], 0))
    await expectSame(() =>
      tf.pad(tf.concat([tf.zeros([2, 0]), tf.zeros([1, 0])], 0), [
        [0, 0],
        [1, 0],
      ]),
    )
    await expectSame(() => tf.slice(sample([2, 3, 4], 'float32', 1), [0, 3, 1], [2, 0, 3]))
    await expectSame(() => tf.reshape(tf.zeros([0, 3]), [2, 0, 5]))
    await expectSame(() => tf.transpose(tf.zeros([0, 3, 2]), [2, 0, 1]))
    await expectSame(() => tf.add(tf.transpose(tf.slice(sample([2, 3, 1, 1], 'float32', 1), 2), [0, 2, 1, 3]), 1))
    await expectSame(() => {
      const none = tf.slice(sample([1, 3, 1, 2], 'float32', 1), [0, 0, 0, 0], [1, 0, 1, 2])
      return tf.pad(tf.reshape(tf.reshape(none, [1, 0, 1, 1, 2]), [0, 2]), [
        [1, 0],
        [0, 0],
      ])
    })
  })

  it('takes the type of the first of several', async () => {
    await expectSame(() => tf.concat([sample([3], 'float32', 1), sample([3], 'int32', 2)], 0))
    await expectSame(() => tf.concat([sample([3], 'int32', 1), sample([3], 'bool', 2)], 0))
  })
})
