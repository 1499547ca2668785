import { SLIP_PIXELS } from './tally.ts'
import type { ModelCard, TrainingSample } from '../../core/contract/compute.ts'
import type { TrainedModel } from './train.ts'

/** Values of the labels that the slices show more than a few pixels of, of what teaches in them. */
export function labelsShown(samples: readonly TrainingSample[], labels: ModelCard['labels']): number[] {
  const counts = new Float64Array(256)
  for (const { labels: drawn, trusted } of samples) {
    for (let i = 0; i < drawn.length; i++) {
      const value = drawn[i] ?? 0
      if (trusted?.[i] !== 0) counts[value] = (counts[value] ?? 0) + 1
    }
  }
  return labels.map(({ value }) => value).filter((value) => (counts[value] ?? 0) >= SLIP_PIXELS)
}

/**
 * For the report: labels that the model, or those before it, were shown, and of these what was not shown this time. Of a parent
 * whose report does not say so, all its labels count as shown.
 */
export function seenLabels(
  parent: ModelCard | null,
  shown: Iterable<number>,
): Pick<TrainedModel['training'], 'seen' | 'unseen'> {
  const now = new Set(shown)
  const known = parent === null ? [] : (parent.training?.seen ?? parent.labels.map(({ value }) => value))
  return {
    seen: [...new Set([...known, ...now])].sort((a, b) => a - b),
    unseen: known.filter((value) => !now.has(value)),
  }
}
