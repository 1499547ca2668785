import { createRandom } from '../data/random.ts'

/**
 * Two numbers that stand for many: their length (square root of the sum of squares), which notices a wrong scale, and
 * their product with fixed random numbers in [-1, 1), which notices values that are in the wrong place or sign.
 */
export type Summary = readonly [length: number, product: number]

/** What a small training gives: enough to notice a wrong kernel in forward pass, loss, gradients or optimizer. */
export interface SelfTestNumbers {
  /** Of the logits before the first step. */
  readonly forward: Summary
  /** Of each step. */
  readonly losses: readonly number[]
  /** Of each step, by variable in the network's order, before the optimizer. */
  readonly gradients: readonly (readonly Summary[])[]
  /** Of each weight after the last step, the ones that are not trained too, in the network's order. */
  readonly weights: readonly Summary[]
}

/** Relative: kernels add in other orders. */
const TOLERANCE = 1e-3
/**
 * Of the second step's gradients. The first step of Adam follows the sign of each gradient alone, so that a weight whose
 * gradient is next to nothing may go the other way.
 */
const SECOND_TOLERANCE = 2e-2
/** A variable whose gradient is this small a part of all is compared with that part: next to nothing is all rounding. */
const LEAST_PART = 1e-2

export function summary(values: Float32Array): Summary {
  const random = createRandom(11)
  let squares = 0
  let product = 0
  for (const value of values) {
    squares += value * value
    product += value * (2 * random() - 1)
  }
  return [Math.sqrt(squares), product]
}

/** What differs, as a sentence; null when nothing does. */
export function compare(got: SelfTestNumbers, want: SelfTestNumbers): string | null {
  const [firstGradients = [], ...laterGradients] = want.gradients
  const [first, ...later] = got.gradients
  return (
    compareAll('forward pass', [got.forward], [want.forward], TOLERANCE) ??
    compareLosses(got.losses.slice(0, 1), want.losses.slice(0, 1)) ??
    compareAll('gradients', first ?? [], firstGradients, TOLERANCE) ??
    compareLosses(got.losses, want.losses) ??
    compareAll('weights after the optimizer', got.weights, want.weights, TOLERANCE) ??
    compareAll('gradients of the second step', later[0] ?? [], laterGradients[0] ?? [], SECOND_TOLERANCE)
  )
}

function compareLosses(got: readonly number[], want: readonly number[]): string | null {
  for (const [step, expected] of want.entries()) {
    const value = got[step] ?? NaN
    // Written so that what is not a number differs.
    if (!(Math.abs(value - expected) <= TOLERANCE * Math.max(1, expected))) return sentence('loss', value, expected)
  }
  return null
}

function compareAll(what: string, got: readonly Summary[], want: readonly Summary[], tolerance: number): string | null {
  if (got.length !== want.length) return sentence(`number of ${what}`, got.length, want.length)
  const all = Math.sqrt(want.reduce((sum, [length]) => sum + length ** 2, 0))
  for (const [index, expected] of want.entries()) {
    const allowed = tolerance * Math.max(expected[0], LEAST_PART * all)
    for (const place of [0, 1] as const) {
      const value = got[index]?.[place] ?? NaN
      if (!(Math.abs(value - expected[place]) <= allowed)) return sentence(what, value, expected[place])
    }
  }
  return null
}

function sentence(what: string, value: number, expected: number): string {
  return `The ${what} gave ${Number(value.toPrecision(6))} instead of ${expected}.`
}
