import { describe, it, expect } from 'vitest'
import { dice, diceByLabel, iouByLabel, overlaps, pixelAccuracy } from './index.ts'

const a = Uint8Array.of(1, 1, 1, 0, 2, 0)
const b = Uint8Array.of(1, 1, 0, 0, 3, 1)

describe('overlap metrics', () => {
  it('agree with counting by hand', () => {
    // Label 1: three voxels and three voxels, two shared.
    expect(dice(a, b, 1)).toBeCloseTo(4 / 6, 12)
    expect(dice(a, b, 2)).toBe(0)
    expect(dice(a, b, 9)).toBe(1)
    expect(diceByLabel(a, b)).toEqual(
      new Map([
        [1, 4 / 6],
        [2, 0],
        [3, 0],
      ]),
    )
    expect(iouByLabel(a, b)).toEqual(
      new Map([
        [1, 0.5],
        [2, 0],
        [3, 0],
      ]),
    )
    expect(pixelAccuracy(a, b)).toBe(0.5)
    expect(overlaps(a, b).get(1)).toEqual({ first: 3, second: 3, both: 2 })
  })
  it('refuse maps of different size', () => {
    expect(() => dice(a, b.subarray(1), 1)).toThrow(RangeError)
    expect(() => diceByLabel(a, b.subarray(1))).toThrow(RangeError)
    expect(() => pixelAccuracy(a, b.subarray(1))).toThrow(RangeError)
  })
})
