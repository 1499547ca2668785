import type { Axis, StrokeDelta } from '../../../core/contract/schemas.ts'
import { boxOfSliceRect, deltaRuns, joinRects, type Rect } from '../../../core/labelmap/index.ts'
import { paintSpans, strokeCapsule } from '../../../core/voxels/index.ts'
import type { SliceLayout } from '../canvas/layout.ts'
import type { Point } from '../canvas/viewport.ts'
import { SliceSnapshot } from './sliceSnapshot.ts'

export interface StrokeOptions {
  /** Slice buffer in the wire's order, painted in place. */
  readonly labels: Uint8Array
  readonly layout: SliceLayout
  /** Radii along display columns and rows, in pixels. */
  readonly radiusX: number
  readonly radiusY: number
  /** The label painted with; 0 erases. */
  readonly label: number
  /** 256 flags: labels that must not change. */
  readonly locked: Uint8Array
}

/**
 * One stroke while it is drawn. Positions are continuous display pixels; the brush sits on voxel centres, so that the
 * outline under the pointer is exactly what is painted. Between two positions the brush sweeps, however far they are
 * apart.
 */
export class BrushStroke {
  private readonly options: StrokeOptions
  private readonly snapshot: SliceSnapshot
  private last: Point | null = null
  private changed: Rect | null = null

  constructor(options: StrokeOptions) {
    this.options = options
    const { layout } = options
    this.snapshot = new SliceSnapshot(options.labels, layout.sliceWidth, layout.sliceHeight)
  }

  /** Sweeps on to the given positions. Returns the changed rectangle of the buffer, null when nothing changed. */
  extend(points: readonly Point[]): Rect | null {
    let changed: Rect | null = null
    for (const point of points) {
      const to = { x: Math.floor(point.x) + 0.5, y: Math.floor(point.y) + 0.5 }
      const from = this.last ?? to
      if (this.last?.x === to.x && this.last.y === to.y) continue
      this.last = to
      changed = joinRects(changed, this.sweep(from, to))
    }
    this.changed = joinRects(this.changed, changed)
    return changed
  }

  /** The whole stroke as runs over its bounding box; null when it changed nothing. */
  finish(axis: Axis, index: number): Omit<StrokeDelta, 'id' | 'baseRevision'> | null {
    const rect = this.changed
    if (!rect) return null
    const { before, after } = this.snapshot.compare(rect)
    const runs = new Uint32Array(deltaRuns(before, after))
    if (runs.length === 0) return null
    const { label } = this.options
    return { kind: label === 0 ? 'erase' : 'brush', label, axis, box: boxOfSliceRect(axis, index, rect), runs }
  }

  /** Puts back what was there before. Returns the rectangle of the buffer that changed. */
  revert(): Rect | null {
    this.snapshot.restore()
    const rect = this.changed
    this.changed = null
    return rect
  }

  private sweep(from: Point, to: Point): Rect | null {
    const { labels, layout, radiusX, radiusY, label, locked } = this.options
    const a = toBuffer(layout, from)
    const b = toBuffer(layout, to)
    const rx = layout.transposed ? radiusY : radiusX
    const ry = layout.transposed ? radiusX : radiusY
    this.snapshot.keep(
      Math.floor(Math.min(a.x, b.x) - rx) - 1,
      Math.floor(Math.min(a.y, b.y) - ry) - 1,
      Math.ceil(Math.max(a.x, b.x) + rx) + 1,
      Math.ceil(Math.max(a.y, b.y) + ry) + 1,
    )
    const spans = strokeCapsule(layout.sliceWidth, layout.sliceHeight, a.x, a.y, b.x, b.y, rx, ry)
    return paintSpans(labels, layout.sliceWidth, spans, label, locked)
  }
}

/** Continuous display position -> continuous position in the slice buffer. */
function toBuffer(layout: SliceLayout, point: Point): Point {
  const column = layout.stepI < 0 ? layout.width - point.x : point.x
  const row = layout.stepJ < 0 ? layout.height - point.y : point.y
  return layout.transposed ? { x: row, y: column } : { x: column, y: row }
}
