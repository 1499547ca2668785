import * as tf from '@tensorflow/tfjs-core'
import { CodedError } from '../../../core/contract/errors.ts'
import { diceLoss, tverskyLosses } from './overlap.ts'
import { sceneOf, weightedMean } from './scene.ts'
import type { LossSettings } from '../../../core/contract/recipes.ts'
import type { Scene } from './scene.ts'

/**
 * Logits [n, h, w, c], classes int32 [n, h, w] and pixel weights [n, h, w] (null: all 1) to a scalar. Classes as in
 * NetworkSlice: 0 background or none, c > 0 the c-th label, 255 teaches nothing. Composed of operations whose gradients by
 * the logits every backend has; call it inside of tf.tidy or of a gradient.
 */
export type RecipeLoss = (logits: tf.Tensor, classes: tf.Tensor, weights: tf.Tensor | null) => tf.Scalar

/** Keeps powers of what is nearly 0 from gradients without bound. */
const LEAST = 1e-6

/**
 * The loss that a recipe's settings name; docs/models.md has the formulas. Weights count in all of them that are means over
 * pixels: the cross-entropies, the focal loss and the squared error, each a mean by the weights. Overlaps (Dice, Tversky)
 * are of labels alone, not of background, and know no weights.
 * Throws CodedError('bad-request') where loss and output do not go together.
 */
export function recipeLoss(settings: LossSettings): RecipeLoss {
  const { kind, output, gamma } = settings
  if (output === 'relu' && NEEDS_PROBABILITIES.has(kind)) {
    throw new CodedError('bad-request', `The loss ${kind} needs probabilities: choose the output softmax or sigmoid.`)
  }
  if (kind === 'focal-tversky' && gamma < 1) {
    throw new CodedError('bad-request', 'The loss focal-tversky needs a gamma of 1 or more.')
  }
  return (logits, classes, weights) =>
    tf.reshape<tf.Rank.R0>(value(settings, sceneOf(output, logits, classes, weights)), [])
}

const NEEDS_PROBABILITIES: ReadonlySet<LossSettings['kind']> = new Set([
  'cross-entropy',
  'dice-cross-entropy',
  'picture-dice-cross-entropy',
  'focal',
])

function value({ kind, crossEntropy, alpha, beta, gamma }: LossSettings, scene: Scene): tf.Tensor {
  const withCrossEntropy = (overlap: tf.Tensor): tf.Tensor =>
    tf.add(tf.mul(weightedMean(surpriseOf(scene), scene), crossEntropy), overlap)
  switch (kind) {
    case 'cross-entropy':
      return weightedMean(surpriseOf(scene), scene)
    case 'dice':
      return diceLoss(scene, 'picture')
    case 'batch-dice':
      return diceLoss(scene, 'batch')
    case 'dice-cross-entropy':
      return withCrossEntropy(diceLoss(scene, 'batch'))
    case 'picture-dice-cross-entropy':
      return withCrossEntropy(diceLoss(scene, 'picture'))
    case 'tversky':
      return tf.mean(tverskyLosses(scene, alpha, beta))
    case 'focal':
      return weightedMean(focal(scene, gamma), scene)
    case 'focal-tversky':
      // Abraham and Khan, arXiv 1810.07842.
      return tf.mean(tf.pow(tf.maximum(tverskyLosses(scene, alpha, beta), LEAST), 1 / gamma))
    case 'mean-squared-error':
      return weightedMean(tf.square(tf.sub(scene.values, scene.truth)), scene)
  }
}

function surpriseOf({ surprise }: Scene): tf.Tensor {
  if (surprise === null) throw new Error('Values cut at 0 have no cross-entropy.')
  return surprise
}

/** (1 - q)^gamma times the cross-entropy, q the probability given to what is true (Lin et al., arXiv 1708.02002). */
function focal(scene: Scene, gamma: number): tf.Tensor {
  const { truth, values, firstLabel } = scene
  const surprise = surpriseOf(scene)
  if (gamma === 0) return surprise
  const missed = firstLabel === 1 ? tf.sub(1, tf.sum(tf.mul(truth, values), 3, true)) : tf.abs(tf.sub(truth, values))
  return tf.mul(tf.pow(tf.maximum(missed, LEAST), gamma), surprise)
}
