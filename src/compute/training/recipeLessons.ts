import { connectedComponents } from '../../core/voxels/index.ts'
import { augmentationSettingsSchema, lossSettingsSchema } from '../../core/contract/recipes.ts'
import { createBatchMaker } from '../data/batches.ts'
import { borderOf } from '../data/border.ts'
import { preparePicture } from '../data/prepare.ts'
import { resizeNearest } from '../data/resize.ts'
import { correctedShareOf } from '../data/patches.ts'
import { classesOfLabels, IGNORED, ignoreOthers, trustedPixels } from '../data/trainingImage.ts'
import { inputSize } from '../models/sizes.ts'
import { wantedOf } from '../recipes/classes.ts'
import { createMeter } from '../recipes/measure.ts'
import { createMeasuring } from './lessons.ts'
import { recipeSteps } from './recipeStep.ts'
import { createTally } from './tally.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { ModelCard, TrainingSample } from '../../core/contract/compute.ts'
import type { Handling } from '../../core/contract/modelCard.ts'
import type { LossSettings } from '../../core/contract/recipes.ts'
import type { BatchMaker } from '../data/batches.ts'
import type { NetworkSlice, RecipeBatch, SliceRef } from '../recipes/types.ts'
import type { Lessons } from './lessons.ts'

/** A slice as a recipe's network takes it. */
interface PreparedSample extends NetworkSlice {
  readonly role: TrainingSample['role']
  /** How often it is drawn, against others of its role. */
  readonly weight: number
}

/** So many of the patches are centred on a label. */
const FOREGROUND = 0.75
/** A slice of the largest weight is drawn so many times as often as one of the least, at most. */
const WEIGHTS = 8
/** The border of objects where the card does not say how wide it was learned. */
const BORDER = 2

/** Small changes, since a few corrected slices are to be learned as they are; how many there are does not matter here. */
const VARIED = {
  ...{ rotate: 11, zoom: [0.88, 1.14], scale: [0.9, 1.1], offset: 0.05, noise: 0.02 },
} as const

/**
 * The slices of a training from a recipe's model, prepared as its card says; those without a pixel that is known are left out.
 * Throws CodedError('bad-request') where labels, samples or what is trusted do not fit the slice's
 * size.
 */
export function prepareSamples(
  samples: readonly TrainingSample[],
  { input, architecture }: Pick<ModelCard, 'input' | 'architecture'>,
  { resize, border, instances }: Handling,
  labels: ModelCard['labels'],
): PreparedSample[] {
  return samples
    .map((sample): PreparedSample => {
      const { width, height, image } = preparePicture(sample, input, architecture.inputChannels, resize)
      const size = { width, height }
      const classes = resizeNearest(classesOfLabels(sample, labels), sample, size)
      if (border) {
        const ids = connectedComponents(classes, [width, height], 8, { value: 1 }).ids
        const edge = borderOf(ids, width, height, instances?.border ?? BORDER)
        for (let i = 0; i < classes.length; i++)
          if (edge[i] === 1 && classes[i] !== IGNORED) classes[i] = labels.length + 1
      }
      // Afterwards: an object does not end where what is trusted does.
      const trusted = trustedPixels(sample)
      if (trusted !== null) ignoreOthers(classes, resizeNearest(trusted, sample, size))
      const { role, weight = 1 } = sample
      return { ...size, channels: architecture.inputChannels, image, classes, weights: null, role, weight }
    })
    .filter(({ classes }) => classes.some((value) => value !== IGNORED))
}

interface RecipeLessonsOptions {
  readonly card: ModelCard
  readonly handling: Handling
  /** Of the new model. */
  readonly labels: ModelCard['labels']
  readonly seed: number
  readonly flips: boolean
  /** Share of the patches that comes from corrected slices, where there are others, 0 to 1; by their numbers unless given. */
  readonly correctedShare?: number | undefined
}

