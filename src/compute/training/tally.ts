/** How a network does on slices that are measured again and again. */
export interface Agreement {
  /**
   * Mean over the labels that occur of the Dice over all slices together, each with the root of its pixels for a weight, as
   * cross-entropy has it in training: a stray pixel of a prediction that was taken over is no label like others. 1 where nothing is
   * labelled nor predicted.
   */
  readonly dice: number
  /** By class, of all slices together: background first. */
  readonly classes: readonly { readonly pixels: number; readonly dice: number }[]
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
    agreement() {
      const classes = Array.from(truth, (pixels, c) => {
        const all = (predicted[c] ?? 0) + pixels
        return { pixels, dice: all === 0 ? 1 : (2 * (both[c] ?? 0)) / all }
      })
      return { dice: meanDice(both, predicted, truth), classes, wrong }
    },
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

/** Pixels of the measured slices. */
export interface Mistakes {
  /** Predicted wrongly at first. */
  readonly count: number
  /** Of these, right by now. */
  readonly mended: number
  /** Right at first, and no longer. */
  readonly broken: number
}

export function mistakesOf(first: Agreement['wrong'], now: Agreement['wrong']): Mistakes {
  let [count, mended, broken] = [0, 0, 0]
  for (const [slice, map] of first.entries()) {
    const left = now[slice]
    for (let i = 0; i < map.length; i++) {
      if (map[i] === 0) {
        if (left?.[i] === 1) broken++
        continue
      }
      count++
      if (left?.[i] === 0) mended++
    }
  }
  return { count, mended, broken }
}

/** So many pixels may break for one that is mended. */
const BREAKS = 4
/** A label of fewer pixels is often a slip of a prediction that was taken over. */
export const SLIP_PIXELS = 16

/**
 * How far a mended slice may agree less with what was taken over, 0 to 1: as much of its mistakes as is mended, less where more
 * than four pixels broke for each. Nothing where less than half is mended, or a label lost more than half of its Dice.
 */
export function leniency(first: Agreement, now: Agreement): number {
  const lost = first.classes.some(
    ({ pixels, dice }, c) => c > 0 && pixels >= SLIP_PIXELS && (now.classes[c]?.dice ?? 0) < dice / 2,
  )
  if (lost) return 0
  const { count, mended, broken } = mistakesOf(first.wrong, now.wrong)
  if (2 * mended < count) return 0
  return (mended / Math.max(1, count)) * Math.min(1, (BREAKS * mended) / Math.max(1, broken))
}
