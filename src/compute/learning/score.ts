import { CodedError } from '../../core/contract/errors.ts'
import { trustedPixels } from '../data/trainingImage.ts'
import { predictSlices } from '../inference/predict.ts'
import type { TrainingSample } from '../../core/contract/compute.ts'
import type { RunOptions } from '../inference/network.ts'
import type { AnyModel } from '../models/cache.ts'

/** Pixels of one label in one slice, over those that teach. */
export interface LabelOverlap {
  readonly label: number
  readonly both: number
  readonly predicted: number
  readonly truth: number
}

export interface ScoredSlice {
  /** Every label that is predicted or true there, background too, ascending. */
  readonly overlaps: LabelOverlap[]
  /** Pixels whose label a person would have to change. */
  readonly changed: number
}

/**
 * Holds what a model predicts, as it would be shown, against labels, slice by slice in the order given: over the pixels that
 * teach alone. Throws CodedError('bad-request') where labels do not fit their slice, before anything is predicted; and as
 * predictSlices does.
 */
export async function scoreSlices(
  model: AnyModel,
  samples: readonly TrainingSample[],
  options: RunOptions = {},
): Promise<ScoredSlice[]> {
  const truths = samples.map((sample) => {
    if (sample.labels.length !== sample.width * sample.height) {
      throw new CodedError('bad-request', `A slice to score has ${sample.labels.length} labels for its pixels.`)
    }
    return { labels: sample.labels, trusted: trustedPixels(sample) }
  })
  if (samples.length === 0) return []
  const predicted = await predictSlices(model, samples, options)
  return truths.map(({ labels, trusted }, i) => compare(predicted[i]?.labels ?? new Uint8Array(), labels, trusted))
}

function compare(predicted: Uint8Array, truth: Uint8Array, trusted: Uint8Array | null): ScoredSlice {
  const [found, wanted, both] = [new Uint32Array(256), new Uint32Array(256), new Uint32Array(256)]
  let changed = 0
  for (let i = 0; i < truth.length; i++) {
    if (trusted?.[i] === 0) continue
    const [p, t] = [predicted[i] ?? 0, truth[i] ?? 0]
    found[p] = (found[p] ?? 0) + 1
    wanted[t] = (wanted[t] ?? 0) + 1
    if (p === t) both[p] = (both[p] ?? 0) + 1
    else changed++
  }
  const overlaps = Array.from({ length: 256 }, (_, label): LabelOverlap => {
    return { label, both: both[label] ?? 0, predicted: found[label] ?? 0, truth: wanted[label] ?? 0 }
  })
  return { overlaps: overlaps.filter((each) => each.predicted + each.truth > 0), changed }
}
