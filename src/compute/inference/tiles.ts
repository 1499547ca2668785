import { roundUp } from '../data/padding.ts'
import type { Window2D } from '../data/padding.ts'

/** One run of the network: what it sees (may reach beyond the image) and what of its output is kept. */
export interface Tile {
  readonly input: Window2D
  /** In image coordinates, inside both the image and `input`. */
  readonly keep: Window2D
  /** Absent: what is kept counts alone. */
  readonly ramp?: Ramp
}

/** How much a pixel of a tile counts where tiles overlap: the product of its column's and its row's weight. */
export interface Ramp {
  /** The pixel of the image that the first column and row are. */
  readonly left: number
  readonly top: number
  readonly columns: Float32Array
  readonly rows: Float32Array
}

export interface TileBounds {
  /** Inputs are multiples of this. */
  readonly step: number
  /** Context wanted on each side of what is kept, except at the border of the image: how far the network looks. */
  readonly margin: number
  /** A tile has at most so many pixels, but for the smallest there can be (LEAST_EXTENT). */
  readonly pixels: number
}

/** No tile is made smaller than this in either direction, but for the step of the network. */
export const LEAST_EXTENT = 64
/** The margins of a tile take at most so much of it on each side, however far the network looks. */
const MARGIN_SHARE = 1 / 4
/** Running the network once more costs about as much as so many pixels. */
const CALL_PIXELS = 4096

/** The image, mirrored out evenly to multiples of `step`: what is computed when all of it goes through at once. */
export function frameOf(width: number, height: number, step: number): Window2D {
  const paddedWidth = roundUp(width, step)
  const paddedHeight = roundUp(height, step)
  return {
    left: -Math.floor((paddedWidth - width) / 2),
    top: -Math.floor((paddedHeight - height) / 2),
    width: paddedWidth,
    height: paddedHeight,
  }
}

/**
 * Covers an image of width x height: by one tile where the bounds allow, else by tiles of one size with overlapping
 * margins. All tiles lie inside the frame of the whole image and on its grid of steps: where the margins are as wide as
 * the network looks, each pixel is computed from the same numbers as in one piece, to the border.
 */
export function planTiles(width: number, height: number, bounds: TileBounds): Tile[] {
  return coverWindow({ left: 0, top: 0, width, height }, frameOf(width, height, bounds.step), bounds)
}

/** The same for a part of the image: `keep` is covered once, `frame` is that of the whole image. */
export function coverWindow(keep: Window2D, frame: Window2D, { step, margin, pixels }: TileBounds): Tile[] {
  const [widest, highest] = [frame.width, frame.height]
  const shorter = Math.min(widest, highest)
  // Of the square, or of the strip as high as the image, that the bound allows.
  const side = Math.max(Math.floor(Math.sqrt(pixels)), shorter ** 2 <= pixels ? Math.floor(pixels / shorter) : 0)
  const context = Math.min(roundUp(margin, step), Math.floor((side * MARGIN_SHARE) / step) * step)
  const least = Math.max(roundUp(LEAST_EXTENT, step), 2 * context + step)
  const across = { from: keep.left, to: keep.left + keep.width, start: frame.left, extent: widest, step, context }
  const down = { from: keep.top, to: keep.top + keep.height, start: frame.top, extent: highest, step, context }
  let best: { columns: Span[]; rows: Span[]; cost: number } | null = null
  for (let extent = Math.min(widest, least); extent <= widest; extent += step) {
    const fitting = Math.floor(pixels / extent / step) * step
    const height = Math.min(highest, Math.max(fitting, least))
    const columns = coverSpan(across, extent)
    const rows = coverSpan(down, height)
    const used = (columns[0]?.extent ?? 0) * (rows[0]?.extent ?? 0)
    // The least tile there can be is taken even where the bound is smaller.
    if (used > pixels && best !== null) break
    const cost = columns.length * rows.length * (used + CALL_PIXELS)
    if (best === null || cost < best.cost) best = { columns, rows, cost }
  }
  const { columns, rows } = best ?? { columns: [], rows: [] }
  return rows.flatMap((row) =>
    columns.map((column) => ({
      input: { left: column.start, top: row.start, width: column.extent, height: row.extent },
      keep: { left: column.from, top: row.from, width: column.to - column.from, height: row.to - row.from },
    })),
  )
}

interface Span {
  readonly start: number
  readonly extent: number
  /** What is kept: from (included) to (excluded). */
  readonly from: number
  readonly to: number
}

interface SpanAsked {
  readonly from: number
  readonly to: number
  /** Of the frame. */
  readonly start: number
  readonly extent: number
  readonly step: number
  readonly context: number
}

/** As few windows as windows of at most this extent can be, and each as small as that many can be. */
function coverSpan(asked: SpanAsked, most: number): Span[] {
  const { from, to, step, context } = asked
  const spans = spansOf(asked, most)
  // Even on the grid, and with a border on both sides, they cannot be smaller.
  const least = Math.max(2 * context + step, (to - from - 2 * context) / spans.length + 2 * context)
  for (let extent = Math.floor(least / step) * step; extent < most; extent += step) {
    if (extent < 2 * context + step) continue
    const smaller = spansOf(asked, extent)
    if (smaller.length <= spans.length) return smaller
  }
  return spans
}

function spansOf({ from, to, start, extent: whole, step, context }: SpanAsked, extent: number): Span[] {
  const end = start + whole
  const spans: Span[] = []
  for (let at = from; at < to;) {
    // On the grid of the frame, with the context before it, and inside.
    const wanted = start + Math.floor((at - context - start) / step) * step
    const left = Math.max(start, Math.min(wanted, end - extent))
    const right = left + extent
    const last = Math.min(to, right >= end ? to : right - context)
    spans.push({ start: left, extent, from: at, to: last })
    if (last <= at) throw new Error('A tile keeps nothing.')
    at = last
  }
  return spans
}
