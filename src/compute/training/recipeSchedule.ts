import type { OptimizerSettings } from '../../core/contract/recipes.ts'

/** How far a training is. */
export interface Progress {
  /** Of all epochs together, from 0 on. */
  readonly step: number
  readonly steps: number
  /**
   * What the epochs before this one came to, in their order: the validation loss, or the training loss where nothing is
   * validated. `plateau` follows from these alone, so that a training which was interrupted goes on alike.
   */
  readonly losses: readonly number[]
}

/** One-cycle: the share of the steps in which the rate rises, and the factors below its peak at both ends. */
const RISE = 0.3
const FIRST = 25
const LAST = 25e4
/** An epoch is better than another by this share at least. */
const THRESHOLD = 1e-4

/**
 * The learning rate of a step.
 * - cosine: half a cosine from the peak to 0 (Loshchilov and Hutter, arXiv 1608.03983, without restarts);
 * - one-cycle: half a cosine up from a twenty-fifth and half a cosine down to almost nothing (Smith and Topin, arXiv
 *   1708.07120, with PyTorch's defaults; the momentum stays);
 * - plateau: the peak, times `factor` after each `patience` epochs without one better than the best before.
 */
export function learningRateOf(settings: OptimizerSettings, { step, steps, losses }: Progress): number {
  const { rate, schedule, patience, factor } = settings
  switch (schedule) {
    case 'constant':
      return rate
    case 'cosine':
      return rate * fall(Math.min(1, step / Math.max(1, steps)))
    case 'one-cycle': {
      const [first, last] = [rate / FIRST, rate / LAST]
      const peak = Math.max(0, RISE * steps - 1)
      if (step < peak) return first + (rate - first) * (1 - fall(step / peak))
      return last + (rate - last) * fall(Math.min(1, (step - peak) / Math.max(1e-9, steps - 1 - peak)))
    }
    case 'plateau':
      return rate * factor ** falls(losses, patience)
  }
}

/** From 1 at 0 to 0 at 1. */
function fall(share: number): number {
  return 0.5 * (1 + Math.cos(Math.PI * share))
}

/** How often there were `patience` epochs in a row that were no better than the best before. */
function falls(losses: readonly number[], patience: number): number {
  let best = Infinity
  let waited = 0
  let count = 0
  for (const loss of losses) {
    if (loss < best * (1 - THRESHOLD) || best === Infinity) {
      best = Math.min(best, loss)
      waited = 0
    } else if (++waited >= patience) {
      count++
      waited = 0
    }
  }
  return count
}
