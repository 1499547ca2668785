import type { ComputePort } from '../backend/index.ts'
import { diceOf, overlaps, type Overlap } from '../core/metrics/index.ts'
import { readPair, type Pair } from './cases.ts'
import { predictVolume } from './inference.ts'

/** Dice by label value as text, over all voxels of all cases, and their mean; each 0 to 1. */
export type Scores = Readonly<Record<string, number>> & { readonly mean: number }

const nowhere: Overlap = { first: 0, second: 0, both: 0 }

/**
 * Predicts every case with each model and compares with the masks.
 *
 * @returns One score per model, in their order. A label that occurs in no mask and in no model's prediction does not
 *   count; one that a model leaves out where no mask has it is 1.
 */
export async function scoreModels(
  compute: ComputePort,
  modelDirs: readonly string[],
  pairs: readonly Pair[],
  options: { signal: AbortSignal; onProgress: (what: string, done: number, total: number) => void },
): Promise<Scores[]> {
  const counts = modelDirs.map(() => new Map<number, Overlap>())
  const steps = pairs.length * modelDirs.length
  let step = 0
  for (const pair of pairs) {
    const { image, labels } = await readPair(pair, options.signal)
    for (const [at, modelDir] of modelDirs.entries()) {
      const predicted = await predictVolume(compute, modelDir, image, {
        signal: options.signal,
        onProgress: (done, total) => options.onProgress(`scoring ${pair.id}`, step + done / total, steps),
      })
      step += 1
      for (const [label, overlap] of overlaps(labels, predicted)) {
        const count = counts[at]?.get(label) ?? nowhere
        counts[at]?.set(label, {
          first: count.first + overlap.first,
          second: count.second + overlap.second,
          both: count.both + overlap.both,
        })
      }
    }
  }
  // One list of labels for all models, so that their means are over the same.
  const labels = [...new Set(counts.flatMap((count) => [...count.keys()]))].sort((a, b) => a - b)
  return counts.map((count) => {
    const dice = labels.map((label) => diceOf(count.get(label) ?? nowhere))
    const mean = dice.length === 0 ? 1 : dice.reduce((sum, value) => sum + value, 0) / dice.length
    const rounded = (value: number) => Number(value.toFixed(6))
    return { ...Object.fromEntries(labels.map((label, at) => [label, rounded(dice[at] ?? 0)])), mean: rounded(mean) }
  })
}
