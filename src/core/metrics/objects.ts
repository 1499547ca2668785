/** How well objects were found, as the 2018 Data Science Bowl scores it. */
export interface ObjectScores {
  /** Precision TP / (TP + FP + FN) at an IoU above 0.5; 1 where there is nothing and nothing was found. */
  readonly ap50: number
  /** The mean of it over the thresholds 0.5, 0.55 … 0.95. */
  readonly ap: number
  /** At an IoU above 0.5: objects found, found where none is, and missed. */
  readonly tp: number
  readonly fp: number
  readonly fn: number
}

/** In twentieths, so that no threshold is rounded. */
const THRESHOLDS = [10, 11, 12, 13, 14, 15, 16, 17, 18, 19]

/**
 * Compares objects by their numbers, 0 being none; which number an object has does not matter. A predicted object counts
 * as found where its IoU with one of the truth is above the threshold; above one half there is at most one such pair for each.
 */
export function objectScores(truth: Uint32Array, predicted: Uint32Array): ObjectScores {
  if (truth.length !== predicted.length) throw new RangeError(`objects: ${truth.length} and ${predicted.length} voxels`)
  const { truths, predictions, pairs } = countPairs(truth, predicted)
  const found = THRESHOLDS.map(() => 0)
  for (const [t, p, shared] of pairs) {
    const union = (truths[t] ?? 0) + (predictions[p] ?? 0) - shared
    for (const [at, threshold] of THRESHOLDS.entries())
      if (20 * shared > threshold * union) found[at] = (found[at] ?? 0) + 1
  }
  const all = truths.length + predictions.length
  const precisions = found.map((hits) => (all === 0 ? 1 : hits / (all - hits)))
  const tp = found[0] ?? 0
  return {
    ap50: precisions[0] ?? 1,
    ap: precisions.reduce((sum, value) => sum + value, 0) / precisions.length,
    tp,
    fp: predictions.length - tp,
    fn: truths.length - tp,
  }
}

interface PairCounts {
  /** Voxels of each object. */
  readonly truths: readonly number[]
  readonly predictions: readonly number[]
  /** Objects by their place in the lists, and the voxels that they share. */
  readonly pairs: readonly (readonly [number, number, number])[]
}

function countPairs(truth: Uint32Array, predicted: Uint32Array): PairCounts {
  const truths = new Tally()
  const predictions = new Tally()
  // By the place of the predicted object, for each true one.
  const shared: Map<number, number>[] = []
  for (let i = 0; i < truth.length;) {
    const t = truth[i] ?? 0
    const p = predicted[i] ?? 0
    let end = i + 1
    while (end < truth.length && truth[end] === t && predicted[end] === p) end++
    const at = t === 0 ? -1 : truths.add(t, end - i)
    const found = p === 0 ? -1 : predictions.add(p, end - i)
    if (at >= 0 && found >= 0) {
      const row = (shared[at] ??= new Map<number, number>())
      row.set(found, (row.get(found) ?? 0) + end - i)
    }
    i = end
  }
  const pairs = shared.flatMap((row, t) => [...row].map(([p, voxels]) => [t, p, voxels] as const))
  return { truths: truths.counts, predictions: predictions.counts, pairs }
}

/** Voxels by object, objects numbered as they come. */
class Tally {
  readonly counts: number[] = []
  readonly #places = new Map<number, number>()

  /** @returns The object's place in `counts`. */
  add(id: number, voxels: number): number {
    const place = this.#places.get(id) ?? this.counts.length
    if (place === this.counts.length) this.#places.set(id, place)
    this.counts[place] = (this.counts[place] ?? 0) + voxels
    return place
  }
}
