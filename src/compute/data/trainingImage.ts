import { CodedError } from '../../core/contract/errors.ts'
import { normalizedSlice } from './intensity.ts'
import type { ModelCard, TrainingSample } from '../../core/contract/compute.ts'

/** The class of pixels that teach nothing: their label is not one of the model's, or nobody says that it is right. */
export const IGNORED = 255

/** A slice ready to learn from: height x width, x fastest. */
export interface TrainingImage {
  readonly width: number
  readonly height: number
  /** Intensities in [0, 1]. */
  readonly image: Float32Array
  /** 0 background, c > 0 the model's label c - 1, or IGNORED. */
  readonly classes: Uint8Array
  readonly role: TrainingSample['role']
  /** How often it is drawn, against others of its role; 1 unless given. */
  readonly weight?: number
  /** Classes that background may be: labels that came later than what a person said of the slice. None unless given. */
  readonly hidden?: readonly number[]
}

/** Throws CodedError('bad-request') when samples, labels or what is trusted do not fit the slice's size. */
export function trainingImage(sample: TrainingSample, labels: ModelCard['labels']): TrainingImage {
  const { width, height, role, weight = 1 } = sample
  const classes = classesOfLabels(sample, labels)
  const trusted = trustedPixels(sample)
  if (trusted !== null) ignoreOthers(classes, trusted)
  const image = { width, height, role, weight, image: normalizedSlice(sample), classes }
  const hidden = hiddenClasses(sample, labels)
  return hidden.length === 0 ? image : { ...image, hidden }
}

/** What was drawn there all the same is known there. */
function hiddenClasses({ later = [], labels: drawn }: TrainingSample, labels: ModelCard['labels']): number[] {
  return labels.flatMap(({ value }, index) => (later.includes(value) && !drawn.includes(value) ? [index + 1] : []))
}

/**
 * Which pixels of a sample teach: one byte each, not 0 where it does; null where all do. Throws CodedError('bad-request') when
 * there are not as many as pixels.
 */
export function trustedPixels({ trusted, width, height }: TrainingSample): Uint8Array | null {
  if (trusted === undefined) return null
  if (trusted.length !== width * height) {
    throw new CodedError('bad-request', `A training slice has ${trusted.length} marks of what teaches for its pixels.`)
  }
  return trusted
}

/** Pixels that nobody trusts teach nothing. */
export function ignoreOthers(classes: Uint8Array, trusted: Uint8Array): void {
  for (let i = 0; i < classes.length; i++) if (trusted[i] === 0) classes[i] = IGNORED
}

/** The class of each pixel of a sample. Throws CodedError('bad-request') when there are not as many labels as pixels. */
export function classesOfLabels(sample: TrainingSample, labels: ModelCard['labels']): Uint8Array {
  if (sample.labels.length !== sample.width * sample.height) {
    throw new CodedError('bad-request', `A training slice has ${sample.labels.length} labels for its pixels.`)
  }
  const classOf = new Uint8Array(256).fill(IGNORED)
  classOf[0] = 0
  labels.forEach(({ value }, index) => (classOf[value] = index + 1))
  const classes = new Uint8Array(sample.labels.length)
  for (let i = 0; i < classes.length; i++) classes[i] = classOf[sample.labels[i] ?? 0] ?? IGNORED
  return classes
}
