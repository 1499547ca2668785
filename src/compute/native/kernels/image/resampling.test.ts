import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { randomCases, randomValues } from '../../../kernels/testing/random.ts'
import { registerJsKernels } from '../../../kernels/index.ts'
import { expectSame, startForTests } from '../../testing/compare.ts'

beforeAll(async () => {
  registerJsKernels()
  await startForTests()
})

const tensor = (shape: readonly number[], seed: number): tf.Tensor4D =>
  tf.tensor4d(randomValues(shape, seed), [shape[0] ?? 1, shape[1] ?? 1, shape[2] ?? 1, shape[3] ?? 1])

/** The operation and its gradient. */
function withGradient(operation: (x: tf.Tensor4D) => tf.Tensor, x: tf.Tensor4D): tf.Tensor[] {
  const y = operation(x)
  return [y, tf.grad((a: tf.Tensor) => operation(tf.reshape(a, x.shape)))(x, tensor(y.shape, 3))]
}

describe('pooling', () => {
  const cases = randomCases(30, 81, ({ whole, of }) => {
    const size: [number, number] = of([
      [2, 2],
      [2, 2],
      [3, 3],
      [1, 1],
      [2, 3],
      [3, 1],
    ])
    const strides: [number, number] = of([size, size, [1, 1], [2, 2], [2, 1]])
    const pad = of<'same' | 'valid'>(['same', 'valid'])
    const shape = [whole(1, 3), size[0] + whole(0, 7), size[1] + whole(0, 7), of([1, 2, 5, 16, 17])]
    return { size, strides, pad, shape }
  })

  it.each(cases)('as on the js backend %s', async (_, { size, strides, pad, shape }) => {
    await expectSame(() => withGradient((x) => tf.maxPool(x, size, strides, pad), tensor(shape, 1)))
    await expectSame(() => withGradient((x) => tf.avgPool(x, size, strides, pad), tensor(shape, 1)))
  })

  it('gives a tie to the first pixel in row order', async () => {
    await tf.setBackend('native')
    const [gradient, overlapping] = tf.tidy(() => {
      const x = tf.tensor4d([1, 3, 5, 5, 3, 3, 5, 5, 0, 0, -1, -1, 0, 0, -1, -2], [1, 4, 4, 1])
      const by = (strides: number) =>
        tf.grad((a: tf.Tensor) => tf.maxPool(tf.reshape<tf.Rank.R4>(a, x.shape), 2, strides, 'valid'))(
          x,
          tf.ones([1, 2, 2, 1]),
        )
      return [
        by(2),
        tf.grad((a: tf.Tensor) => tf.maxPool(tf.reshape<tf.Rank.R4>(a, x.shape), 3, 1, 'valid'))(
          x,
          tf.ones([1, 2, 2, 1]),
        ),
      ]
    })
    expect([...(await gradient.data())]).toEqual([0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0])
    expect([...(await overlapping.data())]).toEqual([0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    tf.dispose([gradient, overlapping])
  })
})

describe('resizing', () => {
  const cases = randomCases(24, 82, ({ whole, of }) => {
    const from: [number, number] = [whole(1, 7), whole(1, 7)]
    const times = whole(2, 3)
    const to: [number, number] = of([
      [from[0] * 2, from[1] * 2],
      [from[0] * times, from[1]],
      [whole(1, 9), whole(1, 9)],
    ])
    const flags = of<[false, boolean] | [true, false]>([
      [false, false],
      [true, false],
      [false, true],
    ])
    return { shape: [whole(1, 2), ...from, of([1, 3, 16])], to, flags }
  })

  it.each(cases)('as on the js backend %s', async (_, { shape, to, flags }) => {
    await expectSame(() => withGradient((x) => tf.image.resizeNearestNeighbor(x, to, ...flags), tensor(shape, 1)))
    await expectSame(() => withGradient((x) => tf.image.resizeBilinear(x, to, ...flags), tensor(shape, 1)))
  })
})
