/** How a network does on slices that are measured again and again. */
export interface Agreement {
  /**
   * Mean over the labels that occur of the Dice over all slices together, each with the root of its pixels for a weight, as the loss
   * has it: a stray pixel of a prediction that was taken over is no label like others. 1 where nothing is labelled nor predicted.
   */
  readonly dice: number
  /** Where a pixel that teaches is predicted wrongly: 1, else 0. A map a slice, height x width. */
  readonly wrong: readonly Uint8Array[]
}

export interface Tally {
  /** `pixel` is y * width + x of the slice; classes as a TrainingImage has them, none of them IGNORED. */
  add(slice: number, pixel: number, predicted: number, wanted: number): void
  agreement(): Agreement
}

export function createTally(
  classCount: number,
  slices: readonly { readonly width: number; readonly height: number }[],
): Tally {
  const both = new Float64Array(classCount)
  const predicted = new Float64Array(classCount)
  const truth = new Float64Array(classCount)
  const wrong = slices.map(({ width, height }) => new Uint8Array(width * height))
  return {
    add(slice, pixel, got, want) {
      predicted[got] = (predicted[got] ?? 0) + 1
      truth[want] = (truth[want] ?? 0) + 1
      const map = wrong[slice]
      if (got === want) both[got] = (both[got] ?? 0) + 1
      else if (map !== undefined) map[pixel] = 1
    },
    agreement: () => ({ dice: meanDice(both, predicted, truth), wrong }),
  }
}

/** Dice = 2 |A and B| / (|A| + |B|) by label, averaged over the labels of the truth as Agreement says; counts by class. */
export function meanDice(both: Float64Array, predicted: Float64Array, truth: Float64Array): number {
  let sum = 0
  let weights = 0
  let stray = 0
  for (let c = 1; c < truth.length; c++) {
    stray += predicted[c] ?? 0
    const count = truth[c] ?? 0
    if (count === 0) continue
    const weight = Math.sqrt(count)
    sum += (weight * 2 * (both[c] ?? 0)) / ((predicted[c] ?? 0) + count)
    weights += weight
  }
  if (weights > 0) return sum / weights
  return stray === 0 ? 1 : 0
}

/** Pixels that were predicted wrongly at first, and how many of them are right by now. */
export interface Mistakes {
  readonly count: number
  readonly mended: number
}

export function mistakesMended(first: Agreement['wrong'], now: Agreement['wrong']): Mistakes {
  let count = 0
  let mended = 0
  for (const [slice, map] of first.entries()) {
    const left = now[slice]
    for (let i = 0; i < map.length; i++) {
      if (map[i] === 0) continue
      count++
      if (left?.[i] === 0) mended++
    }
  }
  return { count, mended }
}
