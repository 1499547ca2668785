import { describe, expect, it } from 'vitest'
import { optimizerSettingsSchema } from '../../core/contract/recipes.ts'
import { learningRateOf } from './recipeSchedule.ts'

const of = (schedule: string, change: object = {}) =>
  optimizerSettingsSchema.parse({ kind: 'adam', rate: 0.1, schedule, ...change })
const ratesOf = (schedule: string, steps: number) =>
  Array.from({ length: steps }, (_, step) => learningRateOf(of(schedule), { step, steps, losses: [] }))

describe('learningRateOf', () => {
  it('stays', () => {
    expect(ratesOf('constant', 3)).toEqual([0.1, 0.1, 0.1])
  })

  it('falls by half a cosine', () => {
    const rates = ratesOf('cosine', 4)
    // 0.05 (1 + cos 0, 45, 90 and 135 degrees).
    const wanted = [0.1, 0.085_355, 0.05, 0.014_645]
    rates.forEach((rate, k) => {
      expect(rate).toBeCloseTo(wanted[k] ?? NaN, 6)
    })
  })

  it('rises and falls once, as OneCycleLR(max_lr=0.1, total_steps=11) of PyTorch does', () => {
    const wanted = [
      ...[0.004, 0.042_234_11, 0.096_026_14, 0.097_974_66, 0.088_447_57, 0.072_608_7, 0.053_058_27, 0.033_005_8],
      ...[0.015_743_25, 0.004_104_55, 4e-7],
    ]
    ratesOf('one-cycle', 11).forEach((rate, k) => {
      expect(rate).toBeCloseTo(wanted[k] ?? NaN, 7)
    })
  })

  it('falls where the losses no longer do', () => {
    const settings = of('plateau', { patience: 2, factor: 0.5 })
    const after = (...losses: number[]) => learningRateOf(settings, { step: 0, steps: 1, losses })
    expect(after()).toBe(0.1)
    expect(after(1, 0.9, 0.8)).toBe(0.1)
    expect(after(1, 1)).toBe(0.1)
    expect(after(1, 1, 1.2)).toBe(0.05)
    expect(after(1, 1, 1.2, 1.1)).toBe(0.05)
    expect(after(1, 1, 1.2, 1.1, 1)).toBe(0.025)
    expect(after(1, 1, 1.2, 0.5, 0.6, 0.4)).toBe(0.05)
  })

  it('takes a single step, and steps beyond the last', () => {
    for (const schedule of ['constant', 'cosine', 'one-cycle', 'plateau']) {
      const rates = [0, 1, 2].map((step) => learningRateOf(of(schedule), { step, steps: 1, losses: [] }))
      expect(rates.every((rate) => Number.isFinite(rate) && rate >= 0)).toBe(true)
    }
  })
})
