import { architectureFor } from './architecture.ts'
import { CodedError } from '../../core/contract/errors.ts'
import { varietyFor } from '../data/augmentation.ts'
import { roundUp } from '../data/padding.ts'
import { IGNORED, trainingImage } from '../data/trainingImage.ts'
import { extendNetwork } from '../models/head.ts'
import { buildUNet, HEAD_NAME, UNET_KINDS, unetOptions } from '../models/unet.ts'
import { isVariable } from '../runtime/tensors.ts'
import { createAdam } from './adam.ts'
import { plainLessons } from './lessons.ts'
import { prepareSamples, recipeLessons } from './recipeLessons.ts'
import { remembering } from './remembering.ts'
import { labelsShown } from './seen.ts'
import type * as tf from '@tensorflow/tfjs-core'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { ModelCard, TrainingSample } from '../../core/contract/compute.ts'
import type { Continuing } from '../../core/contract/computeLearning.ts'
import type { CardFacts } from '../models/card.ts'
import type { Size } from '../data/resize.ts'
import type { LoadedModel } from '../models/files.ts'
import type { Normalization, Upsampling } from '../models/unet.ts'
import type { Lessons } from './lessons.ts'
import type { Optimizer } from './optimizer.ts'

export interface OpenOptions {
  /** null: a new network from scratch. The parent is not changed and stays the caller's. */
  readonly parent: LoadedModel | null
  /** Of a new network; by the size of the slices unless given. */
  readonly architecture?: {
    readonly levels: number
    readonly base: number
    /** 'instance' unless given. */
    readonly normalization?: Normalization
    /** 'nearest' unless given. */
    readonly upsampling?: Upsampling
  }
  readonly labels: ModelCard['labels']
  readonly seed: number
  /** Mirror patches at random; off unless asked for, since left and right differ in the body. */
  readonly flips?: boolean
  /** How it goes on from a parent; chosen by the kind of network and of training unless given. */
  readonly continuing?: Continuing
}

/** The slices of a training as the network takes them. */
export interface Taught {
  readonly slices: readonly { readonly width: number; readonly height: number }[]
  /** Lessons of these slices; what they draw hangs on the seed. To be disposed. */
  readonly lessons: (seed: number) => Lessons
  /** Labels that they show: what a parent knows of others is held by its weights alone. */
  readonly shown: () => number[]
}

/** How a training that ends goes. */
export interface Course {
  /** Of the learning rate. */
  readonly peak: number
  /** Share of the steps in which it rises. */
  readonly rise: number
  /** What it ends with is kept unless its Dice on the measured slices was better on the way by more than this. */
  readonly slack: number
  /** So much Dice on the measured slices may be lost, at most, where all is right now that was wrong on them at first (`leniency`). */
  readonly allowance: number
  /**
   * It goes on from a parent: where that has nothing wrong there is nothing to learn. Not so of models of recipes, which see slices in
   * another size, and whose predictions are worked on before anybody sees them.
   */
  readonly goesOn: boolean
}

/** A network that is about to be trained. */
export interface OpenedTraining {
  /** The caller's to dispose. */
  readonly network: LayersModel
  readonly architecture: ModelCard['architecture']
  /** Of a model that a recipe trained: how pictures come to the network and its output to labels, as its parent. */
  readonly recipeUse: NonNullable<CardFacts['recipeUse']> | null
  /** Peak of the learning rate of a training that goes on while slices change. */
  readonly peak: number
  /** Of a training on so many slices that ends. */
  readonly courseOf: (slices: number) => Course
  /** Of all its weights, which hold on to the parent's as `holdOf` says. To be disposed; a new one knows of no past gradients. */
  readonly optimizer: (slices: number) => Optimizer
  /** How strongly the parent holds on to what it is in a training on so many slices (Optimizer.hold): the fewer, the more. */
  readonly holdOf: (slices: number) => number
  /**
   * Slices without a pixel that teaches are left out. Throws CodedError: 'bad-request' where labels, samples or what is
   * trusted do not fit a slice's size, 'nothing-to-train' where no slice is left.
   */
  readonly teach: (samples: readonly TrainingSample[]) => Taught
}

