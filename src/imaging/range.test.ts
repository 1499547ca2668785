import { describe, expect, it } from 'vitest'
import { robustRange } from './range.ts'

describe('robustRange of a CT', () => {
  // 600 voxels of air, then tissue from -200 to 1000 HU in steps of one.
  const hounsfield = Int16Array.from({ length: 1801 }, (_, i) => (i < 600 ? -1000 : i - 800))

  it('takes the percentiles of tissue, the extremes of everything', () => {
    // 1201 tissue values: the percentiles stand at ranks 6 and 1194.
    expect(robustRange({ data: hounsfield, channels: 1, slope: 1, inter: 0 })).toEqual({
      low: -194,
      high: 994,
      min: -1000,
      max: 1000,
    })
  })
  it('knows Hounsfield units after scaling', () => {
    const stored = Uint16Array.from(hounsfield, (value) => value + 1024)
    expect(robustRange({ data: stored, channels: 1, slope: 1, inter: -1024 })).toMatchObject({ low: -194, high: 994 })
    // The same numbers without the intercept are no Hounsfield units: air counts.
    expect(robustRange({ data: stored, channels: 1, slope: 1, inter: 0 })).toMatchObject({ low: 24 })
  })
})
