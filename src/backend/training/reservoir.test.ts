import { describe, expect, it } from 'vitest'
import { drawReplay, type ReplaySlice } from './reservoir.ts'

/** `count` slices of a case, each changed after the one before. */
function slicesOf(caseId: string, count: number, labels: readonly number[], firstSeq = 1): ReplaySlice[] {
  return Array.from({ length: count }, (_, slice) => ({ caseId, slice, changedSeq: firstSeq + slice, labels }))
}

function countOf(drawn: readonly ReplaySlice[], is: (slice: ReplaySlice) => boolean): number {
  return drawn.filter(is).length
}

describe('drawReplay', () => {
  it('takes all where there are not more than were asked for, the newest first', () => {
    const all = slicesOf('a', 4, [1])
    expect(drawReplay(all, 4, 1).map(({ slice }) => slice)).toEqual([3, 2, 1, 0])
    expect(drawReplay([], 8, 1)).toEqual([])
  })

  it('takes half of the newer half', () => {
    const drawn = drawReplay(slicesOf('a', 100, [1]), 20, 7)
    expect(drawn).toHaveLength(20)
    expect(new Set(drawn).size).toBe(20)
    expect(countOf(drawn, ({ changedSeq }) => changedSeq > 50)).toBe(10)
  })

  it('gives a rare label its share, and slices without any', () => {
    const rare = slicesOf('a', 6, [2], 1001)
    const empty = slicesOf('b', 5, [], 1007)
    const drawn = drawReplay([...slicesOf('c', 189, [1], 812), ...rare, ...empty, ...slicesOf('d', 200, [1])], 30, 3)
    // All of them are new: of the 15 of the newer half each of the three gets five.
    expect(countOf(drawn, ({ labels }) => labels[0] === 2)).toBe(5)
    expect(countOf(drawn, ({ labels }) => labels.length === 0)).toBe(5)
    expect(countOf(drawn, ({ labels }) => labels[0] === 1)).toBe(20)
  })

  it('counts a slice for each of its labels', () => {
    const both = slicesOf('a', 10, [1, 2])
    const one = slicesOf('b', 10, [1], 11)
    const other = slicesOf('c', 10, [3], 21)
    const drawn = drawReplay([...both, ...one, ...other], 30 - 1, 1)
    expect(drawn).toHaveLength(29)
    // 1, 2 and 3 in turn, and a turn of 1 is one of 2 as well where only slices with both are left.
    const few = drawReplay([...both, ...other.map((slice) => ({ ...slice, changedSeq: 0 }))], 8, 1)
    expect(countOf(few, ({ labels }) => labels.includes(2))).toBe(4)
  })

  it('spreads a label over the cases, whatever they have of it', () => {
    const cases = [...slicesOf('a', 90, [1]), ...slicesOf('b', 5, [1], 200), ...slicesOf('c', 5, [1], 300)]
    const drawn = drawReplay(cases, 12, 5)
    expect(countOf(drawn, ({ caseId }) => caseId === 'b')).toBeGreaterThanOrEqual(2)
    expect(countOf(drawn, ({ caseId }) => caseId === 'c')).toBeGreaterThanOrEqual(2)
    // The older half is of case a alone.
    expect(countOf(drawn, ({ caseId }) => caseId === 'a')).toBe(8)
  })

  it('is the same for the same seed, and another for another', () => {
    const all = slicesOf('a', 200, [1])
    const drawn = (seed: number): number[] => drawReplay(all, 16, seed).map(({ slice }) => slice)
    expect(drawn(4)).toEqual(drawn(4))
    expect(drawn(4)).not.toEqual(drawn(5))
  })
})
