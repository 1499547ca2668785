import { isVariable } from '../runtime/tensors.ts'
import { createAdam } from './adam.ts'
import { createMomentum } from './momentum.ts'
import type * as tf from '@tensorflow/tfjs-core'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { OptimizerSettings } from '../../core/contract/recipes.ts'
import type { Optimizer } from './optimizer.ts'

/**
 * The optimizer of a recipe for all weights of a network. Its snapshots are of the trainable weights in the network's order,
 * then of the moving statistics.
 */
export function createRecipeOptimizer(
  { kind, momentum, decay, clip }: OptimizerSettings,
  network: LayersModel,
): Optimizer {
  const variables = variablesOf(network.trainableWeights)
  const options = { kept: variablesOf(network.nonTrainableWeights), clip }
  switch (kind) {
    case 'sgd':
      return createMomentum(variables, { ...options, momentum })
    case 'adam':
      return createAdam(variables, options)
    case 'adamw':
      return createAdam(variables, { ...options, decay })
  }
}

function variablesOf(weights: LayersModel['weights']): tf.Variable[] {
  return weights.map((weight) => weight.read()).filter(isVariable)
}
