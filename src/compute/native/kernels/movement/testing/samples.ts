import * as tf from '@tensorflow/tfjs-core'
import { randomCases, randomValues } from '../../../../kernels/testing/random.ts'

const EXTENTS = [1, 2, 3, 5] as const
const DTYPES = ['float32', 'int32', 'bool'] as const
type Dtype = (typeof DTYPES)[number]

/** A tensor of any type; `turned` makes it lie channels first on the recorder, as the output of a convolution does. */
export function sample(shape: readonly number[], dtype: Dtype, seed: number, turned = false): tf.Tensor {
  const values = Float32Array.from(randomValues(shape, seed), (value) =>
    dtype === 'bool' ? Number(value > 0) : dtype === 'int32' ? Math.round(9 * value) : value,
  )
  if (!turned || shape.length !== 4) return tf.tensor(values, [...shape], dtype)
  const [n = 1, h = 1, w = 1, c = 1] = shape
  return tf.transpose(tf.tensor(values, [n, c, h, w], dtype), [0, 2, 3, 1])
}

const cases = (seed: number, count: number, leastRank: number, mostRank: number) =>
  randomCases(count, seed, (choice) => ({
    shape: Array.from({ length: choice.whole(leastRank, mostRank) }, (): number => choice.of(EXTENTS)),
    dtype: choice.of(DTYPES),
    turned: choice.of([false, true]),
    picks: Array.from({ length: 12 }, () => choice.whole(0, 1000)),
  }))

/** Random cases, some of them of the shape of images. */
export const all = (seed: number, count = 6) => [...cases(seed, count, 1, 5), ...cases(seed + 1, count, 4, 4)]

/** A number from 0 to `count` - 1 chosen by the case. */
export const pick = (picks: readonly number[], at: number, count: number) => (picks[at % picks.length] ?? 0) % count
