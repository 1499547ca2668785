import { networkLayout, type ComputePort } from '../backend/index.ts'
import { extractSlice } from '../core/labelmap/index.ts'
import type { HeldCase } from '../core/learning/judge.ts'
import type { Axis, Dims } from '../core/contract/schemas.ts'
import { diceOf, overlaps, type Overlap } from '../core/metrics/index.ts'
import { readPair, type Pair } from './cases.ts'
import { predictVolume } from './inference.ts'

/** Dice by label value as text, over all voxels of all cases, and their mean; each 0 to 1. */
export type Scores = Readonly<Record<string, number>> & { readonly mean: number }

/** What models are judged by: one score a model, in their order, and by case and slice what two of them predicted. */
export interface Compared {
  readonly scores: Scores[]
  readonly held: HeldCase[]
}

const nowhere: Overlap = { first: 0, second: 0, both: 0 }

/**
 * Predicts every case with each model and compares with the masks.
 *
 * @returns Scores: a label that occurs in no mask and in no model's prediction does not
 *   count; one that a model leaves out where no mask has it is 1.
 */
export async function scoreModels(
  compute: ComputePort,
  modelDirs: readonly string[],
  pairs: readonly Pair[],
  options: { signal: AbortSignal; onProgress: (what: string, done: number, total: number) => void },
): Promise<Compared> {
  const counts = modelDirs.map(() => new Map<number, Overlap>())
  const held: HeldCase[] = []
  const steps = pairs.length * modelDirs.length
  let step = 0
  for (const pair of pairs) {
    const { image, labels } = await readPair(pair, options.signal)
    const axis = networkLayout(image.dims, image.affine, image.spacing).sliceAxis
    const bySlice: HeldCase['slices'][number]['after'][][] = []
    for (const [at, modelDir] of modelDirs.entries()) {
      const predicted = await predictVolume(compute, modelDir, image, {
        signal: options.signal,
        onProgress: (done, total) => options.onProgress(`scoring ${pair.id}`, step + done / total, steps),
      })
      step += 1
      bySlice.push(slicesOf(image.dims, axis, labels, predicted))
      for (const [label, overlap] of overlaps(labels, predicted)) {
        const count = counts[at]?.get(label) ?? nowhere
        counts[at]?.set(label, {
          first: count.first + overlap.first,
          second: count.second + overlap.second,
          both: count.both + overlap.both,
        })
      }
    }
    const [before = [], after = []] = bySlice
    const slices = after.map((overlap, index) => ({ before: before[index] ?? null, after: overlap }))
    held.push({ caseId: pair.id, name: pair.id, slices })
  }
  // One list of labels for all models, so that their means are over the same.
  const labels = [...new Set(counts.flatMap((count) => [...count.keys()]))].sort((a, b) => a - b)
  const scores = counts.map((count) => {
    const dice = labels.map((label) => diceOf(count.get(label) ?? nowhere))
    const mean = dice.length === 0 ? 1 : dice.reduce((sum, value) => sum + value, 0) / dice.length
    const rounded = (value: number) => Number(value.toFixed(6))
    return { ...Object.fromEntries(labels.map((label, at) => [label, rounded(dice[at] ?? 0)])), mean: rounded(mean) }
  })
  return { scores, held }
}

/** By slice across the axis, the overlap of each label that is true or predicted there. */
function slicesOf(
  dims: Dims,
  axis: Axis,
  truth: Uint8Array<ArrayBuffer>,
  predicted: Uint8Array<ArrayBuffer>,
): HeldCase['slices'][number]['after'][] {
  return Array.from({ length: dims[axis] }, (_, index) => {
    const found = overlaps(extractSlice(truth, dims, axis, index), extractSlice(predicted, dims, axis, index))
    return [...found].map(([label, { first, second, both }]) => ({ label, truth: first, predicted: second, both }))
  })
}
