import * as tf from '@tensorflow/tfjs-core'
import { dropoutLayers, dropoutMask, isDropout } from '../models/dropout.ts'
import { forwardOf } from '../models/forward.ts'
import { variableGradients } from '../runtime/gradients.ts'
import { isVariable } from '../runtime/tensors.ts'
import { recipeLoss } from './losses/recipeLoss.ts'
import { optimizerStep } from './optimizerStep.ts'
import { createRecipeOptimizer } from './recipeOptimizer.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { LossSettings, OptimizerSettings } from '../../core/contract/recipes.ts'
import type { RecipeBatch } from '../recipes/types.ts'
import type { Optimizer } from './optimizer.ts'
import type { LossAndGradients } from './optimizerStep.ts'

export interface RecipeStep {
  /** Of all weights: for snapshots, and for the state that a training goes on from. */
  readonly optimizer: Optimizer
  /**
   * One step on a batch at a learning rate. Returns the loss before it; nothing is updated where that is not finite (moving
   * statistics have seen the batch then on backends that compute at once). What is dropped hangs on the seed and on how
   * many steps the optimizer has done.
   */
  step(batch: RecipeBatch, rate: number): Promise<number>
  /** Frees what the steps hold; the network stays the caller's. */
  dispose(): void
}

interface LearningOptions {
  readonly loss: LossSettings
  /** Of the dropout. */
  readonly seed: number
}

/**
 * The steps of a training by a recipe; see optimizerStep for what holds on all backends. Throws CodedError('bad-request') for
 * a loss that does not go with its output.
 */
export function createRecipeStep(
  network: LayersModel,
  { optimizer: settings, ...options }: LearningOptions & { readonly optimizer: OptimizerSettings },
): RecipeStep {
  const learn = recipeSteps(network, options)
  const optimizer = createRecipeOptimizer(settings, network)
  return {
    optimizer,
    step: (batch, rate) => learn(optimizer, batch, rate),
    dispose() {
      optimizer.dispose()
    },
  }
}

/** The same with an optimizer of the caller's, which is then for these steps alone. */
export function recipeSteps(
  network: LayersModel,
  { loss, seed }: LearningOptions,
): (optimizer: Optimizer, batch: RecipeBatch, rate: number) => Promise<number> {
  const lossOf = recipeLoss(loss)
  const variables = network.trainableWeights.map((weight) => weight.read()).filter(isVariable)
  /** Names of the dropout layers, in the order in which their masks come. */
  const names = network.layers.filter(isDropout).map(({ name }) => name)
  const compute: LossAndGradients = ([images, classes, ...more]) => {
    if (images === undefined || classes === undefined) throw new Error('A step takes images and classes.')
    const masks = new Map<string, tf.Tensor>()
    names.forEach((name, index) => {
      const mask = more[index]
      if (mask !== undefined) masks.set(name, mask)
    })
    const forward = forwardOf(network)
    return variableGradients(() => lossOf(forward(images, true, masks), classes, more[names.length] ?? null), variables)
  }
  return (optimizer, batch, rate) =>
    optimizerStep(
      optimizer,
      compute,
      () => {
        const { images, classes, weights } = batchTensors(batch)
        const masks = dropoutLayers(network, images.shape).map((layer, index) =>
          dropoutMask(layer, seed, optimizer.steps(), index),
        )
        return [images, classes, ...masks, ...(weights === null ? [] : [weights])]
      },
      rate,
    )
}

function batchTensors(batch: RecipeBatch) {
  const { count, channels, width, height, outWidth, outHeight, images, classes, weights } = batch
  return {
    images: tf.tensor4d(images, [count, height, width, channels]),
    classes: tf.tensor(new Int32Array(classes), [count, outHeight, outWidth], 'int32'),
    weights: weights === null ? null : tf.tensor(weights, [count, outHeight, outWidth]),
  }
}
