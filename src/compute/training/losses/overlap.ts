import * as tf from '@tensorflow/tfjs-core'
import type { Scene } from './scene.ts'

/** Keeps overlaps defined, and calm, where a label has few pixels. */
const SMOOTH = 1

/** Sums over pixels, of each label, of each picture ([n, labels]) or of the batch ([1, labels]). */
interface Sums {
  readonly both: tf.Tensor
  readonly predicted: tf.Tensor
  readonly truth: tf.Tensor
}

function sumsOf({ truth, counted, values, firstLabel }: Scene, over: 'picture' | 'batch'): Sums {
  const [n = 1, h = 1, w = 1, channels = 1] = truth.shape
  const shape = over === 'picture' ? [n, h * w, channels] : [1, n * h * w, channels]
  const sum = (x: tf.Tensor): tf.Tensor => {
    const all = tf.sum(tf.reshape(x, shape), 1)
    return tf.slice(all, [0, firstLabel], [-1, channels - firstLabel])
  }
  // Values of networks whose output is cut at 0 alone may exceed 1, which is more than certain.
  const bounded = tf.minimum(values, 1)
  return { both: sum(tf.mul(truth, bounded)), predicted: sum(tf.mul(counted, bounded)), truth: sum(truth) }
}

/**
 * Soft Dice (Milletari et al., arXiv 1606.04797, with plain sums as denominator): the mean over the labels, and over the
 * pictures unless their sums are taken together, of 1 - (2 sum p t + 1) / (sum p + sum t + 1).
 */
export function diceLoss(scene: Scene, over: 'picture' | 'batch'): tf.Tensor {
  const { both, predicted, truth } = sumsOf(scene, over)
  const dice = tf.div(tf.add(tf.mul(both, 2), SMOOTH), tf.add(tf.add(predicted, truth), SMOOTH))
  return tf.sub(1, tf.mean(dice))
}

/**
 * Of each label over the batch, 1 - T with T = (TP + 1) / (TP + alpha FP + beta FN + 1) (Salehi et al., arXiv 1706.05721);
 * [1, labels], 0 to 1.
 */
export function tverskyLosses(scene: Scene, alpha: number, beta: number): tf.Tensor {
  const { both, predicted, truth } = sumsOf(scene, 'batch')
  const wrong = tf.add(tf.mul(tf.sub(predicted, both), alpha), tf.mul(tf.sub(truth, both), beta))
  return tf.div(wrong, tf.add(tf.add(both, wrong), SMOOTH))
}
