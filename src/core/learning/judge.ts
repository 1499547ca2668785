import { fewestPairs, meanOf, signFlipTest, standardError } from '../metrics/index.ts'
import { caseTable, differencesOf, meanTable } from './heldTable.ts'
import { asideFor, better, fallen, noNumbers, nothingToCompare, noVersionBefore, tooFew } from './reasons.ts'
import type { Judgement } from '../contract/learning.ts'
import type { HeldCase } from './heldTable.ts'

export type { HeldCase } from './heldTable.ts'

export type Judged = Pick<Judgement, 'verdict' | 'reason' | 'test' | 'cases' | 'mean'>

/** From so many cases on they are the pairs; of fewer cases their slices are, which say less, being alike. */
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
 * - `promoted`: mean Dice is higher, by a one-sided sign-flip test of the pairs, at 0.05 of five cases or more, at 0.01 of the
 *   slices of fewer.
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
  const byCase = differencesOf(held, 'case', values)
  const unit: keyof typeof LEVELS = byCase.length >= CASES ? 'case' : 'slice'
  const differences = unit === 'case' ? byCase : differencesOf(held, unit, values)
  const all = values.map((value) => ({ value, differences: differencesOf(held, unit, [value]) }))
  if (![differences, ...all.map((each) => each.differences)].flat().every(Number.isFinite)) {
    return { ...found, verdict: 'aside', reason: noNumbers() }
  }
  const whole = mean.find(({ label }) => label === null)
  const change = { unit, pairs: differences.length, before: whole?.before ?? 0, after: whole?.after ?? 0 } as const
  const worse = all.find((each) => hasFallen(each.differences))
  const level = LEVELS[unit]
  const result = signFlipTest(differences)
  const test = differences.length === 0 ? null : { ...result, kind: 'sign-flip' as const, unit, level }
  if (worse !== undefined) {
    const own = mean.find(({ label }) => label === worse.value)
    const name = labels.find(({ value }) => value === worse.value)?.name ?? `label ${worse.value}`
    return { ...found, test, verdict: 'aside', reason: fallen(name, own?.before ?? null, own?.after ?? null) }
  }
  if (hasFallen(differences))
    return { ...found, test, verdict: 'aside', reason: fallen(null, whole?.before ?? null, whole?.after ?? null) }
  if (differences.length < fewestPairs(level)) {
    return { ...found, test, verdict: 'unproven', reason: tooFew(differences.length, fewestPairs(level)) }
  }
  return result.p <= level
    ? { ...found, test, verdict: 'promoted', reason: better(change, result.p) }
    : { ...found, test, verdict: 'aside', reason: asideFor(change, result.p, level) }
}

/** By more than may be, and by more than its noise. */
function hasFallen(differences: readonly number[]): boolean {
  if (differences.length === 0) return false
  const error = differences.length < 2 ? LONE_ERROR : standardError(differences)
  return -meanOf(differences) > Math.max(FALL, FALL_ERRORS * error)
}
