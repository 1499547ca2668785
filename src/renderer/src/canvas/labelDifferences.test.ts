import { expect, it } from 'vitest'
import { countDifferences, meanDice, onlyDifferences } from './labelDifferences.ts'

const left = Uint8Array.of(0, 1, 1, 2, 2, 0)
const right = Uint8Array.of(0, 1, 2, 2, 0, 3)

it('counts the voxels that two predictions label differently', () => {
  expect(countDifferences(left, right)).toBe(3)
  expect(countDifferences(left, left)).toBe(0)
})

it('keeps of a prediction what the other has otherwise', () => {
  expect([...onlyDifferences(left, right)]).toEqual([0, 0, 1, 0, 2, 0])
  expect([...onlyDifferences(right, left)]).toEqual([0, 0, 2, 0, 0, 3])
})

it('gives the mean Dice of the labels in either', () => {
  // Label 1: 2 and 1 voxels, 1 in both: 2/3. Label 2: 2 and 2, 1 in both: 1/2. Label 3: in one alone: 0.
  expect(meanDice(left, right)).toBeCloseTo((2 / 3 + 1 / 2 + 0) / 3, 12)
  expect(meanDice(new Uint8Array(4), new Uint8Array(4))).toBeNull()
})
