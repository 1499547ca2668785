import { CodedError } from '../../core/contract/errors.ts'
import { roundUp } from '../data/padding.ts'
import { IGNORED, trainingImage } from '../data/trainingImage.ts'
import { extendNetwork } from '../models/head.ts'
import { buildUNet, UNET_KINDS, unetOptions } from '../models/unet.ts'
import { fit } from './fit.ts'
import { plainLessons } from './lessons.ts'
import { prepareSamples, recipeLessons } from './recipeLessons.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { ComputeProgress, ModelCard, TrainingSample } from '../../core/contract/compute.ts'
import type { CardFacts } from '../models/card.ts'
import type { LoadedModel } from '../models/files.ts'
import type { Normalization, Upsampling } from '../models/unet.ts'
import type { Lessons } from './lessons.ts'

export interface TrainOptions {
  /** null: a new network from scratch, of `architecture`. The parent is not changed and stays the caller's. */
  readonly parent: LoadedModel | null
  readonly architecture?: {
    readonly levels: number
    readonly base: number
    /** 'instance' unless given. */
    readonly normalization?: Normalization
    /** 'nearest' unless given. */
    readonly upsampling?: Upsampling
  }
  readonly labels: ModelCard['labels']
  readonly samples: readonly TrainingSample[]
  /** Whichever of the two bounds comes first ends the training. */
  readonly steps: number
  readonly seconds: number
  readonly seed: number
  /** Patches a step; 4 unless given. */
  readonly batch?: number
  /**
   * Largest patch, in pixels; 160 unless given. Smaller where all slices are smaller. Normalization looks at all of a
   * patch, so one that shows much less than what is predicted at once teaches what does not hold there.
   */
  readonly patch?: number
  /** Peak of the learning rate; chosen by the kind of network and of training unless given. */
  readonly learningRate?: number
  /** Mirror patches at random; off unless asked for, since left and right differ in the body. */
  readonly flips?: boolean
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

const DEFAULT_ARCHITECTURE = { levels: 4, base: 8 }
/** An even number: `native` computes images of few channels two at a time, and takes as long for three as for four. */
const BATCH = 4

/**
 * Trains a network on slices, from a parent or from scratch. Keeps the weights of the best measured Dice, and those of
 * the parent when nothing was better. Yields to the event loop every step.
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
  const { parent, labels, seed } = options
  const architecture = parent?.card.architecture ?? newArchitecture(options.architecture)
  const kind = unetOptions(architecture)
  if (kind === null) {
    throw new CodedError('bad-file', `Models of the kind ${architecture.name} can predict but not be trained here.`)
  }
  const prepared = prepare(options, parent?.card ?? null, architecture.step)
  if (prepared.slices.length === 0) {
    throw new CodedError('nothing-to-train', 'There is no slice to learn from; correct a slice first.')
  }
  const network =
    parent === null
      ? buildUNet({ ...architecture, ...kind, classes: labels.length + 1, seed })
      : await extendNetwork(parent, labels, seed)
  const batch = options.batch ?? BATCH
  const patch = patchSize(prepared.slices, architecture.step, options.patch ?? 160)
  let lessons: Lessons | null = null
  try {
    lessons = prepared.lessons(network)
    const { training, size } = await fit(network, lessons, {
      ...{ networkStep: architecture.step, batch, patch },
      ...{ steps: options.steps, seconds: options.seconds, seed, evaluateEvery: options.evaluateEvery },
      ...{ backend: options.backend, signal: options.signal, onProgress: options.onProgress },
      notify: options.notify,
      ...rates(options, kind.normalization !== 'none'),
    })
    const use = prepared.recipeUse
    const trained = { network, architecture, training, batch: size.count, patch: size.size }
    return use === null ? trained : { ...trained, recipeUse: use }
  } catch (error) {
    network.dispose()
    throw error
  } finally {
    lessons?.dispose()
  }
}

interface Prepared {
  readonly slices: readonly { readonly width: number; readonly height: number }[]
  readonly lessons: (network: LayersModel) => Lessons
  readonly recipeUse: NonNullable<CardFacts['recipeUse']> | null
}

/** The slices as the network takes them: a plain one, or one that a recipe trained. */
function prepare(
  { labels, samples, seed, flips = false }: TrainOptions,
  card: ModelCard | null,
  networkStep: number,
): Prepared {
  if (card?.handling !== undefined) {
    const { input, handling } = card
    const images = prepareSamples(samples, card, handling, labels)
    const kept = labels.some(({ value }) => value === handling.instances?.label)
    return {
      slices: images,
      lessons: (network) => recipeLessons(network, images, { card, handling, labels, seed, flips }),
      recipeUse: { input, handling: { ...handling, instances: kept ? handling.instances : null } },
    }
  }
  const images = samples
    .map((sample) => trainingImage(sample, labels))
    .filter(({ classes }) => classes.some((value) => value !== IGNORED))
  return {
    slices: images,
    lessons: (network) => plainLessons(network, images, { networkStep, classes: labels.length + 1, seed, flips }),
    recipeUse: null,
  }
}

function newArchitecture({
  levels,
  base,
  normalization = 'instance',
  upsampling = 'nearest',
}: TrainOptions['architecture'] & object = DEFAULT_ARCHITECTURE): ModelCard['architecture'] {
  const common = { levels, base, inputChannels: 1, step: 2 ** levels } as const
  // As versions before these options wrote them, and read them.
  if (upsampling === 'nearest' && normalization === 'none') return { name: UNET_KINDS.plain, ...common }
  if (upsampling === 'nearest' && normalization === 'instance') return { name: UNET_KINDS.normalized, ...common }
  const name = normalization === 'none' ? UNET_KINDS.plain : UNET_KINDS.normalized
  return { name, ...common, normalization, upsampling }
}

function hasNewLabel(known: ModelCard['labels'], labels: ModelCard['labels']): boolean {
  return labels.some(({ value }) => !known.some((label) => label.value === value))
}

/**
 * The peak of the learning rate and the factor for the head, found by trial on abdomens and hippocampi. Behind a
 * normalization only the head sets the scale of the logits, so from scratch it must learn faster than the layers before;
 * so must a head with a label that the parent did not have, which starts from nothing there.
 */
function rates(
  { learningRate, parent, labels }: TrainOptions,
  normalized: boolean,
): { peak: number; headPace: number } {
  if (parent === null) return { peak: learningRate ?? (normalized ? 3e-3 : 2e-3), headPace: normalized ? 10 : 1 }
  if (hasNewLabel(parent.card.labels, labels)) return { peak: learningRate ?? (normalized ? 4e-3 : 2e-3), headPace: 50 }
  return { peak: learningRate ?? 1e-3, headPace: normalized ? 2 : 1 }
}

/** The patch fits the largest slice, so that no time is spent on mirrored surroundings. */
function patchSize(images: Prepared['slices'], step: number, most: number): number {
  const largest = images.reduce((size, { width, height }) => Math.max(size, width, height), 1)
  return Math.min(roundUp(most, step), roundUp(largest, step))
}