/**
 * @param samples What is to be learned first: a new network is of a size that goes with theirs.
 * @throws CodedError('bad-file') when the parent is no network that can be trained here.
 */
export async function openTrainable(options: OpenOptions, samples: readonly Size[]): Promise<OpenedTraining> {
  const { parent, labels, seed, continuing = {} } = options
  const architecture = parent?.card.architecture ?? newArchitecture(options.architecture ?? architectureFor(samples))
  const kind = unetOptions(architecture)
  if (kind === null) {
    throw new CodedError('bad-file', `Models of the kind ${architecture.name} can predict but not be trained here.`)
  }
  const network =
    parent === null
      ? buildUNet({ ...architecture, ...kind, classes: labels.length + 1, seed })
      : await extendNetwork(parent, labels, seed)
  const normalized = kind.normalization !== 'none'
  const { peak, headPace } = rates(options, normalized)
  const grown = parent !== null && hasNewLabel(parent.card.labels, labels)
  const isHead = (name: string) => name.startsWith(`${HEAD_NAME}/`)
  const taughtBy = teacherOf(network, parent?.card ?? null, architecture.step, options)
  const ofRecipe = parent?.card.handling !== undefined
  const holdOf = (slices: number) => continuing.anchor ?? anchorFor(slices, ofRecipe)
  const measured = parent !== null && !ofRecipe && normalized && !grown
  const slower = measured && continuing.learningRate === undefined
  const courseOf = (slices: number): Course => ({
    peak: slower ? peak * MANY_SLICES_PACE ** varietyFor(slices) : peak,
    rise: parent === null ? LONG_RISE * varietyFor(slices) : 0,
    slack: SLACK * varietyFor(slices),
    goesOn: parent !== null && !ofRecipe,
    allowance: parent === null ? 0 : ALLOWANCE * (1 - varietyFor(slices)),
  })
  return {
    ...{ network, architecture, peak, courseOf, recipeUse: recipeUseOf(parent?.card, labels) },
    holdOf,
    optimizer: (slices) => {
      const free = parent === null || continuing.anchor === 0
      const optimizer = createAdam(variablesOf(network.trainableWeights), {
        pace: (name) => (isHead(name) ? headPace : 1),
        kept: variablesOf(network.nonTrainableWeights),
        // A head with a new label has to move as a whole: its classes share what is sure.
        anchor: (name) => (free || (grown && isHead(name)) ? 0 : 1),
      })
      optimizer.hold(holdOf(slices))
      return optimizer
    },
    teach: (samples) => {
      const taught = taughtBy(samples)
      if (taught.slices.length > 0) return { ...taught, shown: () => labelsShown(samples, labels) }
      throw new CodedError('nothing-to-train', 'There is no slice to learn from; correct a slice first.')
    },
  }
}

/** Slices that were prepared once are not prepared again. */
function teacherOf(
  network: LayersModel,
  card: ModelCard | null,
  networkStep: number,
  { labels, flips = false, continuing }: OpenOptions,
): (samples: readonly TrainingSample[]) => Omit<Taught, 'shown'> {
  const correctedShare = continuing?.correctedShare
  if (card?.handling !== undefined) {
    const { handling } = card
    const prepare = remembering((sample) => prepareSamples([sample], card, handling, labels)[0] ?? null)
    const options = { card, handling, labels, flips, correctedShare }
    return (samples) => {
      const slices = samples.map(prepare).filter((slice) => slice !== null)
      return { slices, lessons: (seed) => recipeLessons(network, slices, { ...options, seed }) }
    }
  }
  const prepare = remembering((sample) => {
    const image = trainingImage(sample, labels)
    return image.classes.some((value) => value !== IGNORED) ? image : null
  })
  const options = { networkStep, classes: labels.length + 1, flips, correctedShare }
  return (samples) => {
    const slices = samples.map(prepare).filter((slice) => slice !== null)
    return { slices, lessons: (seed) => plainLessons(network, slices, { ...options, seed }) }
  }
}

