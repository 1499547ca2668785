import { contours } from '../../../core/voxels/index.ts'
import type { Rect, SliceLayout } from './layout.ts'
import type { Viewport } from './viewport.ts'

/** One closed border of a label, flat [x, y, x, y, …] corners along voxel edges, in display pixels. */
export interface Outline {
  readonly label: number
  readonly points: Int32Array
  readonly bounds: Rect
}

/** Lengths along a line. */
export interface DashPattern {
  readonly on: number
  readonly off: number
}

/** The borders of every label of a slice, turned from the buffer's order to the display's. */
export function outlinesOf(labels: Uint8Array, layout: SliceLayout): Outline[] {
  const present = new Uint8Array(256)
  for (const label of labels) present[label] = 1
  const found: Outline[] = []
  for (let label = 1; label < 256; label++) {
    if (present[label] === 0) continue
    for (const border of contours(labels, layout.sliceWidth, layout.sliceHeight, label)) {
      found.push(toDisplay(label, border, layout))
    }
  }
  return found
}

function toDisplay(label: number, border: Int32Array, layout: SliceLayout): Outline {
  const points = new Int32Array(border.length)
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity]
  for (let p = 0; p + 1 < border.length; p += 2) {
    const fast = border[p] ?? 0
    const slow = border[p + 1] ?? 0
    const column = layout.transposed ? slow : fast
    const row = layout.transposed ? fast : slow
    const x = layout.stepI < 0 ? layout.width - column : column
    const y = layout.stepJ < 0 ? layout.height - row : row
    points[p] = x
    points[p + 1] = y
    x0 = Math.min(x0, x)
    x1 = Math.max(x1, x)
    y0 = Math.min(y0, y)
    y1 = Math.max(y1, y)
  }
  return { label, points, bounds: { x0, y0, x1, y1 } }
}

/** Does the voxel edge that starts at grid point (x, y), running right or down, separate the same labels in both? */
export function sameEdge(
  a: Uint8Array,
  b: Uint8Array,
  layout: SliceLayout,
  x: number,
  y: number,
  horizontal: boolean,
): boolean {
  return sameLabel(a, b, layout, x, y) && sameLabel(a, b, layout, horizontal ? x : x - 1, horizontal ? y - 1 : y)
}

function sameLabel(a: Uint8Array, b: Uint8Array, layout: SliceLayout, i: number, j: number): boolean {
  if (i < 0 || j < 0 || i >= layout.width || j >= layout.height) return true
  const offset = layout.origin + i * layout.stepI + j * layout.stepJ
  return a[offset] === b[offset]
}

/**
 * Cuts an outline into dashes, lengths in screen pixels; the phase runs along the border so that corners do not restart
 * it. `keep` decides for each voxel edge whether it is drawn at all.
 */
export function dashOutline(
  outline: Outline,
  viewport: Viewport,
  dash: DashPattern,
  keep: (x: number, y: number, horizontal: boolean) => boolean,
  emit: (x0: number, y0: number, x1: number, y1: number) => void,
): void {
  const { points } = outline
  let phase = 0
  for (let p = 0; p < points.length; p += 2) {
    const ax = points[p] ?? 0
    const ay = points[p + 1] ?? 0
    const next = (p + 2) % points.length
    const bx = points[next] ?? 0
    const by = points[next + 1] ?? 0
    const horizontal = ay === by
    const scale = horizontal ? viewport.scaleX : viewport.scaleY
    const edges = Math.abs(horizontal ? bx - ax : by - ay)
    const sign = Math.sign(horizontal ? bx - ax : by - ay)
    // Neighbouring edges that are kept form one piece, so that few and long lines are drawn.
    let from = -1
    for (let e = 0; e <= edges; e++) {
      const low = sign > 0 ? e : e + 1
      const kept =
        e < edges &&
        (horizontal ? keep(ax + sign * e - (low - e), ay, true) : keep(ax, ay + sign * e - (low - e), false))
      if (kept && from < 0) from = e
      if (kept || from < 0) continue
      dashes(phase + from * scale, (e - from) * scale, dash, (start, end) => {
        const a = from + start / scale
        const b = from + end / scale
        if (horizontal) emit(ax + sign * a, ay, ax + sign * b, ay)
        else emit(ax, ay + sign * a, ax, ay + sign * b)
      })
      from = -1
    }
    phase += edges * scale
  }
}

/** The drawn intervals of a line of `length` that begins at `phase` of the pattern. */
function dashes(phase: number, length: number, dash: DashPattern, emit: (start: number, end: number) => void): void {
  const period = dash.on + dash.off
  for (let at = -(phase % period); at < length; at += period) {
    const start = Math.max(0, at)
    const end = Math.min(length, at + dash.on)
    if (end > start) emit(start, end)
  }
}
