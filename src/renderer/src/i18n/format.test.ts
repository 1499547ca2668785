import { describe, expect, it } from 'vitest'
import { formatSpacing } from './format.ts'

describe('distances of pixels', () => {
  it('are in mm, and in µm where mm would be all zeros', () => {
    expect(formatSpacing([0.9765625, 0.9765625, 5])).toBe('0.977 × 0.977 × 5 mm')
    expect(formatSpacing([0.0002528, 0.0002528])).toBe('0.253 × 0.253 µm')
    expect(formatSpacing([0.05, 0.05, 0.2])).toBe('0.05 × 0.05 × 0.2 mm')
  })
})
