import { fit } from './fit.ts'
import { openTrainable, patchSize } from './opening.ts'
import { seenLabels } from './seen.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { ComputeProgress, ModelCard, TrainingSample } from '../../core/contract/compute.ts'
import type { CardFacts } from '../models/card.ts'
import type { Lessons } from './lessons.ts'
import type { OpenOptions } from './opening.ts'
import type { Optimizer } from './optimizer.ts'

export interface TrainOptions extends OpenOptions {
  readonly samples: readonly TrainingSample[]
  /** Whichever of the two bounds comes first ends the training. */
  readonly steps: number
  readonly seconds: number
  /** Patches a step; 4 unless given. */
  readonly batch?: number
  /**
   * Largest patch, in pixels; 160 unless given. Smaller where all slices are smaller. Normalization looks at all of a
   * patch, so one that shows much less than what is predicted at once teaches what does not hold there.
   */
  readonly patch?: number
  /** Dice and loss on the training slices are measured every so many steps; 10 unless given, more for large slices. */
  readonly evaluateEvery?: number
  /** What the card shall say trained it. */
  readonly backend: string
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: ComputeProgress) => void
  /** Told when memory makes batch or patch smaller than asked for. */
  readonly notify?: (message: string) => void
}

export interface TrainedModel {
  /** The caller's to dispose. */
  readonly network: LayersModel
  readonly architecture: ModelCard['architecture']
  readonly training: NonNullable<ModelCard['training']>
  /** Patches a step, and their width and height in pixels: less than asked for where memory was short. */
  readonly batch: number
  readonly patch: number
  /** Of a model that a recipe trained: how pictures come to the network and its output to labels, as its parent. */
  readonly recipeUse?: NonNullable<CardFacts['recipeUse']>
}

/** An even number: `native` computes images of few channels two at a time, and takes as long for three as for four. */
export const BATCH = 4
/** Patches are at most so large. */
export const PATCH = 160

/**
 * Trains a network on slices, from a parent or from scratch. Keeps the weights at the end, or the best measured on the way
 * where the end is worse by more than the slack (Course), and those of the parent when nothing was better. Yields to the event loop every step.
 *
 * Deterministic, bit for bit, for the same seed, backend and threads as long as the bound on steps ends it (`boundBy`
 * of the result is then 'steps') and memory takes the batches and slices whole (else `notify` is told, and `batch` and
 * `patch` of the result are less than asked for). Where the bound on seconds ends it, the number of steps depends on how
 * fast they were, and with it the learning rate of each step, which falls towards the end; the patches that a step sees
 * never do.
 *
 * Throws CodedError: 'cancelled' within a step of the signal, 'nothing-to-train' when no slice has a pixel of any
 * label or background, 'compute-failed' when the loss is no longer a number, 'backend-lost' when the device is gone or
 * memory does not even take one small patch.
 */
export async function trainModel(options: TrainOptions): Promise<TrainedModel> {
  const { parent, seed, steps, seconds, evaluateEvery, backend, signal, onProgress, notify } = options
  const { network, architecture, recipeUse, ...opened } = await openTrainable(options, options.samples)
  let lessons: Lessons | null = null
  let optimizer: Optimizer | null = null
  try {
    const taught = opened.teach(options.samples)
    lessons = taught.lessons(seed)
    optimizer = opened.optimizer(taught.slices.length)
    const { training: fitted, size } = await fit(network, optimizer, lessons, {
      ...{
        networkStep: architecture.step,
        steps,
        seconds,
        seed,
        ...opened.courseOf(taught.slices.length),
        evaluateEvery,
        backend,
        signal,
        onProgress,
        notify,
      },
      batch: options.batch ?? BATCH,
      patch: patchSize(taught.slices, architecture.step, options.patch ?? PATCH),
    })
    const training = { ...fitted, ...seenLabels(parent?.card ?? null, taught.shown()) }
    const trained = { network, architecture, training, batch: size.count, patch: size.size }
    return recipeUse === null ? trained : { ...trained, recipeUse }
  } catch (error) {
    network.dispose()
    throw error
  } finally {
    optimizer?.dispose()
    lessons?.dispose()
  }
}
