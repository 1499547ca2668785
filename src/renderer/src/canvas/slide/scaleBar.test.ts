import { describe, expect, it } from 'vitest'
import { scaleBar } from './scaleBar.ts'

describe('scaleBar', () => {
  it('is a round length that fits', () => {
    // 0.0005 mm a pixel, one screen pixel each: 140 pixels are 70 µm.
    const one = scaleBar(1, 0.0005, 140)
    expect(one.millimetres).toBeCloseTo(0.05, 12)
    expect(one.length).toBeCloseTo(100, 9)
    // 1/40 of a screen pixel each: 140 pixels are 2.8 mm.
    expect(scaleBar(0.025, 0.0005, 140).millimetres).toBeCloseTo(2, 12)
    expect(scaleBar(0.025, 0.0005, 140).length).toBeCloseTo(100, 9)
  })

  it('may take all of the room', () => {
    expect(scaleBar(1, 0.0005, 100).length).toBeCloseTo(100, 9)
    expect(scaleBar(1, 0.001, 200).millimetres).toBeCloseTo(0.2, 12)
  })
})
