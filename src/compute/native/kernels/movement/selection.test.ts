import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { expectSame, startForTests } from '../../testing/compare.ts'
import { all, pick, sample } from './testing/samples.ts'

beforeAll(startForTests)

const int32 = (values: readonly number[], shape: number[]) => tf.tensor([...values], shape, 'int32')

describe('selection and arrangement of elements, compared with the js backend', () => {
  it.each(all(21))('mirrors beyond the edges of %s', async (_, { shape, dtype, turned, picks }) => {
    if (shape.length > 4 || dtype === 'bool') return
    const x = () => sample(shape, dtype, 1, turned)
    const upTo = (most: number) =>
      shape.map((extent, axis): [number, number] => [
        pick(picks, axis, extent + most),
        pick(picks, axis + 4, extent + most),
      ])
    await expectSame(() => tf.mirrorPad(x(), upTo(0), 'reflect'))
    await expectSame(() => tf.mirrorPad(x(), upTo(1), 'symmetric'))
  })

  it('takes and puts slices by their indices', async () => {
    const x = () => sample([3, 4, 5], 'float32', 1)
    await expectSame(() => tf.gatherND(x(), int32([0, 1, 2, 3, 1, 1], [3, 2])))
    await expectSame(() => tf.gatherND(x(), int32([2, 0], [2, 1])))
    await expectSame(() => tf.gatherND(sample([3, 4], 'bool', 1), int32([2, 0, 1, 1], [2, 1, 2])))
    await expectSame(() => tf.scatterND(int32([1, 3, 1], [3, 1]), sample([3, 2], 'float32', 2), [4, 2]))
    await expectSame(() => tf.scatterND(int32([0, 1, 2, 0, 0, 1], [3, 2]), sample([3], 'int32', 2), [3, 2]))
    await expectSame(() => tf.scatterND(int32([0, 1, 2, 0], [2, 2]), sample([2, 3], 'float32', 2), [3, 2, 3]))
    const indices = () => int32([3, 0, 3], [3, 1])
    await expectSame(() =>
      tf.tensorScatterUpdate(sample([4, 2], 'float32', 1), indices(), sample([3, 2], 'float32', 2)),
    )
    await expectSame(() => tf.sparseToDense(int32([1, 3], [2]), tf.tensor1d([2, 5]), [5], -1))
    await expectSame(() => tf.sparseToDense(int32([0, 1, 1, 1], [2, 2]), tf.scalar(4), [2, 3], 0))
  })

  it('sums rows by their segment', async () => {
    await expectSame(() =>
      tf.unsortedSegmentSum(sample([5, 3], 'float32', 1), tf.tensor1d([0, 2, 2, 0, 3], 'int32'), 5),
    )
    await expectSame(() => tf.unsortedSegmentSum(sample([4], 'int32', 1), tf.tensor1d([1, 1, 0, 1], 'int32'), 2))
  })

  it('differentiates gathering', async () => {
    const indices = () => int32([2, 0, 2, 1], [2, 2])
    for (const axis of [0, 1]) {
      await expectSame(() =>
        tf.grad((x) => tf.sum(tf.square(tf.gather(x, indices(), axis))))(sample([3, 3], 'float32', 1)),
      )
    }
  })

  it.each(['float32', 'int32'] as const)('finds the largest of %s', async (dtype) => {
    const results = (tensors: { values: tf.Tensor; indices: tf.Tensor }) => [tensors.values, tensors.indices]
    await expectSame(() => results(tf.topk(sample([3, 7], dtype, 1), 3)))
    await expectSame(() => results(tf.topk(tf.tensor1d([1, 5, 5, 2, 5, 0], dtype), 4)))
  })

  it.each(all(23, 6))('makes images of blocks and back %s', async (_, { shape, dtype, picks }) => {
    if (shape.length !== 4) return
    const [block, last] = [
      [1 + pick(picks, 0, 3), 1 + pick(picks, 1, 3)],
      [pick(picks, 2, 2), pick(picks, 3, 2)],
    ]
    const paddings = block.map((extent, i) => {
      const before = last[i] ?? 0
      return [before, (extent - (((shape[i + 1] ?? 1) + before) % extent)) % extent]
    })
    const spread = () => tf.spaceToBatchND(sample(shape, dtype, 1), block, paddings)
    await expectSame(spread)
    await expectSame(() => tf.batchToSpaceND(spread(), block, paddings))
  })

  it('spreads channels over pixels', async () => {
    await expectSame(() => tf.depthToSpace(tf.tensor4d(sample([2, 3, 2, 8], 'float32', 1).dataSync(), [2, 3, 2, 8]), 2))
    await expectSame(() => tf.depthToSpace(tf.tensor4d(sample([1, 1, 3, 9], 'float32', 1).dataSync(), [1, 1, 3, 9]), 3))
  })

  it('puts values on a diagonal', async () => {
    await expectSame(() => tf.diag(sample([4], 'float32', 1)))
    await expectSame(() => tf.diag(sample([2, 3], 'int32', 1)))
    await expectSame(() => tf.eye(3, 4, [2]))
  })

  it('counts', async () => {
    await expectSame(() => tf.range(0, 5))
    await expectSame(() => tf.range(5, 0))
    await expectSame(() => tf.range(-1, 1, 0.3))
    await expectSame(() => tf.range(9, 2, -3, 'int32'))
    await expectSame(() => tf.range(3, 3))
    await expectSame(() => tf.linspace(-1, 2, 7))
  })

  it.each(['ij,jk->ik', 'bij,bjk->bik', 'ij->ji', 'ij->i'])('sums products by %s', async (equation) => {
    const operands = equation.split('->')[0]?.split(',') ?? []
    const extents: Record<string, number> = { b: 2, i: 3, j: 4, k: 5 }
    await expectSame(() =>
      tf.einsum(
        equation,
        ...operands.map((axes, at) =>
          sample(
            Array.from(axes, (axis) => extents[axis] ?? 1),
            'float32',
            at,
          ),
        ),
      ),
    )
  })

  it('refuses an index that is outside when it computes', async () => {
    await tf.setBackend('native')
    const taken = tf.tidy(() => tf.gather(tf.tensor1d([1, 2]), int32([2], [1])))
    await expect(taken.data()).rejects.toThrow()
    taken.dispose()
  })
})
