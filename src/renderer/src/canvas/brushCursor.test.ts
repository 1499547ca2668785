import { describe, it, expect } from 'vitest'
import { cursorRect, drawBrushCursor, sameCursor, type BrushCursor } from './brushCursor.ts'

const cursor: BrushCursor = { i: 10, j: 20, radiusX: 1, radiusY: 1, mode: 'paint' }
const viewport = { offsetX: 100, offsetY: 0, scaleX: 10, scaleY: 10 }

/** Notes the points of the path and the strokes made of it. */
function recorder() {
  const points: string[] = []
  const strokes: { style: string; width: number; dash: number[] }[] = []
  const context = {
    dash: [] as number[],
    strokeStyle: '',
    lineWidth: 0,
    beginPath: () => undefined,
    closePath: () => undefined,
    moveTo: (x: number, y: number) => void points.push(`${x},${y}`),
    lineTo: (x: number, y: number) => void points.push(`${x},${y}`),
    setLineDash(dash: number[]) {
      this.dash = dash
    },
    stroke() {
      strokes.push({ style: this.strokeStyle, width: this.lineWidth, dash: this.dash })
    },
  }
  return { points, strokes, context: context as unknown as CanvasRenderingContext2D }
}

describe('brush outline', () => {
  it('runs along the edges of exactly the voxels that a dab would paint', () => {
    const { points, context } = recorder()
    drawBrushCursor(context, cursor, viewport, 1)
    // Radius 1 around voxel (10, 20), at 200..210 of the screen: it and its four neighbours, a plus of 12 corners.
    const plus = ['200,190', '210,190', '210,200', '220,200', '220,210', '210,210']
    plus.push('210,220', '200,220', '200,210', '190,210', '190,200', '200,200')
    expect([...points].sort()).toEqual([...plus].sort())
  })

  it('is a white line inside a black one; the eraser’s is dashed', () => {
    const paint = recorder()
    drawBrushCursor(paint.context, cursor, viewport, 1)
    expect(paint.strokes.map(({ width }) => width)).toEqual([3, 1])
    expect(paint.strokes.map(({ style }) => style.startsWith('rgb(0 0 0'))).toEqual([true, false])
    const erase = recorder()
    drawBrushCursor(erase.context, { ...cursor, mode: 'erase' }, viewport, 1)
    expect(erase.strokes.map(({ dash }) => dash.length)).toEqual([0, 2])
  })

  it('has a cross beside it where it would be too small to see', () => {
    const { points, context } = recorder()
    drawBrushCursor(context, { ...cursor, radiusX: 0.5, radiusY: 0.5 }, { ...viewport, scaleX: 1, scaleY: 1 }, 1)
    expect(points).toHaveLength(4 + 8)
  })

  it('stays inside the rectangle that is redrawn for it', () => {
    for (const radius of [0.5, 3, 20]) {
      for (const scale of [0.2, 1, 12]) {
        const { points, context } = recorder()
        const view = { ...viewport, scaleX: scale, scaleY: scale }
        const at = { ...cursor, radiusX: radius, radiusY: radius }
        drawBrushCursor(context, at, view, 1)
        const { x0, y0, x1, y1 } = cursorRect(at, view)
        for (const point of points) {
          const [x = NaN, y = NaN] = point.split(',').map(Number)
          // Half of the widest line on each side.
          expect(x - 1.5 >= x0 && x + 1.5 <= x1 && y - 1.5 >= y0 && y + 1.5 <= y1).toBe(true)
        }
      }
    }
  })
})

describe('sameCursor', () => {
  it('compares what is drawn', () => {
    expect(sameCursor(cursor, { ...cursor })).toBe(true)
    expect(sameCursor(null, null)).toBe(true)
    expect(sameCursor(cursor, null)).toBe(false)
    expect(sameCursor(cursor, { ...cursor, mode: 'erase' })).toBe(false)
    expect(sameCursor(cursor, { ...cursor, radiusY: 2 })).toBe(false)
  })
})
