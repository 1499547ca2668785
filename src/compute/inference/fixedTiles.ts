import type { Tile } from './tiles.ts'

interface Span {
  readonly start: number
  readonly from: number
  readonly to: number
}

/** The margins of a piece take at most so much of it on each side. */
const MARGIN_SHARE = 1 / 4

/**
 * A network that halves images sees the same pixel in another way where a piece begins at another remainder of these. The
 * largest one at no cost in pieces is kept to, so that the pieces agree with each other and with the image as a whole.
 */
const GRIDS = [64, 32, 16, 8, 4, 2]

/**
 * Covers an image of width x height by tiles of exactly `size`: one that reaches beyond a smaller image evenly on both
 * sides; for a larger one as few as can be, each pixel kept where it is farthest from the border of a tile.
 */
export function planFixedTiles(
  width: number,
  height: number,
  size: { readonly width: number; readonly height: number },
  margin: number,
): Tile[] {
  const columns = spansOf(width, size.width, margin)
  const rows = spansOf(height, size.height, margin)
  return rows.flatMap((row) =>
    columns.map((column) => ({
      input: { left: column.start, top: row.start, width: size.width, height: size.height },
      keep: { left: column.from, top: row.from, width: column.to - column.from, height: row.to - row.from },
    })),
  )
}

function spansOf(whole: number, extent: number, margin: number): Span[] {
  if (whole <= extent) return [{ start: 0 - Math.floor((extent - whole) / 2), from: 0, to: whole }]
  const context = Math.min(margin, Math.floor(extent * MARGIN_SHARE))
  const most = extent - 2 * context
  const count = (stride: number): number => 1 + Math.ceil((whole - extent) / stride)
  const grid = GRIDS.find((one) => extent % one === 0 && most >= one && count(most - (most % one)) === count(most)) ?? 1
  const stride = most - (most % grid)
  const starts = Array.from({ length: count(stride) }, (_, i) => Math.min(i * stride, whole - extent))
  const middle = (i: number): number => Math.floor(((starts[i] ?? 0) + (starts[i - 1] ?? 0) + extent) / 2)
  return starts.map((start, i) => ({
    start,
    from: i === 0 ? 0 : middle(i),
    to: i === starts.length - 1 ? whole : middle(i + 1),
  }))
}
