import * as tf from '@tensorflow/tfjs-core'
import { MOMENTUM_UPDATE } from '../kernels/index.ts'
import { createOptimizer } from './optimizer.ts'
import type { Optimizer, OptimizerOptions } from './optimizer.ts'
import type { UpdateRule } from './updateRule.ts'

export interface MomentumOptions extends Omit<OptimizerOptions, 'decay'> {
  /** Part of the velocity that stays; 0.9 unless given. */
  readonly momentum?: number
  /** Looks ahead by one step of the velocity; off unless asked for. */
  readonly nesterov?: boolean
}

/**
 * Stochastic gradient descent with momentum (Sutskever et al. 2013, as TensorFlow computes it):
 *   velocity = momentum velocity + g, variable -= rate velocity, or with nesterov rate (g + momentum velocity).
 */
export function momentumRule(momentum: number, nesterov: boolean): UpdateRule {
  return {
    kernel: MOMENTUM_UPDATE,
    attrs: { momentum, nesterov },
    state: ['velocity'],
    rate: (learningRate) => learningRate,
    change(gradient, [old]) {
      if (old === undefined) throw new Error('Momentum keeps one tensor.')
      const velocity = tf.add(tf.mul(old, momentum), gradient)
      return { state: [velocity], change: nesterov ? tf.add(gradient, tf.mul(velocity, momentum)) : velocity }
    },
  }
}

export function createMomentum(
  variables: readonly tf.Variable[],
  { momentum = 0.9, nesterov = false, ...options }: MomentumOptions = {},
): Optimizer {
  return createOptimizer(variables, options, momentumRule(momentum, nesterov))
}