/** Lessons of a recipe's network: its channels, sizes and outputs, with a loss that goes with the output. */
export function recipeLessons(
  network: LayersModel,
  images: readonly PreparedSample[],
  { card, handling, labels, seed, flips, correctedShare = correctedShareOf(images) }: RecipeLessonsOptions,
): Lessons {
  const { architecture, input } = card
  const margin = architecture.margin ?? 0
  const loss = lossFor(handling.output)
  const learn = recipeSteps(network, { loss, seed })
  const augmentation = augmentationSettingsSchema.parse({ ...VARIED, flip: flips ? 'both' : 'none' })
  const pools = (['corrected', 'replay'] as const)
    .map((role) => byWeight(images.filter((image) => image.role === role)))
    .filter((pool) => pool.length > 0)
  // Of all of them: patches of both pools become one batch.
  const most = {
    width: Math.max(...images.map(({ width }) => width)),
    height: Math.max(...images.map(({ height }) => height)),
  }
  const makers = new Map<string, BatchMaker>()
  const maker = (pool: number, count: number, size: number): BatchMaker => {
    const key = [pool, count, size].join(' ')
    const known = makers.get(key)
    if (known !== undefined) return known
    const slices = pools[pool] ?? []
    const plan = {
      slices: slices.map(({ width, height, classes }, index) => ({
        ...{ case: 0, plane: 'training' as const, index, width, height },
        counts: labels.map((_, c) => classes.reduce((sum, value) => sum + (value === c + 1 ? 1 : 0), 0)),
      })),
      labels: labels.map(({ value }) => value),
      ...{ channels: architecture.inputChannels, input, weights: null },
    }
    const made = createBatchMaker(
      plan,
      { slice: (at) => Promise.resolve(sliceAt(slices, at)), close: () => Promise.resolve() },
      {
        ...{ seed, epoch: pool, steps: 1, batch: count, patch: size, step: architecture.step, margin },
        ...{ foreground: FOREGROUND, augmentation, teaching: true, most },
      },
    )
    makers.set(key, made)
    return made
  }
  let steps = 0
  let shown: readonly PreparedSample[] = []
  const meter = createMeter({ slice: (ref: SliceRef) => Promise.resolve(sliceAt(shown, ref.index)) }, loss)
  const measuring = createMeasuring(images, async (slices, signal) => {
    shown = slices
    const refs = slices.map(({ width, height }, index): SliceRef => ({
      ...{ caseId: '', part: 'train', plane: 'training', index, width, height },
    }))
    const { output, border, inference } = handling
    const meaning = {
      ...{ output, border, threshold: inference.threshold, channels: network.outputs[0]?.shape[3] ?? 1 },
      values: [0, ...labels.map(({ value }) => value)],
    }
    const tally = createTally(meaning.values.length, slices)
    const { loss } = await meter.measure(network, refs, {
      ...{ step: architecture.step, meaning },
      onSlice(index, { classes }, predicted) {
        for (const [i, said] of classes.entries()) {
          if (said !== IGNORED) tally.add(index, i, predicted[i] ?? 0, wantedOf(said, meaning))
        }
      },
      ...(signal === undefined ? {} : { signal }),
    })
    return { loss, ...tally.agreement() }
  })
  return {
    corrected: measuring.corrected,
    get measured() {
      return measuring.measured
    },
    choose: measuring.choose,
    async step(optimizer, { count, size }, rate) {
      const number = steps++
      const patch = inputSize(architecture, size + 2 * margin)
      const parts: RecipeBatch[] = []
      for (const [pool, share] of shares(count, pools.length, number, correctedShare).entries()) {
        if (share > 0) parts.push(await maker(pool, share, patch).batch(number))
      }
      return await learn(optimizer, joined(parts), rate)
    },
    evaluate: measuring.evaluate,
    dispose() {
      meter.dispose()
    },
  }
}

/** A card does not keep the loss of its training: one that serves every task of that output. */
function lossFor(output: LossSettings['output']): LossSettings {
  return lossSettingsSchema.parse({ kind: output === 'relu' ? 'mean-squared-error' : 'dice-cross-entropy', output })
}

/** Each as many times as its weight says, to an eighth of the largest: those who draw take all of them as often. */
function byWeight(slices: readonly PreparedSample[]): PreparedSample[] {
  const most = Math.max(...slices.map(({ weight }) => weight))
  if (slices.every(({ weight }) => weight === most)) return [...slices]
  return slices.flatMap((slice) =>
    Array.from({ length: Math.max(1, Math.round((WEIGHTS * slice.weight) / most)) }, () => slice),
  )
}

/** Patches of each pool in step `number`; a share of three quarters is three steps of four where a batch is a single patch. */
function shares(count: number, pools: number, number: number, share: number): number[] {
  if (pools < 2) return [count]
  const corrected = Math.floor((number + 1) * count * share) - Math.floor(number * count * share)
  return [corrected, count - corrected]
}

function sliceAt(slices: readonly PreparedSample[], at: number): PreparedSample {
  const slice = slices[at]
  if (slice === undefined) throw new RangeError('There is no such slice.')
  return slice
}

/** Batches of one size as one. */
function joined(parts: readonly RecipeBatch[]): RecipeBatch {
  const [first, ...more] = parts
  if (first === undefined) throw new Error('A step needs a batch.')
  if (more.length === 0) return first
  if (more.some(({ width, height }) => width !== first.width || height !== first.height)) {
    throw new Error('Patches of one step are of one size.')
  }
  const count = parts.reduce((sum, part) => sum + part.count, 0)
  const images = new Float32Array(parts.reduce((sum, part) => sum + part.images.length, 0))
  const classes = new Uint8Array(parts.reduce((sum, part) => sum + part.classes.length, 0))
  let [image, pixel] = [0, 0]
  for (const part of parts) {
    images.set(part.images, image)
    classes.set(part.classes, pixel)
    image += part.images.length
    pixel += part.classes.length
  }
  return { ...first, count, images, classes }
}
