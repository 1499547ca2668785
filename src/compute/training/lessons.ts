import { varietyFor } from '../data/augmentation.ts'
import { createPatchSampler } from '../data/patches.ts'
import { createRandom } from '../data/random.ts'
import { isVariable } from '../runtime/tensors.ts'
import { evaluate } from './evaluate.ts'
import { trainingStep } from './step.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { TrainingImage } from '../data/trainingImage.ts'
import type { BatchSize } from '../runtime/plan.ts'
import type { Size } from '../data/resize.ts'
import type { Evaluation } from './evaluate.ts'
import type { Optimizer } from './optimizer.ts'

/** What a training on slices learns from: random patches, and slices that it is measured on. */
export interface Lessons {
  /** Slices that a person corrected. */
  readonly corrected: number
  /** Those that `evaluate` measures, in pixels of the network's input. */
  readonly measured: readonly Size[]
  /**
   * Where more are corrected than are measured, looks at them once, and measures from then on those where something is wrong before
   * others. Resolves to how many corrected slices were looked at, or will be.
   */
  choose(signal: AbortSignal | undefined): Promise<number>
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
  const measuring = createMeasuring(images, (slices, signal) => evaluate(network, networkStep, slices, classes, signal))
  const random = createRandom(seed)
  const vary = varietyFor(images.length)
  let drawn: { readonly size: BatchSize; readonly sampler: ReturnType<typeof createPatchSampler> } | null = null
  return {
    corrected: measuring.corrected,
    get measured() {
      return measuring.measured
    },
    choose: measuring.choose,
    step(optimizer, size, rate) {
      if (drawn?.size !== size) {
        drawn = {
          size,
          sampler: createPatchSampler(images, classes, { ...size, flips, vary, correctedShare }, random),
        }
      }
      return trainingStep(network, variables, optimizer, drawn.sampler.next(), size.size, rate)
    },
    evaluate: measuring.evaluate,
    dispose: () => undefined,
  }
}

/** Slices measured during training; more would take longer than they tell. */
const EVALUATED_SLICES = 8
/** Pixels that are looked at once to choose those, at most, which takes about as long as five steps. */
const LOOKED_PIXELS = 64 * 160 ** 2

type Measuring = Pick<Lessons, 'corrected' | 'measured' | 'choose' | 'evaluate'>

/** Corrected slices are measured before replayed ones, evenly picked. */
export function createMeasuring<T extends Size & Pick<TrainingImage, 'role'>>(
  images: readonly T[],
  measure: (slices: readonly T[], signal: AbortSignal | undefined) => Promise<Evaluation>,
): Measuring {
  const corrected = images.filter(({ role }) => role === 'corrected')
  let measured = evenly(corrected.length > 0 ? corrected : images, EVALUATED_SLICES)
  return {
    corrected: corrected.length,
    get measured() {
      return measured
    },
    async choose(signal) {
      if (corrected.length <= EVALUATED_SLICES) return corrected.length
      const pixels = corrected.reduce((sum, { width, height }) => sum + width * height, 0) / corrected.length
      const looked = evenly(corrected, Math.max(EVALUATED_SLICES, Math.floor(LOOKED_PIXELS / pixels)))
      const { wrong } = await measure(looked, signal)
      const isWrong = (index: number) => wrong[index]?.includes(1) === true
      const telling = evenly(
        looked.filter((_, index) => isWrong(index)),
        EVALUATED_SLICES,
      )
      const others = looked.filter((_, index) => !isWrong(index))
      measured = [...telling, ...evenly(others, EVALUATED_SLICES - telling.length)]
      return looked.length
    },
    evaluate: (signal) => measure(measured, signal),
  }
}

/** At most so many of them. */
function evenly<T>(from: readonly T[], most: number): T[] {
  const count = Math.min(most, from.length)
  return Array.from({ length: count }, (_, i) => from[Math.floor((i * from.length) / count)]).filter(
    (one) => one !== undefined,
  )
}
