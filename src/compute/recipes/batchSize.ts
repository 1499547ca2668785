import { trainingCost } from '../runtime/cost.ts'
import { releaseIdle } from '../runtime/deviceMemory.ts'
import { unlessOutOfMemory } from '../runtime/failures.ts'
import { budgetOf, collectGarbage, readMemory } from '../runtime/memory.ts'
import { mostImages } from '../runtime/plan.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { ModelCard } from '../../core/contract/compute.ts'
import type { RecipeSettings } from '../../core/contract/recipes.ts'
import type { TrainingData } from './types.ts'

/** How many of the wanted pictures a step fits into memory, by what a small step was measured to take; at least 1. */
export async function affordableBatch(
  network: LayersModel,
  architecture: ModelCard['architecture'],
  data: TrainingData,
  { batch, patch }: RecipeSettings['training'],
): Promise<number> {
  const cost = await unlessOutOfMemory(() => trainingCost(network, architecture.step))
  releaseIdle()
  collectGarbage()
  if (cost === null) return 1
  const largest = data.slices('train').reduce((most, { width, height }) => Math.max(most, width * height), 1)
  return Math.min(batch, mostImages(cost, budgetOf(readMemory()), patch === null ? largest : patch ** 2))
}
