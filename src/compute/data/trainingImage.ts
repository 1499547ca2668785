import { CodedError } from '../../core/contract/errors.ts'
import { normalizedSlice } from './intensity.ts'
import type { ModelCard, TrainingSample } from '../../core/contract/compute.ts'

/** The class of pixels that teach nothing: their label is not one of the model's. */
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
}

/** Throws CodedError('bad-request') when samples or labels do not fit the slice's size. */
export function trainingImage(sample: TrainingSample, labels: ModelCard['labels']): TrainingImage {
  const { width, height, role } = sample
  const classes = classesOfLabels(sample, labels)
  return { width, height, role, image: normalizedSlice(sample), classes }
}

/** The class of each pixel of a sample. Throws CodedError('bad-request') when there are not as many labels as pixels. */
export function classesOfLabels(sample: TrainingSample, labels: ModelCard['labels']): Uint8Array {
  if (sample.labels.length !== sample.width * sample.height) {
    throw new CodedError('bad-request', `A training slice has ${sample.labels.length} labels for its pixels.`)
  }
  const classOf = new Uint8Array(256).fill(IGNORED)
  classOf[0] = 0
  labels.forEach(({ value }, index) => (classOf[value] = index + 1))
  return Uint8Array.from(sample.labels, (label) => classOf[label] ?? IGNORED)
}
