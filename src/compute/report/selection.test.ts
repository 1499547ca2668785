import { describe, expect, it } from 'vitest'
import { rankOf, Selection, worseFirst } from './selection.ts'
import type { CaseScores } from '../../core/contract/recipes.ts'

const scores: Omit<CaseScores, 'id'> = {
  pixelAccuracy: 0.9,
  dice: { 1: 0.8, 2: 0.6 },
  iou: { 1: 0.5, 2: 0.3 },
  sensitivity: {},
  specificity: {},
  hd: {},
  hd95: { 1: 2, 2: 4 },
  assd: {},
  volumeDifference: {},
  instances: { ap50: 0.7, ap: 0.4, tp: 1, fp: 0, fn: 0 },
}

describe('rankOf', () => {
  it('is the mean over labels of the metric that the recipe names first, larger always better', () => {
    expect(rankOf(scores, 'accuracy')).toBe(0.9)
    expect(rankOf(scores, 'dice')).toBeCloseTo(0.7)
    expect(rankOf(scores, undefined)).toBeCloseTo(0.7)
    expect(rankOf(scores, 'iou')).toBeCloseTo(0.4)
    expect(rankOf(scores, 'average-precision')).toBe(0.4)
    expect(rankOf(scores, 'hd95')).toBe(-3)
    expect(rankOf({ ...scores, hd95: { 1: 2, 2: null } }, 'hd95')).toBeNull()
    expect(rankOf({ ...scores, membranes: { warping: 0.01, rand: 0.2 } }, 'rand-error')).toBe(-0.2)
    expect(rankOf(scores, 'warping-error')).toBeCloseTo(0.7)
  })
})

describe('Selection', () => {
  const ranked = Array.from({ length: 200 }, (_, at) => ({ id: `case ${at}`, rank: ((at * 71) % 200) / 200 }))

  function chosen(cases: typeof ranked): string[] {
    const selection = new Selection()
    const shown = new Set<string>()
    for (const { id, rank } of cases) {
      shown.add(id)
      for (const gone of selection.add(id, rank)) shown.delete(gone)
    }
    return [...shown].sort()
  }

  it('keeps the 16 worst, the 8 best and a sample, whatever the order in which they come', () => {
    const kept = chosen(ranked)
    expect(kept.length).toBeLessThanOrEqual(40)
    expect(kept.length).toBeGreaterThan(30)
    const sorted = ranked.toSorted(worseFirst).map(({ id }) => id)
    expect(kept).toEqual(expect.arrayContaining(sorted.slice(0, 16)))
    expect(kept).toEqual(expect.arrayContaining(sorted.slice(-8)))
    expect(chosen(ranked.toReversed())).toEqual(kept)
  })

  it('draws the same sample for other scores', () => {
    const others = ranked.map(({ id, rank }) => ({ id, rank: 1 - rank }))
    const both = chosen(ranked).filter((id) => chosen(others).includes(id))
    expect(both.length).toBeGreaterThanOrEqual(16)
  })

  it('shows all of few cases, and says which are the worst and the best', () => {
    const selection = new Selection()
    for (const [at, id] of ['a', 'b', 'c', 'd', 'e'].entries()) expect(selection.add(id, at / 5)).toEqual([])
    expect(['a', 'b', 'c', 'd', 'e'].map((id) => selection.reason(id))).toEqual([
      'worst',
      'worst',
      'sample',
      'sample',
      'best',
    ])
    expect(selection.reason('f')).toBeNull()
  })

  it('takes a case without a rank for the worst', () => {
    expect(
      [
        { id: 'a', rank: 0 },
        { id: 'b', rank: null },
        { id: 'c', rank: -1 },
      ]
        .sort(worseFirst)
        .map(({ id }) => id),
    ).toEqual(['b', 'c', 'a'])
  })
})
