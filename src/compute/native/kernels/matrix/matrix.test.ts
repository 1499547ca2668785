import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, it } from 'vitest'
import { randomCases } from '../../../kernels/testing/random.ts'
import { expectSame, startForTests } from '../../testing/compare.ts'
import { randomTensor } from '../testing/images.ts'

beforeAll(startForTests)

const cases = randomCases(16, 11, (choice) => {
  const batch = choice.of([[], [1], [3], [2, 3]])
  const [rows, inner, columns] = [choice.of([1, 2, 5]), choice.of([1, 3, 7]), choice.of([1, 4, 5])]
  const [turnA, turnB] = [choice.of([true, false]), choice.of([true, false])]
  const other = choice.of([batch, batch.map(() => 1)])
  const a = [...batch, ...(turnA ? [inner, rows] : [rows, inner])]
  const b = [...other, ...(turnB ? [columns, inner] : [inner, columns])]
  return { a, b, turnA, turnB }
})

describe('matrix products', () => {
  it.each(cases)('%s', async (_, { a, b, turnA, turnB }) => {
    await expectSame(() => tf.matMul(randomTensor(a, 1), randomTensor(b, 2), turnA, turnB))
  })

  it('of integers', async () => {
    await expectSame(() => tf.matMul(tf.tensor2d([1, 2, 3, 4], [2, 2], 'int32'), tf.tensor2d([5, 6], [2, 1], 'int32')))
  })

  it('of truth values', async () => {
    const values = () => tf.tensor2d([1, 0, 0, 0], [2, 2], 'bool')
    await expectSame(() => tf.matMul(values(), values(), false, true))
  })

  it('of nothing', async () => {
    await expectSame(() => tf.matMul(tf.zeros([2, 3, 0]), tf.zeros([2, 0, 4])))
    await expectSame(() => tf.matMul(tf.zeros([0, 3]), tf.zeros([0, 4]), true))
  })

  it.each(['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const)(
    'fused: %s',
    async (activation) => {
      for (const transposeB of [true, false]) {
        await expectSame(() =>
          tf.fused.matMul({
            a: randomTensor([5, 3], 1, { scale: 3 }),
            b: randomTensor(transposeB ? [4, 3] : [3, 4], 2),
            transposeB,
            bias: randomTensor([4], 3),
            activation,
            preluActivationWeights: randomTensor([4], 4),
            leakyreluAlpha: 0.3,
          }),
        )
      }
    },
  )
})
