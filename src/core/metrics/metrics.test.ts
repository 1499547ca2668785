import { describe, it, expect } from 'vitest'
import { diceByLabel, diceOf, overlaps } from './index.ts'

const a = Uint8Array.of(1, 1, 1, 0, 2, 0)
const b = Uint8Array.of(1, 1, 0, 0, 3, 1)

describe('overlap metrics', () => {
  it('agree with counting by hand', () => {
    // Label 1: three voxels and three voxels, two shared.
    expect(diceOf({ first: 3, second: 3, both: 2 })).toBeCloseTo(4 / 6, 12)
    expect(diceOf({ first: 0, second: 0, both: 0 })).toBe(1)
    expect(diceByLabel(a, b)).toEqual(
      new Map([
        [1, 4 / 6],
        [2, 0],
        [3, 0],
      ]),
    )
    expect(overlaps(a, b).get(1)).toEqual({ first: 3, second: 3, both: 2 })
  })
  it('refuse maps of different size', () => {
    expect(() => diceByLabel(a, b.subarray(1))).toThrow(RangeError)
  })
})
