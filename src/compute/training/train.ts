import type * as tf from '@tensorflow/tfjs-core'
import { CodedError } from '../../core/contract/errors.ts'
import { createPatchSampler } from '../data/patches.ts'
import { roundUp } from '../data/padding.ts'
import { createRandom } from '../data/random.ts'
import { IGNORED, trainingImage } from '../data/trainingImage.ts'
import { nextTurn, stopIfCancelled } from '../inference/predict.ts'
import { extendNetwork } from '../models/head.ts'
import { buildUNet, HEAD_NAME, UNET_KINDS } from '../models/unet.ts'
import { isVariable } from '../runtime/tensors.ts'
import { createAdam } from './adam.ts'
import { evaluate } from './evaluate.ts'
import { learningRateAt, plannedSteps } from './schedule.ts'
import { trainingStep } from './step.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { ComputeProgress, ModelCard, TrainingSample } from '../../core/contract/compute.ts'
import type { CurvePoint } from '../../core/contract/schemas.ts'
import type { TrainingImage } from '../data/trainingImage.ts'
import type { LoadedModel } from '../models/files.ts'

export interface TrainOptions {
  /** null: a new network from scratch, of `architecture`. The parent is not changed and stays the caller's. */
  readonly parent: LoadedModel | null
  readonly architecture?: { readonly levels: number; readonly base: number; readonly normalized?: boolean }
  readonly labels: ModelCard['labels']
  readonly samples: readonly TrainingSample[]
  /** Whichever of the two bounds comes first ends the training. */
  readonly steps: number
  readonly seconds: number
  readonly seed: number
  /** Patches a step; 3 unless given. */
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
  /** Dice and loss on the training slices are measured every so many steps; 10 unless given. */
  readonly evaluateEvery?: number
  /** What the card shall say trained it. */
  readonly backend: string
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: ComputeProgress) => void
}

export interface TrainedModel {
  /** The caller's to dispose. */
  readonly network: LayersModel
  readonly architecture: ModelCard['architecture']
  readonly training: NonNullable<ModelCard['training']>
}

const DEFAULT_ARCHITECTURE = { levels: 4, base: 8 }
/** Slices measured during training; more would take longer than they tell. */
const EVALUATED_SLICES = 8
const CURVE_POINTS = 400
/** Part of the time bound kept for the last measurement. */
const RESERVE = 0.04

/**
 * Trains a network on slices, from a parent or from scratch. Keeps the weights of the best measured Dice, and those of
 * the parent when nothing was better. Deterministic for the same seed, backend and threads as long as the bound on
 * steps ends it. Yields to the event loop every step.
 * Throws CodedError: 'cancelled' within a step of the signal, 'nothing-to-train' when no slice has a pixel of any
 * label or background, 'compute-failed' when the loss is no longer a number.
 */
export async function trainModel(options: TrainOptions): Promise<TrainedModel> {
  const { parent, labels, seed } = options
  const images = options.samples
    .map((sample) => trainingImage(sample, labels))
    .filter(({ classes }) => classes.some((value) => value !== IGNORED))
  if (images.length === 0) {
    throw new CodedError('nothing-to-train', 'There is no slice to learn from; correct a slice first.')
  }
  const architecture = parent?.card.architecture ?? newArchitecture(options.architecture)
  const network =
    parent === null
      ? buildUNet({
          ...architecture,
          classes: labels.length + 1,
          seed,
          normalized: architecture.name === UNET_KINDS.normalized,
        })
      : await extendNetwork(parent, labels, seed)
  try {
    const training = await fit(network, architecture, images, options)
    return { network, architecture, training }
  } catch (error) {
    network.dispose()
    throw error
  }
}

function newArchitecture({
  levels,
  base,
  normalized = true,
}: TrainOptions['architecture'] & object = DEFAULT_ARCHITECTURE): ModelCard['architecture'] {
  const name = normalized ? UNET_KINDS.normalized : UNET_KINDS.plain
  return { name, levels, base, inputChannels: 1, step: 2 ** levels }
}

