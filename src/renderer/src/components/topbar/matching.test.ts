import { describe, expect, it } from 'vitest'
import { matchRank } from './matching.ts'

describe('matchRank', () => {
  it('wants every typed word, in any order', () => {
    expect(matchRank('Save mask as File', 'mask save')).not.toBeNull()
    expect(matchRank('Save mask as File', 'mask open')).toBeNull()
    expect(matchRank('anything', '')).toBe(0)
  })

  it('prefers beginnings of names over their insides', () => {
    const begins = matchRank('Predict Model', 'pre')
    const inside = matchRank('Depression', 'pre')
    expect(begins).toBe(0)
    expect(inside).toBeGreaterThan(100)
  })

  it('takes signs as they are', () => {
    expect(matchRank('slice (2).nii', '(2)')).not.toBeNull()
  })
})
