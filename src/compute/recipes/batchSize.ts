import { inputSize } from '../models/sizes.ts'
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
  const pixels = inputPixels(architecture, data.slices('train'), patch)
  return Math.min(batch, mostImages(cost, budgetOf(readMemory()), pixels))
}

/** Of the largest input of a step: with valid convolutions that of a whole picture is larger than the picture. */
export function inputPixels(
  architecture: ModelCard['architecture'],
  slices: readonly { readonly width: number; readonly height: number }[],
  patch: number | null,
): number {
  if (patch !== null) return inputSize(architecture, patch) ** 2
  const around = 2 * (architecture.margin ?? 0)
  return slices.reduce(
    (most, { width, height }) =>
      Math.max(most, inputSize(architecture, width + around) * inputSize(architecture, height + around)),
    1,
  )
}
