import { diskOutline } from '../../../core/voxels/index.ts'
import type { Rect } from './layout.ts'
import type { Viewport } from './viewport.ts'

/** The brush as it would paint at voxel (i, j) of the display, radii in display pixels. */
export interface BrushCursor {
  readonly i: number
  readonly j: number
  readonly radiusX: number
  readonly radiusY: number
  readonly mode: 'paint' | 'erase' | 'blocked'
}

/** Below this size on the screen, in CSS pixels, a cross shows where the outline is. */
const SMALL = 7
const CROSS = { gap: 5, length: 6 } as const

let cached = { radiusX: 0, radiusY: 0, points: [] as readonly number[] }

/** Outline of the brush around voxel (0, 0); the same disk that a stroke paints. */
function outlineFor(radiusX: number, radiusY: number): readonly number[] {
  if (cached.radiusX !== radiusX || cached.radiusY !== radiusY) {
    cached = { radiusX, radiusY, points: diskOutline(0.5, 0.5, radiusX, radiusY) }
  }
  return cached.points
}

export function sameCursor(a: BrushCursor | null, b: BrushCursor | null): boolean {
  if (a === null || b === null) return a === b
  return a.i === b.i && a.j === b.j && a.radiusX === b.radiusX && a.radiusY === b.radiusY && a.mode === b.mode
}

/** What the cursor covers on the screen, in CSS pixels. */
export function cursorRect(cursor: BrushCursor, viewport: Viewport): Rect {
  const x = viewport.offsetX + (cursor.i + 0.5) * viewport.scaleX
  const y = viewport.offsetY + (cursor.j + 0.5) * viewport.scaleY
  const halfX = Math.max((cursor.radiusX + 1.5) * viewport.scaleX, SMALL) + CROSS.gap + CROSS.length + 2
  const halfY = Math.max((cursor.radiusY + 1.5) * viewport.scaleY, SMALL) + CROSS.gap + CROSS.length + 2
  return { x0: x - halfX, y0: y - halfY, x1: x + halfX, y1: y + halfY }
}

/** A white line inside a black one: seen on any image. The eraser's is dashed, a locked label's is short dots. */
export function drawBrushCursor(
  context: CanvasRenderingContext2D,
  cursor: BrushCursor,
  viewport: Viewport,
  pixelRatio: number,
): void {
  const snap = (value: number): number => Math.round(value * pixelRatio) / pixelRatio
  const points = outlineFor(cursor.radiusX, cursor.radiusY)
  context.beginPath()
  for (let p = 0; p + 1 < points.length; p += 2) {
    const x = snap(viewport.offsetX + (cursor.i + (points[p] ?? 0)) * viewport.scaleX)
    const y = snap(viewport.offsetY + (cursor.j + (points[p + 1] ?? 0)) * viewport.scaleY)
    if (p === 0) context.moveTo(x, y)
    else context.lineTo(x, y)
  }
  context.closePath()
  if ((2 * cursor.radiusX + 1) * viewport.scaleX < 2 * SMALL) addCross(context, cursor, viewport, snap)
  context.lineJoin = 'miter'
  context.setLineDash([])
  context.strokeStyle = 'rgb(0 0 0 / 85%)'
  context.lineWidth = 3
  context.stroke()
  if (cursor.mode === 'erase') context.setLineDash([5, 3])
  if (cursor.mode === 'blocked') context.setLineDash([1, 4])
  context.strokeStyle = '#fff'
  context.lineWidth = 1
  context.stroke()
  context.setLineDash([])
}

function addCross(
  context: CanvasRenderingContext2D,
  cursor: BrushCursor,
  viewport: Viewport,
  snap: (value: number) => number,
): void {
  const x = snap(viewport.offsetX + (cursor.i + 0.5) * viewport.scaleX)
  const y = snap(viewport.offsetY + (cursor.j + 0.5) * viewport.scaleY)
  const from = CROSS.gap + (cursor.radiusX + 0.5) * viewport.scaleX
  const to = from + CROSS.length
  for (const [dx, dy] of [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ] as const) {
    context.moveTo(x + dx * from, y + dy * from)
    context.lineTo(x + dx * to, y + dy * to)
  }
}
