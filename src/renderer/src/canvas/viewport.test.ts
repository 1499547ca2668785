import { describe, it, expect } from 'vitest'
import { centred, fitViewport, panBy, pixelsInView, toImage, toScreen, zoomAt, zoomOf } from './viewport.ts'
import { planeView } from './testing/views.ts'

const square = planeView({ width: 100, height: 50 })

describe('fitViewport', () => {
  it('is limited by the narrower side and centres the other', () => {
    const fit = fitViewport(square, { width: 420, height: 420 }, 10)
    expect(fit).toEqual({ scaleX: 4, scaleY: 4, offsetX: 10, offsetY: 110 })
  })

  it('shows millimetres square: a pixel twice as high in mm is drawn twice as high', () => {
    const coronal = planeView({ width: 100, height: 50, columnSpacing: 0.8, rowSpacing: 1.6 })
    const fit = fitViewport(coronal, { width: 300, height: 300 }, 0)
    expect(fit.scaleY / fit.scaleX).toBeCloseTo(2, 12)
    // 100 columns of 0.8 mm and 50 rows of 1.6 mm are both 80 mm.
    expect(fit.scaleX).toBeCloseTo(3, 12)
    expect(zoomOf(fit, coronal)).toBeCloseTo(3, 12)
  })
})

describe('pointer to image', () => {
  it('names the voxel whose area holds the pointer', () => {
    const viewport = { offsetX: 10, offsetY: 110, scaleX: 4, scaleY: 4 }
    expect(toImage(viewport, { x: 10, y: 110 })).toEqual({ x: 0, y: 0 })
    expect(toImage(viewport, { x: 10 + 4 * 7 + 3.9, y: 110 + 4 * 2 })).toEqual({ x: 7.975, y: 2 })
    expect(toScreen(viewport, { x: 7.975, y: 2 })).toEqual({ x: 41.9, y: 118 })
  })
})

describe('zoomAt', () => {
  it('keeps what is under the pointer', () => {
    const before = { offsetX: 10, offsetY: 110, scaleX: 4, scaleY: 4 }
    const anchor = { x: 50, y: 130 }
    const after = zoomAt(before, square, anchor, 2)
    expect(after.scaleX).toBe(8)
    expect(toImage(after, anchor)).toEqual(toImage(before, anchor))
  })

  it('stops at the limits without drifting', () => {
    const before = centred(square, { width: 400, height: 400 }, 60, { x: 50, y: 25 })
    const after = zoomAt(before, square, { x: 0, y: 0 }, 10)
    expect(zoomOf(after, square)).toBe(64)
    expect(toImage(after, { x: 0, y: 0 })).toEqual(toImage(before, { x: 0, y: 0 }))
  })
})

describe('panBy', () => {
  const size = { width: 400, height: 300 }

  it('moves by the pointer’s way', () => {
    const before = centred(square, size, 2, { x: 50, y: 25 })
    const after = panBy(before, square, size, 30, -12)
    expect([after.offsetX - before.offsetX, after.offsetY - before.offsetY]).toEqual([30, -12])
  })

  it('never loses the image', () => {
    const before = centred(square, size, 2, { x: 50, y: 25 })
    const far = panBy(before, square, size, 9999, -9999)
    // 48 pixels of the 200 x 100 image stay in view at the right and at the top.
    expect(far.offsetX).toBe(400 - 48)
    expect(far.offsetY).toBe(48 - 100)
  })
})

describe('pixelsInView', () => {
  const element = { width: 200, height: 100 }

  it('are those that are seen whole', () => {
    // 10 screen pixels a pixel: a column and a half, and less than half a row, are beyond the left and upper edge.
    const near = { offsetX: -15, offsetY: -4, scaleX: 10, scaleY: 10 }
    expect(pixelsInView(near, square, element)).toEqual({ x0: 2, y0: 1, x1: 21, y1: 10 })
    expect(pixelsInView(fitViewport(square, element, 10), square, element)).toEqual({ x0: 0, y0: 0, x1: 100, y1: 50 })
  })

  it('are none where the image is beside the element, or a pixel is larger than it', () => {
    expect(pixelsInView({ offsetX: 300, offsetY: 0, scaleX: 1, scaleY: 1 }, square, element)).toBeNull()
    expect(pixelsInView({ offsetX: -10, offsetY: -10, scaleX: 400, scaleY: 400 }, square, element)).toBeNull()
  })
})
