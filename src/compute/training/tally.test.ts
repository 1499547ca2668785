import { describe, expect, it } from 'vitest'
import { createTally, leniency, meanDice, mistakesOf, type Agreement } from './tally.ts'

describe('meanDice', () => {
  it('averages 2 |A and B| / (|A| + |B|) over the labels that occur, by the roots of their pixels', () => {
    // Label 1: 2 * 30 / (40 + 60) = 0.6; label 2: 2 * 5 / (10 + 10) = 0.5; label 3 does not occur.
    const dice = meanDice(
      Float64Array.of(900, 30, 5, 0),
      Float64Array.of(950, 40, 10, 3),
      Float64Array.of(930, 60, 10, 0),
    )
    expect(dice).toBeCloseTo((0.6 * Math.sqrt(60) + 0.5 * Math.sqrt(10)) / (Math.sqrt(60) + Math.sqrt(10)), 10)
  })

  it('loses little by a stray pixel of a label', () => {
    const truth = Float64Array.of(9000, 1, 300, 300)
    const without = Float64Array.of(9001, 0, 300, 300)
    expect(meanDice(truth, truth, truth)).toBe(1)
    expect(meanDice(Float64Array.of(9000, 0, 300, 300), without, truth)).toBeGreaterThan(0.97)
  })

  it('is 1 for an empty slice left empty and 0 for one that is not', () => {
    expect(meanDice(Float64Array.of(9, 0), Float64Array.of(9, 0), Float64Array.of(9, 0))).toBe(1)
    expect(meanDice(Float64Array.of(8, 0), Float64Array.of(8, 1), Float64Array.of(9, 0))).toBe(0)
  })
})

describe('what was wrong', () => {
  it('is told by pixel, and how much of it is right later', () => {
    const sizes = [
      { width: 3, height: 2 },
      { width: 2, height: 1 },
    ]
    const first = createTally(3, sizes)
    first.add(0, 1, 0, 2)
    first.add(0, 5, 1, 2)
    first.add(0, 2, 2, 2)
    first.add(1, 1, 1, 0)
    const { wrong, dice } = first.agreement()
    expect(wrong.map((map) => [...map])).toEqual([
      [0, 1, 0, 0, 0, 1],
      [0, 1],
    ])
    // One of three pixels of label 2, and nothing else is predicted as it.
    expect(dice).toBeCloseTo(0.5, 10)
    expect(mistakesOf(wrong, wrong)).toEqual({ count: 3, mended: 0, broken: 0 })
    const later = createTally(3, sizes)
    later.add(0, 1, 2, 2)
    later.add(0, 2, 0, 2)
    later.add(0, 5, 0, 2)
    later.add(1, 1, 0, 0)
    expect(mistakesOf(wrong, later.agreement().wrong)).toEqual({ count: 3, mended: 2, broken: 1 })
    expect(mistakesOf([], [])).toEqual({ count: 0, mended: 0, broken: 0 })
  })
})

describe('how far a slice that was mended may agree less', () => {
  const map = (...pixels: number[]) => Uint8Array.from({ length: 40 }, (_, i) => Number(pixels.includes(i)))
  const first: Agreement = {
    dice: 0.9,
    classes: [
      { pixels: 900, dice: 1 },
      { pixels: 60, dice: 0.8 },
      { pixels: 16, dice: 1 },
    ],
    wrong: [map(0, 1, 2, 3)],
  }
  const now = (wrong: Uint8Array, ...dice: number[]): Agreement => ({
    dice: 0.9,
    classes: first.classes.map(({ pixels }, c) => ({ pixels, dice: dice[c - 1] ?? 1 })),
    wrong: [wrong],
  })

  it('goes with what was mended', () => {
    expect(leniency(first, first)).toBe(0)
    expect(leniency(first, now(map(0)))).toBe(0.75)
    expect(leniency(first, now(map()))).toBe(1)
    expect(leniency(first, now(map(1, 2)))).toBe(0.5)
    expect(leniency(first, now(map(1, 2, 3)))).toBe(0)
  })

  it('is less where more than four pixels broke for each', () => {
    expect(leniency(first, now(map(2, 3, 10, 11, 12, 13, 14, 15, 16, 17)))).toBe(0.5)
    const broken = Array.from({ length: 16 }, (_, i) => 10 + i)
    expect(leniency(first, now(map(2, 3, ...broken)))).toBe(0.25)
  })

  it('is none where a label was lost, though it is a small one', () => {
    expect(leniency(first, now(map(), 0.9, 0.5))).toBe(1)
    expect(leniency(first, now(map(), 0.9, 0.49))).toBe(0)
    expect(leniency(first, now(map(), 0.39, 1))).toBe(0)
    // A few pixels of a prediction that was taken over.
    const [ground, large] = first.classes
    const stray = { ...first, classes: [ground!, large!, { pixels: 15, dice: 1 }] }
    expect(leniency(stray, now(map(), 0.9, 0))).toBe(1)
  })
})
