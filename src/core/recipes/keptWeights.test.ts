import { describe, expect, it } from 'vitest'
import { keptWeights } from './index.ts'

const epochs = (...valLosses: (number | null)[]) =>
  valLosses.map((valLoss, at) => ({ epoch: at + 1, loss: 1, valLoss, val: {}, rate: 0, seconds: 1 }))

describe('keptWeights', () => {
  it('are the last ones where none were chosen', () => {
    expect(keptWeights({ bestEpoch: null, history: epochs(0.5, 0.4) })).toEqual({ kind: 'last', epoch: 2 })
    expect(keptWeights({ bestEpoch: null, history: [] })).toBeNull()
  })

  it('are the best ones, and by what', () => {
    const best = { kind: 'best', epoch: 1 }
    expect(keptWeights({ bestEpoch: 1, history: epochs(0.3, 0.4) })).toEqual({ ...best, validated: true })
    expect(keptWeights({ bestEpoch: 1, history: epochs(null, null) })).toEqual({ ...best, validated: false })
  })

  it('are those from before the first epoch where no epoch was better', () => {
    expect(keptWeights({ bestEpoch: 0, history: epochs(0.3, 0.4) })).toEqual({ kind: 'first' })
  })
})
