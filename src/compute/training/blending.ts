import type { Evaluation } from './evaluate.ts'
import type { Optimizer } from './optimizer.ts'

/** The weights of a network and how it is measured with them. */
export interface Measured extends Evaluation {
  readonly weights: readonly Float32Array[]
}

/** Shares of the parent, the first one first. */
const SHARES = [0.5, 0.25]
/** Of Dice on the slices that are measured: what the blend may lose of what was learned. Gross errors stay corrected. */
const LOST = 0.05

/**
 * Weights between those of the parent and those that a training came to (Wortsman et al., arXiv 2109.01903): half of each, or
 * a quarter of the parent's, or none, by which of these first is hardly worse than what was learned, on the slices that are
 * measured, and no worse than the parent. What two versions learned apart from each other and by chance is halved this way, and what both learned stays: over many
 * short trainings one after the other, models rise more steadily and forget less. Leaves the optimizer's weights as the
 * result has them.
 *
 * @param parent Weights before the training, and how they were measured.
 * @param trained The same of its best ones; where they are the parent's own, they are the result.
 */
export async function blended(
  optimizer: Optimizer,
  parent: Measured,
  trained: Measured,
  measure: () => Promise<Evaluation>,
): Promise<Measured> {
  const wanted = Math.max(parent.dice, trained.dice - LOST)
  for (const share of trained.weights === parent.weights ? [] : SHARES) {
    const weights = between(parent.weights, trained.weights, share)
    optimizer.restore(weights)
    const now = await measure()
    if (Number.isFinite(now.loss) && now.dice >= wanted) return { ...now, weights }
  }
  optimizer.restore(trained.weights)
  return trained
}

function between(a: readonly Float32Array[], b: readonly Float32Array[], share: number): Float32Array[] {
  return b.map((values, at) => values.map((value, i) => share * (a[at]?.[i] ?? NaN) + (1 - share) * value))
}
