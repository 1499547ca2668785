import * as tf from '@tensorflow/tfjs-core'
import { hasKernel } from '../kernels/available.ts'
import { SEGMENTATION_LOSS } from '../kernels/index.ts'
import { isTensor } from '../runtime/tensors.ts'

export interface LossAndGradient {
  /** A scalar. */
  readonly loss: tf.Tensor
  /** d loss / d logits, of the logits' shape. */
  readonly gradient: tf.Tensor
}

/** Keeps soft Dice defined, and calm, where a label has few pixels. */
const SMOOTH = 1

/**
 * The loss of segmentation as an operation with a gradient by the logits: class-weighted softmax cross-entropy plus soft
 * Dice, as kernels/segmentationLossLoops.ts defines it. `logits` is [..., c], `classes` int32 with one class a pixel in
 * the same order; a class that is none of the c (IGNORED) counts for nothing. The same on every backend: by the kernel
 * where there is one, composed of operations elsewhere. Nothing is read back.
 */
export function segmentationLoss(logits: tf.Tensor, classes: tf.Tensor): tf.Tensor {
  const operation = tf.customGrad((x, save) => {
    if (!isTensor(x) || typeof save !== 'function') throw new Error('The loss takes the logits.')
    const { loss, gradient } = hasKernel(SEGMENTATION_LOSS) ? fusedLoss(x, classes) : composedLoss(x, classes)
    save([gradient])
    return {
      value: loss,
      gradFunc: (dy: unknown, saved: tf.Tensor[]) => {
        const outer: unknown = Array.isArray(dy) ? dy[0] : dy
        const [kept] = saved
        if (!isTensor(outer) || kept === undefined) throw new Error('The loss has one output.')
        return tf.mul(outer, kept)
      },
    }
  })
  return operation(logits)
}

function fusedLoss(logits: tf.Tensor, classes: tf.Tensor): LossAndGradient {
  const [loss, gradient] = tf.engine().runKernel<tf.Tensor[]>(SEGMENTATION_LOSS, { logits, classes })
  if (loss === undefined || gradient === undefined) throw new Error('The kernel has two outputs.')
  return { loss, gradient }
}

/** The same numbers as the kernel's, of operations that every backend has; about thirty passes over the logits. */
export function composedLoss(logits: tf.Tensor, classes: tf.Tensor): LossAndGradient {
  const count = logits.shape.at(-1) ?? 1
  const rows = tf.reshape(logits, [-1, count])
  const truth = tf.cast(tf.oneHot(tf.reshape(classes, [-1]), count), 'float32')
  const counted = tf.sum(truth, 1, true)

  const shifted = tf.sub(rows, tf.max(rows, 1, true))
  const powers = tf.exp(shifted)
  const sums = tf.sum(powers, 1, true)
  const probabilities = tf.mul(tf.div(powers, sums), counted)
  const surprise = tf.mul(truth, tf.sub(tf.log(sums), shifted))

  const counts = tf.sum(truth, 0)
  const occurs = tf.step(counts)
  const roots = tf.sqrt(counts)
  const weights = tf.div(occurs, tf.maximum(tf.mul(roots, tf.sum(roots)), 1))
  const crossEntropy = tf.sum(tf.mul(weights, tf.sum(surprise, 0)))

  const isLabel = tf.concat([tf.zeros([1]), tf.ones([count - 1])])
  const labels = tf.mul(occurs, isLabel)
  const labelCount = tf.sum(labels)
  const share = tf.div(labels, tf.maximum(labelCount, 1))
  const overlap = tf.sum(tf.mul(probabilities, truth), 0)
  const denominator = tf.add(tf.add(tf.sum(probabilities, 0), counts), SMOOTH)
  const dice = tf.div(tf.add(tf.mul(overlap, 2), SMOOTH), denominator)
  const diceLoss = tf.sub(tf.minimum(labelCount, 1), tf.sum(tf.mul(dice, share)))

  // d loss / d p by way of Dice: ofHit at the class's own pixels and ofMiss elsewhere, which differ by -2 / denominator.
  const ofMiss = tf.div(tf.mul(dice, share), denominator)
  const hitLess = tf.div(tf.mul(share, 2), denominator)
  const byProbability = tf.mul(probabilities, tf.sub(ofMiss, tf.mul(truth, hitLess)))
  const ofDice = tf.sub(byProbability, tf.mul(probabilities, tf.sum(byProbability, 1, true)))
  const pixelWeights = tf.sum(tf.mul(truth, weights), 1, true)
  const gradient = tf.add(ofDice, tf.mul(tf.sub(probabilities, truth), pixelWeights))
  return { loss: tf.add(crossEntropy, diceLoss), gradient: tf.reshape(gradient, logits.shape) }
}
