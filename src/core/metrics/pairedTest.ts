/** Whether pairs differ by more than chance explains. */
export interface PairedTest {
  readonly pairs: number
  /** Mean of the differences. */
  readonly difference: number
  /** Its standard error: their standard deviation (n - 1) over the root of their number; 0 of fewer than two. */
  readonly error: number
  /** One-sided: how likely a mean at least as large is, were each difference as likely to have the other sign. */
  readonly p: number
}

/** Up to so many pairs every choice of signs is counted; of more, this many are drawn. */
const EXACT_PAIRS = 14
const DRAWN = 10_000

/**
 * The sign-flip permutation test of a mean of differences (R. A. Fisher, The Design of Experiments, 1935, section 21): exact up
 * to 14 pairs; of more by 10,000 choices of signs from a fixed seed, the given one counted among them, so that p is never 0. It
 * asks for no distribution, only that differences were symmetric were the two alike.
 *
 * @param differences Finite.
 */
export function signFlipTest(differences: readonly number[]): PairedTest {
  const pairs = differences.length
  const difference = meanOf(differences)
  const sums = pairs <= EXACT_PAIRS ? everySum(differences) : drawnSums(differences)
  const given = pairs * difference
  // Sums of the same numbers in another order differ in their last digits.
  const almost = given - 1e-9 * differences.reduce((sum, value) => sum + Math.abs(value), 0)
  const asLarge = sums.filter((sum) => sum >= almost).length
  const p = pairs <= EXACT_PAIRS ? asLarge / sums.length : (asLarge + 1) / (sums.length + 1)
  return { pairs, difference, error: standardError(differences), p }
}

/** The smallest number of pairs that could ever show a difference at that level: all of one sign. */
export function fewestPairs(level: number): number {
  return Math.ceil(-Math.log2(level))
}

/** Of the mean; 0 of fewer than two values. */
export function standardError(values: readonly number[]): number {
  if (values.length < 2) return 0
  const mean = meanOf(values)
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return Math.sqrt(squares / (values.length - 1) / values.length)
}

/** 0 of none. */
export function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}

function everySum(differences: readonly number[]): Float64Array {
  let sums = Float64Array.of(0)
  for (const value of differences) {
    const next = new Float64Array(2 * sums.length)
    sums.forEach((sum, at) => {
      next[2 * at] = sum + value
      next[2 * at + 1] = sum - value
    })
    sums = next
  }
  return sums
}

function drawnSums(differences: readonly number[]): Float64Array {
  const coin = coins(0x9e3779b9)
  return Float64Array.from({ length: DRAWN }, () =>
    differences.reduce((sum, value) => (coin() ? sum + value : sum - value), 0),
  )
}

/** Coins from a 32-bit xorshift generator (G. Marsaglia 2003); each number gives one, its highest bit. */
function coins(seed: number): () => boolean {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state < 0
  }
}
