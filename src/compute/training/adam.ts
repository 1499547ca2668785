import * as tf from '@tensorflow/tfjs-core'
import { ADAM_UPDATE } from '../kernels/index.ts'
import { createOptimizer } from './optimizer.ts'
import type { Optimizer, OptimizerOptions } from './optimizer.ts'
import type { UpdateRule } from './updateRule.ts'

const BETA1 = 0.9
const BETA2 = 0.999
const EPSILON = 1e-8

/**
 * Adam (Kingma and Ba, arXiv 1412.6980), in the form with the correction of the first steps as part of the rate:
 *   mean = beta1 mean + (1 - beta1) g, square = beta2 square + (1 - beta2) g g,
 *   variable -= rate mean / (sqrt(square) + epsilon), rate = learning rate sqrt(1 - beta2^t) / (1 - beta1^t).
 */
export const ADAM: UpdateRule = {
  kernel: ADAM_UPDATE,
  attrs: { beta1: BETA1, beta2: BETA2, epsilon: EPSILON },
  state: ['mean', 'square'],
  rate: (learningRate, step) => (learningRate * Math.sqrt(1 - BETA2 ** step)) / (1 - BETA1 ** step),
  change(gradient, [oldMean, oldSquare]) {
    if (oldMean === undefined || oldSquare === undefined) throw new Error('Adam keeps two tensors.')
    const mean = tf.add(tf.mul(oldMean, BETA1), tf.mul(gradient, 1 - BETA1))
    const square = tf.add(tf.mul(oldSquare, BETA2), tf.mul(tf.square(gradient), 1 - BETA2))
    return { state: [mean, square], change: tf.div(mean, tf.add(tf.sqrt(square), EPSILON)) }
  },
}

export function createAdam(variables: readonly tf.Variable[], options: OptimizerOptions = {}): Optimizer {
  return createOptimizer(variables, options, ADAM)
}
