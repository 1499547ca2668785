import { describe, it, expect } from 'vitest'
import { displayRectToSlice, intersectRects, sliceLayout, sliceRectToDisplay, unionRects } from './layout.ts'
import { planeView } from './testing/views.ts'

/** The buffer read in display order, row by row. */
function displayed(buffer: readonly string[], layout: ReturnType<typeof sliceLayout>): string[] {
  const rows: string[] = []
  for (let j = 0; j < layout.height; j++) {
    let row = ''
    for (let i = 0; i < layout.width; i++) row += buffer[layout.origin + i * layout.stepI + j * layout.stepJ] ?? '?'
    rows.push(row)
  }
  return rows
}

// A slice of 3 (fast) x 2 (slow): rows "abc", "def".
const buffer = ['a', 'b', 'c', 'd', 'e', 'f']

describe('sliceLayout', () => {
  it('reads the buffer as it is, mirrored and turned', () => {
    expect(displayed(buffer, sliceLayout(planeView()))).toEqual(['abc', 'def'])
    expect(displayed(buffer, sliceLayout(planeView({ flipColumns: true })))).toEqual(['cba', 'fed'])
    expect(displayed(buffer, sliceLayout(planeView({ flipRows: true })))).toEqual(['def', 'abc'])
    const turned = { columnAxis: 1, rowAxis: 0, width: 2, height: 3 } as const
    expect(displayed(buffer, sliceLayout(planeView(turned)))).toEqual(['ad', 'be', 'cf'])
    expect(displayed(buffer, sliceLayout(planeView({ ...turned, flipColumns: true })))).toEqual(['da', 'eb', 'fc'])
    expect(displayed(buffer, sliceLayout(planeView({ ...turned, flipRows: true })))).toEqual(['cf', 'be', 'ad'])
  })

  it('takes the axes of sagittal and coronal slices in their stored order', () => {
    // Across axis 0 the buffer is [ny, nz]: columns along y, rows along z, z up.
    const sagittal = planeView({ sliceAxis: 0, columnAxis: 1, rowAxis: 2, flipRows: true })
    expect(displayed(buffer, sliceLayout(sagittal))).toEqual(['def', 'abc'])
  })
})

describe('rectangles between buffer and display', () => {
  const corner = { x0: 0, y0: 0, x1: 2, y1: 1 } // "ab" of the buffer

  it('follow flips and turns', () => {
    expect(sliceRectToDisplay(sliceLayout(planeView()), corner)).toEqual(corner)
    expect(sliceRectToDisplay(sliceLayout(planeView({ flipColumns: true })), corner)).toEqual({
      x0: 1,
      y0: 0,
      x1: 3,
      y1: 1,
    })
    const turned = sliceLayout(planeView({ columnAxis: 1, rowAxis: 0, width: 2, height: 3, flipRows: true }))
    expect(sliceRectToDisplay(turned, corner)).toEqual({ x0: 0, y0: 1, x1: 1, y1: 3 })
  })

  it('agree with the layout, voxel by voxel', () => {
    for (const flipColumns of [false, true]) {
      for (const flipRows of [false, true]) {
        for (const shape of [
          {},
          { columnAxis: 1, rowAxis: 0, width: 2, height: 3 },
          { width: 1, height: 6 },
        ] as const) {
          const layout = sliceLayout(planeView({ ...shape, flipColumns, flipRows }))
          for (let j = 0; j < layout.height; j++) {
            for (let i = 0; i < layout.width; i++) {
              const offset = layout.origin + i * layout.stepI + j * layout.stepJ
              const [x, y] = [offset % layout.sliceWidth, Math.floor(offset / layout.sliceWidth)]
              const voxel = { x0: x, y0: y, x1: x + 1, y1: y + 1 }
              const shown = { x0: i, y0: j, x1: i + 1, y1: j + 1 }
              expect(sliceRectToDisplay(layout, voxel)).toEqual(shown)
              expect(displayRectToSlice(layout, shown)).toEqual(voxel)
            }
          }
        }
      }
    }
  })

  it('go to the buffer as a whole, whichever way the slice is turned', () => {
    // Columns run along the buffer's slow axis: the right column of the display is the last row, "def".
    const turned = sliceLayout(planeView({ columnAxis: 1, rowAxis: 0, width: 2, height: 3, flipRows: true }))
    expect(displayRectToSlice(turned, { x0: 1, y0: 0, x1: 2, y1: 2 })).toEqual({ x0: 1, y0: 1, x1: 3, y1: 2 })
  })

  it('meet and join', () => {
    const a = { x0: 0, y0: 0, x1: 4, y1: 4 }
    const b = { x0: 3, y0: 2, x1: 6, y1: 9 }
    expect(intersectRects(a, b)).toEqual({ x0: 3, y0: 2, x1: 4, y1: 4 })
    expect(intersectRects(a, { ...b, x0: 4 })).toBeNull()
    expect(unionRects(a, b)).toEqual({ x0: 0, y0: 0, x1: 6, y1: 9 })
    expect(unionRects(null, b)).toBe(b)
  })
})
