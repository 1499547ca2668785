import { describe, it, expect } from 'vitest'
import { sliceLayout } from './layout.ts'
import { dashOutline, outlinesOf, sameEdge } from './outlines.ts'
import { planeView } from './testing/views.ts'

const always = () => true

describe('outlinesOf', () => {
  it('turns borders to display order', () => {
    // Buffer 3 x 2 with label 4 at (0, 0); mirrored it is at the right.
    const labels = Uint8Array.of(4, 0, 0, 0, 0, 0)
    const [outline, ...more] = outlinesOf(labels, sliceLayout(planeView({ flipColumns: true })))
    expect(more).toEqual([])
    expect(outline?.label).toBe(4)
    expect(outline?.bounds).toEqual({ x0: 2, y0: 0, x1: 3, y1: 1 })
    const turned = outlinesOf(labels, sliceLayout(planeView({ columnAxis: 1, rowAxis: 0, width: 2, height: 3 })))
    expect(turned[0]?.bounds).toEqual({ x0: 0, y0: 0, x1: 1, y1: 1 })
  })
})

describe('dashOutline', () => {
  // A square of 4 x 4 pixels, clockwise.
  const outline = {
    label: 1,
    points: Int32Array.of(0, 0, 4, 0, 4, 4, 0, 4),
    bounds: { x0: 0, y0: 0, x1: 4, y1: 4 },
  }

  it('alternates along the border, across corners', () => {
    const drawn: number[][] = []
    // 2 screen pixels an image pixel: 32 around. Dashes of 6: on 0-6, 12-18, 24-30.
    const viewport = { offsetX: 0, offsetY: 0, scaleX: 2, scaleY: 2 }
    dashOutline(outline, viewport, { on: 6, off: 6 }, always, (...line) => drawn.push(line))
    expect(drawn).toEqual([
      [0, 0, 3, 0],
      [4, 2, 4, 4],
      [4, 4, 3, 4],
      [0, 4, 0, 1],
    ])
  })

  it('leaves out edges that are not wanted', () => {
    const asked: string[] = []
    const drawn: number[][] = []
    const viewport = { offsetX: 0, offsetY: 0, scaleX: 1, scaleY: 1 }
    dashOutline(
      outline,
      viewport,
      { on: 100, off: 1 },
      (x, y, horizontal) => {
        asked.push(`${horizontal ? 'h' : 'v'}${x},${y}`)
        return horizontal && y === 4 && x >= 2
      },
      (...line) => drawn.push(line),
    )
    // Every voxel edge is asked for by its left or upper end, once.
    expect([...asked].sort()).toEqual([0, 1, 2, 3].flatMap((k) => [`h${k},0`, `h${k},4`, `v0,${k}`, `v4,${k}`]).sort())
    expect(drawn).toEqual([[4, 4, 2, 4]])
  })
})

describe('sameEdge', () => {
  const layout = sliceLayout(planeView())
  const mask = Uint8Array.of(1, 0, 0, 0, 0, 0)

  it('compares both sides of an edge', () => {
    const prediction = Uint8Array.of(1, 0, 2, 0, 0, 0)
    expect(sameEdge(prediction, mask, layout, 1, 0, false)).toBe(true)
    expect(sameEdge(prediction, mask, layout, 2, 0, false)).toBe(false)
    expect(sameEdge(prediction, mask, layout, 0, 0, true)).toBe(true)
  })
})
