import { describe, expect, it } from 'vitest'
import { pooledDice } from './correction.ts'

const overlap = (label: number, both: number, predicted: number, truth: number) => ({ label, both, predicted, truth })

describe('Dice on corrections', () => {
  it('is the mean over the labels that are true, of all slices together', () => {
    const slices = [
      [overlap(0, 90, 95, 92), overlap(1, 4, 5, 6), overlap(2, 0, 0, 10)],
      [overlap(1, 6, 10, 9), overlap(2, 5, 5, 5)],
    ]
    expect(pooledDice(slices)).toBeCloseTo(((2 * 10) / 30 + (2 * 5) / 20) / 2, 12)
  })

  it('asks two versions about the same labels: a few voxels of another one do not halve it', () => {
    const one = [overlap(1, 9, 10, 10)]
    expect(pooledDice([[...one, overlap(2, 0, 3, 0)]])).toBe(pooledDice([one]))
  })

  it('of slices without any label says whether something is predicted there', () => {
    expect(pooledDice([[overlap(1, 0, 3, 0)]])).toBe(0)
    expect(pooledDice([[overlap(0, 90, 95, 92), overlap(1, 0, 0, 0)]])).toBeNull()
    expect(pooledDice([])).toBeNull()
  })
})
