import { varietyFor } from '../data/augmentation.ts'
import { createPatchSampler } from '../data/patches.ts'
import { createRandom } from '../data/random.ts'
import { isVariable } from '../runtime/tensors.ts'
import { evaluate } from './evaluate.ts'
import { trainingStep } from './step.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { TrainingImage } from '../data/trainingImage.ts'
import type { BatchSize } from '../runtime/plan.ts'
import type { Evaluation } from './evaluate.ts'
import type { Optimizer } from './optimizer.ts'

/** What a training on slices learns from: random patches, and slices that it is measured on. */
export interface Lessons {
  /** Slices that a person corrected. */
  readonly corrected: number
  /** Those that `evaluate` measures, in pixels of the network's input. */
  readonly measured: readonly { readonly width: number; readonly height: number }[]
  /**
   * One step on the next patches, `count` of `size` x `size` pixels that are learned from. Returns the loss before it, as
   * optimizerStep does. What the patches are hangs on how many were asked for, and on the seed.
   */
  step(optimizer: Optimizer, size: BatchSize, rate: number): Promise<number>
  evaluate(signal: AbortSignal | undefined): Promise<Evaluation>
  dispose(): void
}

interface PlainOptions {
  /** Inputs of the network are multiples of this. */
  readonly networkStep: number
  readonly classes: number
  readonly seed: number
  readonly flips: boolean
  /** Share of the patches that comes from corrected slices, where there are others; as createPatchSampler has it. */
  readonly correctedShare?: number | undefined
}

/** Lessons of networks of one channel whose classes exclude each other: intensities of 0 to 1, the plain loss. */
export function plainLessons(
  network: LayersModel,
  images: readonly TrainingImage[],
  { networkStep, classes, seed, flips, correctedShare }: PlainOptions,
): Lessons {
  const variables = network.trainableWeights.map((weight) => weight.read()).filter(isVariable)
  const measured = measuredSlices(images)
  const random = createRandom(seed)
  const vary = varietyFor(images.length)
  let drawn: { readonly size: BatchSize; readonly sampler: ReturnType<typeof createPatchSampler> } | null = null
  return {
    corrected: images.filter(({ role }) => role === 'corrected').length,
    measured,
    step(optimizer, size, rate) {
      if (drawn?.size !== size) {
        drawn = {
          size,
          sampler: createPatchSampler(images, classes, { ...size, flips, vary, correctedShare }, random),
        }
      }
      return trainingStep(network, variables, optimizer, drawn.sampler.next(), size.size, rate)
    },
    evaluate: (signal) => evaluate(network, networkStep, measured, classes, signal),
    dispose: () => undefined,
  }
}

/** Slices measured during training; more would take longer than they tell. */
const EVALUATED_SLICES = 8

/** Corrected slices before replayed ones, evenly picked. */
export function measuredSlices<T extends Pick<TrainingImage, 'role'>>(images: readonly T[]): T[] {
  const corrected = images.filter(({ role }) => role === 'corrected')
  const from = corrected.length > 0 ? corrected : images
  const count = Math.min(EVALUATED_SLICES, from.length)
  return Array.from({ length: count }, (_, i) => from[Math.floor((i * from.length) / count)]).filter(
    (image) => image !== undefined,
  )
}
