import { describe, it, expect } from 'vitest'
import { renderMaskRect, renderPredictionRect } from './labelRender.ts'
import { sliceLayout } from './layout.ts'
import { createLineColors, createPalette } from './palette.ts'
import { planeView } from './testing/views.ts'

const labels = [
  { value: 1, color: '#ff8000', visible: true },
  { value: 2, color: '#0000ff', visible: false },
]
const whole = { x0: 0, y0: 0, x1: 3, y1: 2 }
// Alpha 0.4 * 255 = 102 = 0x66; little-endian RGBA of #ff8000.
const ORANGE = 0x660080ff

describe('palette', () => {
  it('leaves background and hidden labels clear and draws unknown labels grey', () => {
    const palette = createPalette(labels, 0.4)
    expect([palette[0], palette[1], palette[2], palette[3]]).toEqual([0, ORANGE, 0, 0x66b0b0b0])
    expect(createPalette(labels, 0).every((word) => word === 0)).toBe(true)
    expect(createLineColors(labels).slice(0, 4)).toEqual([null, '#ff8000', null, '#b0b0b0'])
  })
})

describe('overlay', () => {
  const palette = createPalette(labels, 0.4)
  const mask = Uint8Array.of(1, 0, 2, 0, 1, 1)

  it('draws the mask in display order', () => {
    const out = new Uint32Array(6)
    expect(renderMaskRect(mask, sliceLayout(planeView({ flipColumns: true })), palette, whole, out)).toBe(true)
    expect([...out]).toEqual([0, 0, ORANGE, ORANGE, ORANGE, 0])
  })

  it('says when nothing is to be seen', () => {
    const out = new Uint32Array(2)
    expect(renderMaskRect(mask, sliceLayout(planeView()), palette, { x0: 1, y0: 0, x1: 3, y1: 1 }, out)).toBe(false)
    expect([...out]).toEqual([0, 0])
  })

  it('draws the prediction only where the mask says something else', () => {
    const prediction = Uint8Array.of(1, 1, 1, 0, 0, 1)
    const out = new Uint32Array(6)
    expect(renderPredictionRect(prediction, mask, sliceLayout(planeView()), palette, whole, out)).toBe(true)
    expect([...out]).toEqual([0, ORANGE, ORANGE, 0, 0, 0])
  })
})
