import { describe, expect, it } from 'vitest'
import { dragRect, gripAt, rectBetween, resizeRect } from './regionRect.ts'

const slide = { width: 1000, height: 800 }
const rect = { x0: 100, y0: 200, x1: 300, y1: 260 }

describe('a rectangle drawn on a slide', () => {
  it('holds whole pixels and ends with the slide', () => {
    expect(rectBetween({ x: 20.7, y: 30.2 }, { x: 10.1, y: 40.0 }, slide)).toEqual({ x0: 10, y0: 30, x1: 21, y1: 40 })
    expect(rectBetween({ x: -50, y: -5 }, { x: 2000, y: 900 }, slide)).toEqual({ x0: 0, y0: 0, x1: 1000, y1: 800 })
    expect(rectBetween({ x: -50, y: 10 }, { x: -20, y: 40 }, slide)).toBeNull()
    expect(rectBetween({ x: 10, y: 10 }, { x: 10, y: 10 }, slide)).toBeNull()
  })

  it('is held by edges, corners and inside', () => {
    expect(gripAt(rect, { x: 200, y: 230 }, 5)).toEqual({ x: 0, y: 0 })
    expect(gripAt(rect, { x: 96, y: 230 }, 5)).toEqual({ x: -1, y: 0 })
    expect(gripAt(rect, { x: 303, y: 262 }, 5)).toEqual({ x: 1, y: 1 })
    expect(gripAt(rect, { x: 200, y: 195 }, 5)).toEqual({ x: 0, y: -1 })
    expect(gripAt(rect, { x: 306, y: 230 }, 5)).toBeNull()
  })

  it('moves as a whole and stays on the slide', () => {
    expect(dragRect(rect, { x: 0, y: 0 }, { x: 10.4, y: -20 }, slide)).toEqual({ x0: 110, y0: 180, x1: 310, y1: 240 })
    expect(dragRect(rect, { x: 0, y: 0 }, { x: 5000, y: -5000 }, slide)).toEqual({ x0: 800, y0: 0, x1: 1000, y1: 60 })
  })

  it('grows and shrinks by an edge, which may pass the other one', () => {
    expect(dragRect(rect, { x: 1, y: 0 }, { x: 50, y: 99 }, slide)).toEqual({ ...rect, x1: 350 })
    expect(dragRect(rect, { x: 1, y: 0 }, { x: -250, y: 0 }, slide)).toEqual({ ...rect, x0: 50, x1: 100 })
    expect(dragRect(rect, { x: -1, y: 1 }, { x: 200, y: -60 }, slide)).toEqual({ x0: 299, y0: 200, x1: 300, y1: 201 })
  })

  it('takes a typed size around its middle', () => {
    expect(resizeRect(rect, 100, 20, slide)).toEqual({ x0: 150, y0: 220, x1: 250, y1: 240 })
    expect(resizeRect(rect, 900, 5000, slide)).toEqual({ x0: 0, y0: 0, x1: 900, y1: 800 })
    expect(resizeRect(rect, 0, 1, slide).x1 - resizeRect(rect, 0, 1, slide).x0).toBe(1)
  })
})