function recipeUseOf(card: ModelCard | undefined, labels: ModelCard['labels']): OpenedTraining['recipeUse'] {
  if (card?.handling === undefined) return null
  const { input, handling } = card
  const kept = labels.some(({ value }) => value === handling.instances?.label)
  return { input, handling: { ...handling, instances: kept ? handling.instances : null } }
}

function newArchitecture({
  levels,
  base,
  normalization = 'instance',
  upsampling = 'nearest',
}: OpenOptions['architecture'] & object): ModelCard['architecture'] {
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
  { parent, labels, continuing }: OpenOptions,
  normalized: boolean,
): { readonly peak: number; readonly headPace: number } {
  const given = continuing?.learningRate
  if (parent === null) return { peak: given ?? (normalized ? 3e-3 : 2e-3), headPace: normalized ? 10 : 1 }
  if (hasNewLabel(parent.card.labels, labels)) return { peak: given ?? (normalized ? 4e-3 : 2e-3), headPace: 50 }
  return { peak: given ?? (normalized ? 3e-3 : 1e-3), headPace: normalized ? 2 : 1 }
}

/**
 * Pace of the learning rate with as many slices as vary widely (varietyFor): a parent that knows most of them has less to learn from
 * each. Models of recipes, whose patches vary slightly, keep theirs.
 * Hippocampi, 10 to 60 new slices with 175 replayed, gain in Dice on 40 others after 150 and 260 steps, mean of 8 trainings:
 * 0.001 and 0.011 with a peak of 3e-3, 0.007 and 0.013 with 2e-3, 0.006 and 0.011 with 1e-3, 0.002 and 0.005 with 3e-4.
 */
const MANY_SLICES_PACE = 2 / 3

/**
 * Share of the steps in which the learning rate of a new network rises, with as many slices. 175 slices of hippocampi and 1,000 steps:
 * Dice on others 0.818 with it, 0.804 without; three to ten slices and 260 steps: 0.01 to 0.02 less with it, so that these go without.
 * One that goes on is worse for it, 0.834 instead of 0.839 after some rounds.
 */
const LONG_RISE = 0.2

/** As Course has it, with as many slices; a few are to be learned as they are, and what did that best is kept. */
const SLACK = 0.02

/**
 * As Course has it, with next to no slices. What was taken over of a prediction agrees with the parent wholly, and with no other
 * model: a stroke that was learned may cost as much there as it gains, without anything being worse. A stroke
 * of 36 pixels on a slice of an abdomen, all of them learned, cost 0.04 there; one of 157, of which a tenth was learned, 0.05.
 */
const ALLOWANCE = 0.04

/**
 * How much the parent holds on to its weights: the fewer slices there are, the more, since what it knows of everything else
 * is in its weights alone. Three corrected slices of an abdomen and nothing to replay left the other slices of it at 0.92
 * of Dice with this pull, and at 0.85 without; a hundred slices of hippocampi were learned more slowly with a constant one.
 * A single slice says next to nothing of others: its own Dice rose from 0.70 to 0.93 in 60 steps with a pull of 100 and to 0.97 with
 * one of 10, but that of the vertebrae of the other slices, 0.73 before, stayed with the one and fell to 0.27 with the other.
 * Models of recipes, of whose pictures one shows many things, are held by 10 at most.
 */
function anchorFor(slices: number, ofRecipe: boolean): number {
  const count = Math.max(1, slices)
  const shared = ANCHORED_SLICES / count
  return ofRecipe ? Math.min(MOST_OF_RECIPE, shared) : Math.max(shared, ONE_SLICE_ANCHOR / count ** 2)
}
const ANCHORED_SLICES = 30
const ONE_SLICE_ANCHOR = 100
const MOST_OF_RECIPE = 10

/** The patch fits the largest slice, so that no time is spent on mirrored surroundings. */
export function patchSize(slices: Taught['slices'], step: number, most: number): number {
  const largest = slices.reduce((size, { width, height }) => Math.max(size, width, height), 1)
  return Math.min(roundUp(most, step), roundUp(largest, step))
}

function variablesOf(weights: LayersModel['weights']): tf.Variable[] {
  return weights.map((weight) => {
    const variable = weight.read()
    if (isVariable(variable)) return variable
    throw new Error('A weight must be a variable.')
  })
}
