import { createRecipeStep } from '../training/recipeStep.ts'
import { createAverages } from './averages.ts'
import { readWeights, setWeights, variablesOf } from './weights.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { RecipeSettings } from '../../core/contract/recipes.ts'
import type { RecipeBatch } from './types.ts'
import type { TrainingState } from './trainingState.ts'

/** Everything that the next step hangs on. */
export type Kept = Pick<TrainingState, 'weights' | 'averages' | 'optimizer'>

/** A network that learns, and the one that is measured and kept: the average of its weights, or itself. */
export interface Trainer {
  readonly result: LayersModel
  /** One step; `number` counts from 1 over the whole training. Returns the loss, and changes nothing where it is no number. */
  step(batch: RecipeBatch, rate: number, number: number): Promise<number>
  capture(): Promise<Kept>
  restore(kept: Kept): void
  /** The networks stay the caller's. */
  dispose(): void
}

/** `averaged` is null where the last weights are kept themselves; else a network of the same kind. */
export function createTrainer(
  network: LayersModel,
  averaged: LayersModel | null,
  { loss, optimizer: by, training }: RecipeSettings,
  seed: number,
): Trainer {
  const learning = createRecipeStep(network, { loss, optimizer: by, seed })
  const { optimizer } = learning
  const averages =
    averaged === null ? null : createAverages(variablesOf(network), variablesOf(averaged), training.average)
  return {
    result: averaged ?? network,
    async step(batch, rate, number) {
      const value = await learning.step(batch, rate)
      if (Number.isFinite(value)) await averages?.follow(number)
      return value
    },
    async capture() {
      return {
        weights: await optimizer.snapshot(),
        averages: averaged === null ? [] : await readWeights(averaged),
        optimizer: await optimizer.state(),
      }
    },
    restore(kept) {
      optimizer.restore(kept.weights)
      optimizer.restoreState(kept.optimizer)
      if (averaged !== null) setWeights(averaged, kept.averages)
    },
    dispose() {
      averages?.dispose()
      learning.dispose()
    },
  }
}
