import * as tf from '@tensorflow/tfjs-core'
import { binaryCrossEntropy, logSoftmax } from './activations.ts'
import type { LossSettings } from '../../../core/contract/recipes.ts'

/** What a network gave and what was wanted, as the losses take it. c: channels of the network. */
export interface Scene {
  /** 1 at the pixel's own class, 0 elsewhere: [n, h, w, c]. Without background where it has no channel. */
  readonly truth: tf.Tensor
  /** 1 where a pixel counts, 0 where it teaches nothing: [n, h, w, 1]. */
  readonly counted: tf.Tensor
  /** The pixel's weight, 0 where it does not count: [n, h, w, 1]. */
  readonly weights: tf.Tensor
  /** What the network gives of each class, 0 to 1, or 0 and more where the output is `relu`: [n, h, w, c]. */
  readonly values: tf.Tensor
  /**
   * Cross-entropy of each pixel, [n, h, w, 1], or, where each channel says yes or no, of each pixel and channel; null where
   * values are no probabilities.
   */
  readonly surprise: tf.Tensor | null
  /** The first channel that is a label: 1 after background, else 0. */
  readonly firstLabel: number
}

/** Logits [n, h, w, c], classes int32 [n, h, w] (0 none or background, then in order, 255 ignored), weights [n, h, w]. */
export function sceneOf(
  output: LossSettings['output'],
  logits: tf.Tensor,
  classes: tf.Tensor,
  weights: tf.Tensor | null,
): Scene {
  const [n = 1, h = 1, w = 1, channels = 1] = logits.shape
  const exclusive = output === 'softmax'
  const count = exclusive ? channels : channels + 1
  const all = tf.cast(tf.oneHot(tf.reshape(classes, [-1]), count), 'float32')
  const counted = tf.reshape(tf.sum(all, 1), [n, h, w, 1])
  const own = exclusive ? all : tf.slice(all, [0, 1], [-1, channels])
  const truth = tf.reshape(own, logits.shape)
  const common = {
    truth,
    counted,
    weights: weights === null ? counted : tf.mul(counted, tf.reshape(weights, [n, h, w, 1])),
    firstLabel: exclusive ? 1 : 0,
  }
  switch (output) {
    case 'softmax': {
      const logs = logSoftmax(logits)
      return { ...common, values: tf.exp(logs), surprise: tf.neg(tf.sum(tf.mul(truth, logs), 3, true)) }
    }
    case 'sigmoid':
      return { ...common, values: tf.sigmoid(logits), surprise: binaryCrossEntropy(logits, truth) }
    case 'relu':
      return { ...common, values: tf.relu(logits), surprise: null }
  }
}

/** The mean of a value of each pixel, or of each pixel and channel, by the weights; 0 where no pixel counts. */
export function weightedMean(values: tf.Tensor, { weights }: Scene): tf.Tensor {
  const sum = tf.sum(tf.mul(values, weights))
  return tf.div(sum, tf.mul(tf.maximum(tf.sum(weights), TINY), values.shape[3] ?? 1))
}

const TINY = 1e-6
