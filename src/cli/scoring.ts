import type { ComputePort } from '../backend/index.ts'
import { overlaps } from '../core/metrics/index.ts'
import { readPair, type Pair } from './cases.ts'
import { predictVolume } from './inference.ts'

/** Dice by label value as text, over all voxels of all cases, and their mean; each 0 to 1. */
export type Scores = Readonly<Record<string, number>> & { readonly mean: number }

/**
 * Predicts every case with each model and compares with the masks.
 *
 * @returns One score per model, in their order. A label that occurs in no mask and no prediction does not count.
 */
export async function scoreModels(
  compute: ComputePort,
  modelDirs: readonly string[],
  pairs: readonly Pair[],
  options: { signal: AbortSignal; onProgress: (what: string, done: number, total: number) => void },
): Promise<Scores[]> {
  const counts = modelDirs.map(() => new Map<number, { both: number; sum: number }>())
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
        const count = counts[at]?.get(label) ?? { both: 0, sum: 0 }
        counts[at]?.set(label, {
          both: count.both + overlap.both,
          sum: count.sum + overlap.first + overlap.second,
        })
      }
    }
  }
  // One list of labels for all models, so that their means are over the same.
  const labels = [...new Set(counts.flatMap((count) => [...count.keys()]))].sort((a, b) => a - b)
  return counts.map((count) => {
    const dice = labels.map((label) => {
      const found = count.get(label)
      return found === undefined ? 0 : (2 * found.both) / found.sum
    })
    const mean = dice.length === 0 ? 1 : dice.reduce((sum, value) => sum + value, 0) / dice.length
    const rounded = (value: number) => Number(value.toFixed(6))
    return { ...Object.fromEntries(labels.map((label, at) => [label, rounded(dice[at] ?? 0)])), mean: rounded(mean) }
  })
}
