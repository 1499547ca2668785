import { describe, expect, it } from 'vitest'
import { judge } from './judge.ts'
import type { HeldCase } from './judge.ts'

const LABELS = [
  { value: 1, name: 'Anterior' },
  { value: 2, name: 'Posterior' },
]

/** A slice of 100 true pixels a label, of which so many were found, none beside them: Dice 2 n / (100 + n). */
function found(counts: readonly number[]) {
  return counts.map((both, i) => ({ label: i + 1, both, predicted: both, truth: 100 }))
}

/** Cases of one slice each. */
function cases(pairs: readonly (readonly [before: readonly number[], after: readonly number[]])[]): HeldCase[] {
  return pairs.map(([before, after], i) => {
    return { caseId: `c${i}`, name: `Case ${i}`, slices: [{ before: found(before), after: found(after) }] }
  })
}

const diceOf = (n: number): number => (2 * n) / (100 + n)

describe('a verdict', () => {
  it('promotes what is better on every case', () => {
    const judged = judge(
      cases([80, 78, 75, 82, 70].map((n) => [[n, n], [n + 2, n + 1]] as const)), // prettier-ignore
      LABELS,
    )
    expect(judged.verdict).toBe('promoted')
    // All of five differences are up: one choice of 32.
    expect(judged.test).toMatchObject({ kind: 'sign-flip', unit: 'case', pairs: 5, p: 1 / 32, level: 0.05 })
    const differences = [80, 78, 75, 82, 70].map((n) => (diceOf(n + 2) + diceOf(n + 1)) / 2 - diceOf(n))
    expect(judged.test?.difference).toBeCloseTo(differences.reduce((a, b) => a + b) / 5, 12)
    expect(judged.cases[0]?.dice).toEqual([
      { label: null, before: diceOf(80), after: (diceOf(82) + diceOf(81)) / 2 },
      { label: 1, before: diceOf(80), after: diceOf(82) },
      { label: 2, before: diceOf(80), after: diceOf(81) },
    ])
    expect(judged.cases[0]).toMatchObject({ caseId: 'c0', name: 'Case 0', slices: 1 })
    expect(judged.mean.map(({ label }) => label)).toEqual([null, 1, 2])
    expect(judged.mean[1]?.before).toBeCloseTo([80, 78, 75, 82, 70].map(diceOf).reduce((a, b) => a + b) / 5, 12)
    expect(judged.reason).toBe(
      'Mean Dice on 5 hold-out cases rose from 0.869 to 0.879, more than chance explains (p 0.031).',
    )
  })

  it('keeps aside what is better by no more than chance', () => {
    const judged = judge(
      cases([[[80, 80], [82, 82]], [[78, 78], [77, 77]], [[75, 75], [77, 77]], [[82, 82], [82, 82]], [[70, 70], [71, 71]]]), // prettier-ignore
      LABELS,
    )
    expect(judged.verdict).toBe('aside')
    expect(judged.test?.p).toBeGreaterThan(0.05)
    expect(judged.reason).toMatch(/rose from .* not more than chance explains \(p .*, at most .* is needed\)\.$/)
    const same = judge(cases([1, 2, 3, 4, 5].map(() => [[80, 80], [80, 80]] as const)), LABELS) // prettier-ignore
    expect(same).toMatchObject({ verdict: 'aside', test: { p: 1, difference: 0 } })
    expect(same.reason).toMatch(/^Mean Dice on 5 hold-out cases stayed at 0\.889/)
  })

  it('keeps aside what gives up a label, however much better the others became', () => {
    const judged = judge(
      cases([80, 78, 75, 82, 70].map((n) => [[n, 80], [99, 74]] as const)), // prettier-ignore
      LABELS,
    )
    expect(judged.test?.p).toBe(1 / 32)
    expect(judged.verdict).toBe('aside')
    expect(judged.reason).toBe('Dice of Posterior on the hold-out fell from 0.889 to 0.851, more than its noise.')
    // Of two that fell, the one that fell most.
    const both = judge(cases([80, 78, 75, 82, 70].map((n) => [[n, 80], [n - 8, 60]] as const)), LABELS) // prettier-ignore
    expect(both.reason).toMatch(/^Dice of Posterior .* fell from 0\.889 to 0\.750/)
    // By 0.02 and less is not given up: 160 / 180 and 156 / 178 are 0.0125 apart.
    const little = judge(cases([80, 78, 75, 82, 70].map((n) => [[n, 80], [99, 78]] as const)), LABELS) // prettier-ignore
    expect(little.verdict).toBe('promoted')
  })

  it('a label may fall by more where that is its noise', () => {
    // The second label: -0.30 in one case, +0.10 and more in the others: mean -0.02 and a bit, standard error above 0.05.
    const seconds = [[90, 40], [80, 85], [80, 85], [80, 85], [80, 85]] as const // prettier-ignore
    const judged = judge(
      cases(seconds.map(([before, after]) => [[60, before], [99, after]] as const)), // prettier-ignore
      LABELS,
    )
    const change = seconds.map(([before, after]) => diceOf(after) - diceOf(before))
    const mean = change.reduce((a, b) => a + b) / 5
    expect(mean).toBeLessThan(-0.02)
    const error = Math.sqrt(change.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 4 / 5)
    expect(-mean).toBeLessThan(2 * error)
    expect(judged.reason).not.toMatch(/Posterior/)
  })

  it('goes by slices where there are fewer than five cases, at a stricter level', () => {
    const slices = [80, 78, 75, 82].map((n) => ({ before: found([n]), after: found([n + 3]) }))
    const two = (count: number): HeldCase[] => [
      { caseId: 'a', name: 'A', slices: slices.slice(0, count - 3) },
      { caseId: 'b', name: 'B', slices: slices.slice(0, 3) },
    ]
    const enough = judge(two(7), LABELS)
    // 2^-7 is below 0.01.
    expect(enough).toMatchObject({ verdict: 'promoted', test: { unit: 'slice', pairs: 7, p: 1 / 128, level: 0.01 } })
    // Case A: 315 of 400 before, 327 after, all slices together.
    expect(enough.cases[0]?.dice[1]).toEqual({ label: 1, before: 630 / 715, after: 654 / 727 })
    // Means over the two cases, each over all its slices: not what the slices come to.
    const [before, after] = [(630 / 715 + 466 / 533) / 2, (654 / 727 + 484 / 542) / 2]
    expect([before.toFixed(3), after.toFixed(3)]).toEqual(['0.878', '0.896'])
    expect(enough.reason).toBe(
      'Mean Dice on 2 hold-out cases rose from 0.878 to 0.896; by their 7 slices, more than chance explains (p 0.008).',
    )
    const few = judge(two(6), LABELS)
    expect(few.verdict).toBe('unproven')
    expect(few.reason).toBe('The hold-out has only 6 slices to compare, which is too few to tell; 7 would do.')
  })

  it('many slices of one case do not outvote the other cases', () => {
    const slices = (count: number, before: number, after: number) =>
      Array.from({ length: count }, () => ({ before: found([before]), after: found([after]) }))
    const held = [
      { caseId: 'a', name: 'A', slices: slices(30, 80, 82) },
      { caseId: 'b', name: 'B', slices: slices(1, 90, 84) },
    ]
    const judged = judge(held, LABELS)
    // By slices it is clear; by cases: (160/180 + 180/190) / 2 before, (164/182 + 168/184) / 2 after.
    expect(judged.test?.p).toBeLessThan(0.01)
    expect(judged).toMatchObject({ verdict: 'aside', mean: [{ before: expect.closeTo(0.91813, 5) as number }, {}, {}] })
    expect(judged.reason).toBe(
      'Mean Dice on 2 hold-out cases fell from 0.918 to 0.907, although their 31 slices rose on average.',
    )
  })

  it('no label falls over the cases by more than 0.02, however much its slices vary', () => {
    // The second label: a little better on ten slices of one case, much worse on the one of the other.
    const many = Array.from({ length: 10 }, () => ({ before: found([60, 80]), after: found([90, 81]) }))
    const of = (after: number) => [
      { caseId: 'a', name: 'A', slices: many },
      { caseId: 'b', name: 'B', slices: [{ before: found([60, 90]), after: found([90, after]) }] },
    ]
    const judged = judge(of(70), LABELS)
    expect(judged.test).toMatchObject({ unit: 'slice', pairs: 11, p: 2 ** -11 })
    // (160/180 + 180/190) / 2 and (162/181 + 140/170) / 2.
    expect(judged.reason).toBe('Dice of Posterior on the hold-out fell from 0.918 to 0.859, more than 0.02.')
    expect(judged.verdict).toBe('aside')
    // (162/181 + 172/186) / 2 is 0.0083 less, which is let pass.
    expect(judge(of(86), LABELS).verdict).toBe('promoted')
  })

  it('what fell clearly is kept aside even where there is too little to prove anything', () => {
    const worse = judge(cases([[[90, 90], [60, 90]]]), LABELS) // prettier-ignore
    expect(worse).toMatchObject({ verdict: 'aside', test: { pairs: 1 } })
    const noise = judge(cases([[[90, 90], [85, 90]]]), LABELS) // prettier-ignore
    expect(noise.verdict).toBe('unproven')
  })

  it('is unproven without slices, and without a version before', () => {
    const empty = judge([{ caseId: 'a', name: 'A', slices: [] }], LABELS)
    expect(empty).toMatchObject({ verdict: 'unproven', test: null })
    expect(empty.reason).toMatch(/^No slice of the hold-out/)
    const [first] = cases([[[1], [80]]])
    const alone = judge(
      [{ caseId: 'a', name: 'A', slices: [{ before: null, after: first?.slices[0]?.after ?? [] }] }],
      LABELS,
    )
    expect(alone).toMatchObject({ verdict: 'unproven', test: null })
    expect(alone.mean).toEqual([
      { label: null, before: null, after: diceOf(80) },
      { label: 1, before: null, after: diceOf(80) },
      { label: 2, before: null, after: null },
    ])
  })

  it('a label found where there is none costs what not finding one costs', () => {
    const nothing = { label: 2, both: 0, predicted: 0, truth: 0 }
    const stray = { label: 2, both: 0, predicted: 5, truth: 0 }
    const one = (extra: typeof nothing) => [...found([80]), extra]
    const judged = judge([{ caseId: 'a', name: 'A', slices: [{ before: one(nothing), after: one(stray) }] }], LABELS)
    // Before, the label is rightly not there: 1; after, 0.
    expect(judged.test?.difference).toBe(-0.5)
    expect(judged.cases[0]?.dice).toEqual([
      { label: null, before: (diceOf(80) + 1) / 2, after: diceOf(80) / 2 },
      { label: 1, before: diceOf(80), after: diceOf(80) },
      { label: 2, before: null, after: 0 },
    ])
  })

  it("slices without any label say nothing, nor do labels that are not the project's", () => {
    const background = [{ label: 0, both: 100, predicted: 100, truth: 100 }]
    const other = [{ label: 9, both: 0, predicted: 50, truth: 0 }]
    const held = cases([80, 78, 75, 82].map((n) => [[n], [n + 1]] as const)) // prettier-ignore
    const judged = judge(
      [...held, { caseId: 'e', name: 'E', slices: [{ before: background, after: [...background, ...other] }] }],
      LABELS,
    )
    expect(judged.test).toMatchObject({ unit: 'slice', pairs: 4 })
    expect(judged.cases[4]?.dice).toEqual([{ label: null, before: null, after: null }])
  })

  it('numbers that are none keep it aside', () => {
    const broken = [{ label: 1, both: NaN, predicted: 10, truth: 10 }]
    const held = cases([80, 78, 75, 82, 70].map((n) => [[n], [n + 5]] as const))
    const judged = judge(
      [...held, { caseId: 'x', name: 'X', slices: [{ before: found([80]), after: broken }] }],
      LABELS,
    )
    expect(judged.verdict).toBe('aside')
    expect(judged.reason).toMatch(/no numbers/)
  })
})
