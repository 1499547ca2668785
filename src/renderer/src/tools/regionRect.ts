import type { Rect } from '../canvas/layout.ts'
import type { Point } from '../canvas/viewport.ts'

/** Where a rectangle is held: -1 its left or upper edge, 1 its right or lower one; both 0: inside, so all of it moves. */
export interface Grip {
  readonly x: -1 | 0 | 1
  readonly y: -1 | 0 | 1
}

interface Extent {
  readonly width: number
  readonly height: number
}

/** Points come from the screen by division: an edge of a pixel must not become the next pixel. */
const ROUNDING = 1e-6

/** What a press at `point` takes hold of, within `reach`; null beside the rectangle. */
export function gripAt(rect: Rect, point: Point, reach: number): Grip | null {
  const near = (a: number, b: number): boolean => Math.abs(a - b) <= reach
  const beside =
    point.x < rect.x0 - reach || point.x > rect.x1 + reach || point.y < rect.y0 - reach || point.y > rect.y1 + reach
  if (beside) return null
  const x = near(point.x, rect.x1) ? 1 : near(point.x, rect.x0) ? -1 : 0
  const y = near(point.y, rect.y1) ? 1 : near(point.y, rect.y0) ? -1 : 0
  return { x, y }
}

/** The rectangle between two points in whole pixels of the slide; null where they hold none of it. */
export function rectBetween(a: Point, b: Point, slide: Extent): Rect | null {
  const rect = {
    x0: clamp(Math.floor(Math.min(a.x, b.x) + ROUNDING), slide.width),
    y0: clamp(Math.floor(Math.min(a.y, b.y) + ROUNDING), slide.height),
    x1: clamp(Math.ceil(Math.max(a.x, b.x) - ROUNDING), slide.width),
    y1: clamp(Math.ceil(Math.max(a.y, b.y) - ROUNDING), slide.height),
  }
  return rect.x1 > rect.x0 && rect.y1 > rect.y0 ? rect : null
}

/** The rectangle after its grip was dragged by `by`; moved as a whole it keeps its size and stays on the slide. */
export function dragRect(start: Rect, grip: Grip, by: Point, slide: Extent): Rect {
  if (grip.x === 0 && grip.y === 0) {
    const dx = clampBetween(Math.round(by.x), -start.x0, slide.width - start.x1)
    const dy = clampBetween(Math.round(by.y), -start.y0, slide.height - start.y1)
    return { x0: start.x0 + dx, y0: start.y0 + dy, x1: start.x1 + dx, y1: start.y1 + dy }
  }
  const [x0, x1] = dragSpan(start.x0, start.x1, grip.x, by.x, slide.width)
  const [y0, y1] = dragSpan(start.y0, start.y1, grip.y, by.y, slide.height)
  return { x0, y0, x1, y1 }
}

/** The rectangle with another size around the same middle, pushed back onto the slide. */
export function resizeRect(rect: Rect, width: number, height: number, slide: Extent): Rect {
  const [x0, x1] = spanAround((rect.x0 + rect.x1) / 2, width, slide.width)
  const [y0, y1] = spanAround((rect.y0 + rect.y1) / 2, height, slide.height)
  return { x0, y0, x1, y1 }
}

function dragSpan(from: number, to: number, side: -1 | 0 | 1, by: number, most: number): [number, number] {
  if (side === 0) return [from, to]
  const moved = clamp(Math.round((side < 0 ? from : to) + by), most)
  const other = side < 0 ? to : from
  if (moved === other) return side < 0 ? [Math.max(0, other - 1), Math.max(1, other)] : [other, other + 1]
  return [Math.min(moved, other), Math.max(moved, other)]
}

function spanAround(middle: number, size: number, most: number): [number, number] {
  const length = clampBetween(Math.round(size), 1, most)
  const start = clampBetween(Math.round(middle - length / 2), 0, most - length)
  return [start, start + length]
}

function clamp(value: number, most: number): number {
  return clampBetween(value, 0, most)
}

function clampBetween(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value))
}
