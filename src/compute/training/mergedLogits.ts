import * as tf from '@tensorflow/tfjs-core'
import { isTensor } from '../runtime/tensors.ts'

/** Below 0, a logit so low that its class has no share in any softmax. */
export const AWAY = 1e4

/**
 * Logits of a network as a person would judge them who knows only some of its classes: in the images of `merged` with more than one
 * class, background stands for all of these together (its logit is the logarithm of the sum of their exponentials), and the others of
 * them are never there. A loss of that teaches what background is without saying which of them it is (Shi et al., Marginal
 * loss and exclusion loss for partially supervised multi-organ segmentation, arXiv 2007.03868).
 *
 * @param logits n x height x width x c.
 * @param merged n x 1 x 1 x c: 1 for background, the first class, and for classes that it may be; 0 for others.
 */
export function mergedLogits(logits: tf.Tensor, merged: tf.Tensor): tf.Tensor {
  const operation = tf.customGrad((x, save) => {
    if (!isTensor(x) || typeof save !== 'function') throw new Error('What is merged are logits.')
    const count = x.shape.at(-1) ?? 1
    const others = tf.sub(1, merged)
    const background = tf.tensor1d(Array.from({ length: count }, (_, c) => (c === 0 ? 1 : 0)))
    const among = tf.sub(x, tf.mul(others, AWAY))
    const top = tf.max(among, -1, true)
    const powers = tf.mul(tf.exp(tf.sub(among, top)), merged)
    const sums = tf.sum(powers, -1, true)
    const together = tf.mul(tf.add(tf.log(sums), top), background)
    const value = tf.sub(tf.add(tf.mul(x, others), together), tf.mul(tf.sub(merged, background), AWAY))
    save([tf.div(powers, sums), others])
    return {
      value,
      gradFunc: (dy: unknown, saved: tf.Tensor[]) => {
        const outer: unknown = Array.isArray(dy) ? dy[0] : dy
        const [shares, kept] = saved
        if (!isTensor(outer) || shares === undefined || kept === undefined) throw new Error('There is one output.')
        const ofBackground = tf.slice(outer, [0, 0, 0, 0], [-1, -1, -1, 1])
        return tf.add(tf.mul(outer, kept), tf.mul(ofBackground, shares))
      },
    }
  })
  return operation(logits)
}
