import { diceOf } from '../metrics/index.ts'
import type { Judgement } from '../contract/learning.ts'

/** Pixels of one label, over those of a slice that a person answers for; `score` of the compute contract. */
export interface HeldOverlap {
  readonly label: number
  readonly both: number
  readonly predicted: number
  readonly truth: number
}

/** What two versions predicted of a slice of the hold-out. */
export interface HeldSlice {
  /** null: there was no version in use. */
  readonly before: readonly HeldOverlap[] | null
  readonly after: readonly HeldOverlap[]
}

export interface HeldCase {
  readonly caseId: string
  readonly name: string
  readonly slices: readonly HeldSlice[]
}

/** Dice of the two versions on the same slices. */
export interface HeldPair {
  readonly before: number
  readonly after: number
}

type CaseRow = Judgement['cases'][number]
type DiceRow = CaseRow['dice'][number]

/** By case: Dice over all its slices together, of each label that occurs in it, and first their mean. */
export function caseTable(cases: readonly HeldCase[], labels: readonly number[]): CaseRow[] {
  return cases.map(({ caseId, name, slices }) => {
    const dice = labels
      .map((label): DiceRow => ({
        label,
        before: shownDice(slices, 'before', label),
        after: shownDice(slices, 'after', label),
      }))
      .filter(({ before, after }) => before !== null || after !== null)
    const means = { before: meanDice(slices, 'before', labels), after: meanDice(slices, 'after', labels) }
    return { caseId, name, slices: slices.length, dice: [{ label: null, ...means }, ...dice] }
  })
}

/** Means over the cases that have a value: of the cases' means first, then by label. */
export function meanTable(cases: readonly CaseRow[], labels: readonly number[]): DiceRow[] {
  return [null, ...labels].map((label): DiceRow => {
    const rows = cases.flatMap(({ dice }) => dice.filter((row) => row.label === label))
    return {
      label,
      before: meanOfSome(rows.map(({ before }) => before)),
      after: meanOfSome(rows.map(({ after }) => after)),
    }
  })
}

/**
 * Before and after, of each case or each slice that has anything to compare: of the mean over those of the labels that occur. What
 * predicts a label where there is none loses all of its Dice there against what does not.
 */
export function pairsOf(cases: readonly HeldCase[], unit: 'case' | 'slice', labels: readonly number[]): HeldPair[] {
  const ofCases = cases.map(({ slices }) => slices)
  const groups = unit === 'case' ? ofCases : ofCases.flat().map((slice) => [slice])
  return groups.flatMap((slices) => {
    const [before, after] = [meanDice(slices, 'before', labels), meanDice(slices, 'after', labels)]
    return before === null || after === null ? [] : [{ before, after }]
  })
}

interface Sum {
  both: number
  predicted: number
  truth: number
}

/** null where nobody asked the version, or neither it nor the truth has the label. */
function shownDice(slices: readonly HeldSlice[], side: 'before' | 'after', label: number): number | null {
  const sum = sumOf(slices, side, label)
  return asked(slices, side) && occurs(sum) ? dice(sum) : null
}

/** Over the labels that are there, or that either version says are there: the same for both. */
function meanDice(slices: readonly HeldSlice[], side: 'before' | 'after', labels: readonly number[]): number | null {
  if (!asked(slices, side)) return null
  const there = labels.filter(
    (label) => occurs(sumOf(slices, 'before', label)) || occurs(sumOf(slices, 'after', label)),
  )
  return meanOfSome(there.map((label) => dice(sumOf(slices, side, label))))
}

function asked(slices: readonly HeldSlice[], side: 'before' | 'after'): boolean {
  return slices.every((slice) => slice[side] !== null)
}

function sumOf(slices: readonly HeldSlice[], side: 'before' | 'after', label: number): Sum {
  const sum = { both: 0, predicted: 0, truth: 0 }
  for (const slice of slices) {
    for (const each of slice[side] ?? []) {
      if (each.label !== label) continue
      sum.both += each.both
      sum.predicted += each.predicted
      sum.truth += each.truth
    }
  }
  return sum
}

function occurs({ predicted, truth }: Sum): boolean {
  return predicted + truth !== 0
}

/** 1 where neither has the label. */
function dice({ both, predicted, truth }: Sum): number {
  return diceOf({ both, first: predicted, second: truth })
}

function meanOfSome(values: readonly (number | null)[]): number | null {
  const some = values.filter((value) => value !== null)
  return some.length === 0 ? null : some.reduce((sum, value) => sum + value, 0) / some.length
}