async function fit(
  network: LayersModel,
  { name, step }: ModelCard['architecture'],
  images: readonly TrainingImage[],
  options: TrainOptions,
): Promise<TrainedModel['training']> {
  const { labels, steps, seconds, seed, signal, onProgress } = options
  const started = performance.now()
  const elapsed = () => (performance.now() - started) / 1000
  const classes = labels.length + 1
  const size = patchSize(images, step, options.patch ?? 160)
  const random = createRandom(seed)
  const sampler = createPatchSampler(
    images,
    classes,
    { count: options.batch ?? 3, size, flips: options.flips ?? false, vary: true },
    random,
  )
  const variables = network.trainableWeights.map((weight) => variableOf(weight.read()))
  const normalized = name === UNET_KINDS.normalized
  const grown = options.parent !== null && hasNewLabel(options.parent.card.labels, labels)
  const { peak, headPace } = rates(options, normalized, grown)
  const optimizer = createAdam(variables, (name) => (name.startsWith(`${HEAD_NAME}/`) ? headPace : 1))
  const measured = measuredImages(images)
  const every = options.evaluateEvery ?? 10

  stopIfCancelled(signal)
  const before = await evaluate(network, step, measured, classes, signal)
  let best = { ...before, weights: await optimizer.snapshot() }
  const curve: CurvePoint[] = [{ step: 0, ...before }]
  onProgress?.({ step: 0, steps, point: curve[0] ?? null, secondsLeft: null })
  const times: number[] = []
  let planned = steps
  let done = 0
  while (done < planned) {
    await nextTurn()
    stopIfCancelled(signal)
    const stepStarted = elapsed()
    const rate = learningRateAt(peak, done, planned)
    const loss = await trainingStep(network, variables, optimizer, sampler.next(), size, rate)
    if (!Number.isFinite(loss)) {
      throw new CodedError(
        'compute-failed',
        'Training stopped: its loss is no longer a number; the model is unchanged.',
      )
    }
    done++
    let dice = curve.at(-1)?.dice ?? 0
    if (done % every === 0 || done >= planned) {
      const now = await evaluate(network, step, measured, classes, signal)
      dice = now.dice
      if (now.dice > best.dice || (now.dice === best.dice && now.loss < best.loss)) {
        best = { ...now, weights: await optimizer.snapshot() }
      }
    }
    const point = { step: done, loss, dice }
    curve.push(point)
    times.push(elapsed() - stepStarted)
    planned = plannedSteps(steps, seconds * (1 - RESERVE) - elapsed(), times)
    onProgress?.({ step: done, steps: planned, point, secondsLeft: secondsLeft(times, planned, seconds, elapsed()) })
  }
  optimizer.restore(best.weights)
  const slices = images.filter(({ role }) => role === 'corrected').length
  return {
    slices,
    steps: done,
    seconds: elapsed(),
    seed,
    backend: options.backend,
    lossBefore: before.loss,
    lossAfter: best.loss,
    diceBefore: before.dice,
    diceAfter: best.dice,
    curve: thinned(curve),
  }
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
  { learningRate, parent }: TrainOptions,
  normalized: boolean,
  grown: boolean,
): { peak: number; headPace: number } {
  if (parent === null) return { peak: learningRate ?? (normalized ? 3e-3 : 2e-3), headPace: normalized ? 10 : 1 }
  if (grown) return { peak: learningRate ?? (normalized ? 4e-3 : 2e-3), headPace: 50 }
  return { peak: learningRate ?? 1e-3, headPace: normalized ? 2 : 1 }
}

/** The patch fits the largest slice, so that no time is spent on mirrored surroundings. */
function patchSize(images: readonly TrainingImage[], step: number, most: number): number {
  const largest = images.reduce((size, { width, height }) => Math.max(size, width, height), 1)
  return Math.min(roundUp(most, step), roundUp(largest, step))
}

/** Corrected slices before replayed ones, evenly picked. */
function measuredImages(images: readonly TrainingImage[]): TrainingImage[] {
  const corrected = images.filter(({ role }) => role === 'corrected')
  const from = corrected.length > 0 ? corrected : images
  const count = Math.min(EVALUATED_SLICES, from.length)
  return Array.from({ length: count }, (_, i) => from[Math.floor((i * from.length) / count)]).filter(
    (image) => image !== undefined,
  )
}

function secondsLeft(times: readonly number[], planned: number, seconds: number, elapsed: number): number {
  const perStep = times.reduce((sum, time) => sum + time, 0) / Math.max(1, times.length)
  return Math.max(0, Math.min(seconds - elapsed, (planned - times.length) * perStep))
}

/** At most CURVE_POINTS points, the last one always. */
function thinned(curve: readonly CurvePoint[]): CurvePoint[] {
  const every = Math.ceil(curve.length / CURVE_POINTS)
  return curve.filter((_, i) => i % every === 0 || i === curve.length - 1)
}

function variableOf(tensor: tf.Tensor): tf.Variable {
  if (isVariable(tensor)) return tensor
  throw new Error('A trainable weight must be a variable.')
}
