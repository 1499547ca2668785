import type { PlaneView } from '../../../core/geometry/types.ts'

/** Half-open rectangle in pixels, of the display or of a slice buffer as named: x0 <= x < x1, y0 <= y < y1. */
export interface Rect {
  readonly x0: number
  readonly y0: number
  readonly x1: number
  readonly y1: number
}

/**
 * How a slice buffer is read in display order. Slice buffers keep the wire's order (the lower of the two remaining axes
 * fastest); display pixel (i, j), column i from the left and row j from the top, is at
 * `origin + i * stepI + j * stepJ`. Flips and transposition are in the steps, so nothing is copied to turn a slice.
 */
export interface SliceLayout {
  /** Display extent in pixels. */
  readonly width: number
  readonly height: number
  /** Extent of the buffer's fast and slow axis. */
  readonly sliceWidth: number
  readonly sliceHeight: number
  /** Does a display column run along the buffer's slow axis? */
  readonly transposed: boolean
  readonly origin: number
  readonly stepI: number
  readonly stepJ: number
}

export function sliceLayout(view: PlaneView): SliceLayout {
  const columnsAreFast = view.columnAxis < view.rowAxis
  const sliceWidth = columnsAreFast ? view.width : view.height
  const sliceHeight = columnsAreFast ? view.height : view.width
  const columnStride = columnsAreFast ? 1 : sliceWidth
  const rowStride = columnsAreFast ? sliceWidth : 1
  return {
    width: view.width,
    height: view.height,
    sliceWidth,
    sliceHeight,
    transposed: !columnsAreFast,
    origin:
      (view.flipColumns ? (view.width - 1) * columnStride : 0) + (view.flipRows ? (view.height - 1) * rowStride : 0),
    stepI: view.flipColumns ? -columnStride : columnStride,
    stepJ: view.flipRows ? -rowStride : rowStride,
  }
}

export function intersectRects(a: Rect, b: Rect): Rect | null {
  const x0 = Math.max(a.x0, b.x0)
  const y0 = Math.max(a.y0, b.y0)
  const x1 = Math.min(a.x1, b.x1)
  const y1 = Math.min(a.y1, b.y1)
  return x0 < x1 && y0 < y1 ? { x0, y0, x1, y1 } : null
}

/** The smallest rectangle that holds both; null holds nothing. */
export function unionRects(a: Rect | null, b: Rect | null): Rect | null {
  if (!a) return b
  if (!b) return a
  return {
    x0: Math.min(a.x0, b.x0),
    y0: Math.min(a.y0, b.y0),
    x1: Math.max(a.x1, b.x1),
    y1: Math.max(a.y1, b.y1),
  }
}

export function growRect(rect: Rect, by: number): Rect {
  return { x0: rect.x0 - by, y0: rect.y0 - by, x1: rect.x1 + by, y1: rect.y1 + by }
}

/** Rectangle of the slice buffer -> rectangle of the display. */
export function sliceRectToDisplay(layout: SliceLayout, rect: Rect): Rect {
  return mapRect(rect, (x, y) => {
    const column = layout.transposed ? y : x
    const row = layout.transposed ? x : y
    return [layout.stepI < 0 ? layout.width - 1 - column : column, layout.stepJ < 0 ? layout.height - 1 - row : row]
  })
}

/** Rectangle of the display -> rectangle of the slice buffer. */
export function displayRectToSlice(layout: SliceLayout, rect: Rect): Rect {
  return mapRect(rect, (i, j) => {
    const column = layout.stepI < 0 ? layout.width - 1 - i : i
    const row = layout.stepJ < 0 ? layout.height - 1 - j : j
    return layout.transposed ? [row, column] : [column, row]
  })
}

function mapRect(rect: Rect, map: (x: number, y: number) => readonly [number, number]): Rect {
  const [ax, ay] = map(rect.x0, rect.y0)
  const [bx, by] = map(rect.x1 - 1, rect.y1 - 1)
  return { x0: Math.min(ax, bx), y0: Math.min(ay, by), x1: Math.max(ax, bx) + 1, y1: Math.max(ay, by) + 1 }
}
