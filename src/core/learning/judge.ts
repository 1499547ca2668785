import { fewestPairs, meanOf, signFlipTest, standardError } from '../metrics/index.ts'
import { caseTable, meanTable, pairsOf } from './heldTable.ts'
import { asideFor, better, fallen, noNumbers, nothingToCompare, notByCase, noVersionBefore, tooFew } from './reasons.ts'
import type { Fall } from './reasons.ts'
import type { Judgement } from '../contract/learning.ts'
import type { HeldCase, HeldPair } from './heldTable.ts'

export type { HeldCase } from './heldTable.ts'

export type Judged = Pick<Judgement, 'verdict' | 'reason' | 'test' | 'cases' | 'mean'>

/**
 * From so many cases on they are the pairs; of fewer cases their slices are. Those of a case are alike, so that many of them may
 * outvote the other cases: there the means over the cases have a say too.
 */
const CASES = 5
const LEVELS = { case: 0.05, slice: 0.01 } as const

/** A label may fall by so much, and by so many of its standard errors, before the version is kept aside for that alone. */
const FALL = 0.02
const FALL_ERRORS = 2
/** What is taken for the standard error where a single pair cannot tell it. */
const LONE_ERROR = 0.05

/**
 * Holds a version against the one in use on the hold-out, and says whether it may be used:
 *
 * - `promoted`: mean Dice is higher, by a one-sided sign-flip test of the pairs, at 0.05 of five cases or more. At 0.01 of the
 *   slices of fewer, and only where the mean over the cases, each scored over all its slices, rose, and that of no label fell by
 *   more than 0.02, whatever its noise.
 * - `aside`: it is not, or some label, or the mean, fell by more than 0.02 and by more than twice its standard error, or some
 *   score is no number.
 * - `unproven`: there is nothing to compare, or too few slices for the test ever to say anything.
 *
 * @param cases Overlaps by slice, over the pixels that a person answers for; `before` null: there was no version in use.
 * @param labels Names for the sentence, in the order of the table.
 */
export function judge(cases: readonly HeldCase[], labels: readonly { value: number; name: string }[]): Judged {
  const values = labels.map(({ value }) => value)
  const table = caseTable(cases, values)
  const mean = meanTable(table, values)
  const found = { cases: table, mean, test: null }
  const held = cases.filter(({ slices }) => slices.length > 0)
  if (held.length === 0) return { ...found, verdict: 'unproven', reason: nothingToCompare() }
  if (held.some(({ slices }) => slices.some(({ before }) => before === null))) {
    return { ...found, verdict: 'unproven', reason: noVersionBefore() }
  }
  const whole = pairsIn(held, values)
  const unit: keyof typeof LEVELS = whole.case.length >= CASES ? 'case' : 'slice'
  const all = labels.map(({ value, name }) => ({ name, pairs: pairsIn(held, [value]) }))
  const differences = differencesOf(whole[unit])
  if (![differences, ...all.map(({ pairs }) => differencesOf(pairs[unit]))].flat().every(Number.isFinite)) {
    return { ...found, verdict: 'aside', reason: noNumbers() }
  }
  const level = LEVELS[unit]
  const result = signFlipTest(differences)
  const test = differences.length === 0 ? null : { ...result, kind: 'sign-flip' as const, unit, level }
  const aside = (reason: string): Judged => ({ ...found, test, verdict: 'aside', reason })
  const fell = ({ pairs }: { readonly pairs: Pairs }): boolean => hasFallen(differencesOf(pairs[unit]))
  const together = { name: null, pairs: whole }
  const worse = lowest(all.filter(fell), unit) ?? (fell(together) ? together : undefined)
  if (worse !== undefined) return aside(fallen(worse.name, shownMeans(worse.pairs, unit)))
  if (differences.length < fewestPairs(level)) {
    return { ...found, test, verdict: 'unproven', reason: tooFew(differences.length, fewestPairs(level)) }
  }
  const change = {
    cases: whole.case.length,
    slices: unit === 'slice' ? differences.length : null,
    ...meansOf(whole.case),
  }
  if (result.p > level) return aside(asideFor(change, result.p, level))
  if (unit === 'slice') {
    const lower = lowest(
      all.filter(({ pairs }) => meanOf(differencesOf(pairs.case)) < -FALL),
      'case',
    )
    if (lower !== undefined) return aside(fallen(lower.name, { ...meansOf(lower.pairs.case), of: 'pooled' }))
    if (meanOf(differencesOf(whole.case)) <= 0) return aside(notByCase(change))
  }
  return { ...found, test, verdict: 'promoted', reason: better(change, result.p) }
}

interface Pairs {
  readonly case: readonly HeldPair[]
  readonly slice: readonly HeldPair[]
}

function pairsIn(held: readonly HeldCase[], labels: readonly number[]): Pairs {
  return { case: pairsOf(held, 'case', labels), slice: pairsOf(held, 'slice', labels) }
}

function differencesOf(pairs: readonly HeldPair[]): number[] {
  return pairs.map(({ before, after }) => after - before)
}

/** What fell most; the first one of such as fell alike. */
function lowest<T extends { readonly pairs: Pairs }>(fallen: readonly T[], unit: 'case' | 'slice'): T | undefined {
  const change = ({ pairs }: T): number => meanOf(differencesOf(pairs[unit]))
  return fallen.reduce<T | undefined>(
    (low, each) => (low === undefined || change(each) < change(low) ? each : low),
    undefined,
  )
}

function meansOf(pairs: readonly HeldPair[]): HeldPair {
  return { before: meanOf(pairs.map(({ before }) => before)), after: meanOf(pairs.map(({ after }) => after)) }
}

/** Over the cases, as the table has them; over the slices where these alone fell. */
function shownMeans(pairs: Pairs, unit: 'case' | 'slice'): Fall {
  const means = meansOf(pairs.case)
  if (unit === 'case' || means.after < means.before) return { ...means, of: 'case' }
  return { ...meansOf(pairs.slice), of: 'slice' }
}

/** By more than may be, and by more than its noise. */
function hasFallen(differences: readonly number[]): boolean {
  if (differences.length === 0) return false
  const error = differences.length < 2 ? LONE_ERROR : standardError(differences)
  return -meanOf(differences) > Math.max(FALL, FALL_ERRORS * error)
}
