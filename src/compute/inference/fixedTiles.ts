import type { Tile } from './tiles.ts'

interface Span {
  readonly start: number
  readonly from: number
  readonly to: number
}

/** The margins of a piece take at most so much of it on each side. */
const MARGIN_SHARE = 1 / 4

/**
 * Covers an image of width x height by tiles of exactly `size`: one that reaches beyond a smaller image evenly on both
 * sides; for a larger one as few as can be, evenly spread, each pixel kept where it is farthest from the border of a tile.
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
  const count = Math.max(2, Math.ceil((whole - 2 * context) / (extent - 2 * context)))
  const starts = Array.from({ length: count }, (_, i) => Math.round((i * (whole - extent)) / (count - 1)))
  const middle = (i: number): number => Math.floor(((starts[i] ?? 0) + (starts[i - 1] ?? 0) + extent) / 2)
  return starts.map((start, i) => ({
    start,
    from: i === 0 ? 0 : middle(i),
    to: i === count - 1 ? whole : middle(i + 1),
  }))
}
