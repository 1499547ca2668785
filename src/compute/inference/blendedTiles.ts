import { roundUp } from '../data/padding.ts'
import { frameOf, LEAST_EXTENT } from './tiles.ts'
import type { Tile, TileBounds } from './tiles.ts'

export interface BlendedBounds extends TileBounds {
  /** Share of a tile that overlaps its neighbour, at least. */
  readonly overlap: number
}

/** Pixels at the edge of a tile that see too little beside them are left out, up to this share of the overlap. */
const LEFT_OUT = 1 / 4

/**
 * Covers an image by tiles of one size that overlap, and says how much each counts where they do: linearly less towards the
 * edge, beyond what is left out there. One tile, without weights, where the bounds allow. All lie on the grid of steps of the
 * whole image, mirrored out.
 */
export function planBlendedTiles(width: number, height: number, bounds: BlendedBounds): Tile[] {
  const frame = frameOf(width, height, bounds.step)
  const { pixels, step } = bounds
  if (frame.width * frame.height <= pixels) {
    return [{ input: frame, keep: { left: 0, top: 0, width, height } }]
  }
  const least = roundUp(LEAST_EXTENT, step)
  const side = Math.sqrt(pixels)
  // A strip as high, or as wide, as the image where that is less than a square would be.
  const across = frame.height < side ? pixels / frame.height : side
  const down = frame.width < side ? pixels / frame.width : side
  const extent = (most: number, whole: number): number =>
    Math.min(whole, Math.max(least, Math.floor(most / step) * step))
  const columns = spansOf(frame.left, frame.width, extent(across, frame.width), width, bounds)
  const rows = spansOf(frame.top, frame.height, extent(down, frame.height), height, bounds)
  return rows.flatMap((row) =>
    columns.map((column) => ({
      input: { left: column.start, top: row.start, width: column.extent, height: row.extent },
      keep: { left: column.from, top: row.from, width: column.weights.length, height: row.weights.length },
      ramp: { left: column.from, top: row.from, columns: column.weights, rows: row.weights },
    })),
  )
}

interface Span {
  readonly start: number
  readonly extent: number
  /** Where what is kept begins; as many pixels as there are weights. */
  readonly from: number
  readonly weights: Float32Array
}

function spansOf(first: number, whole: number, extent: number, size: number, bounds: BlendedBounds): Span[] {
  const { step, margin, overlap } = bounds
  const wanted = Math.max(overlap * extent, 2 * Math.min(margin, extent / 4), step)
  const shared = Math.min(extent - step, roundUp(Math.floor(wanted), step))
  const count = extent >= whole ? 1 : 1 + Math.ceil((whole - extent) / Math.max(step, extent - shared))
  const gaps = Math.max(1, count - 1)
  const starts = Array.from(
    { length: count },
    (_, i) => first + step * Math.round((i * (whole - extent)) / gaps / step),
  )
  return starts.map((start, i) => {
    const before = starts[i - 1]
    const after = starts[i + 1]
    const common = {
      before: before === undefined ? 0 : before + extent - start,
      after: after === undefined ? 0 : start + extent - after,
    }
    const out = (pixels: number): number => Math.min(margin, Math.floor(pixels * LEFT_OUT))
    const from = Math.max(0, start + out(common.before))
    const to = Math.min(size, start + extent - out(common.after))
    const rise = common.before - 2 * out(common.before)
    const fall = common.after - 2 * out(common.after)
    const weights = Float32Array.from({ length: to - from }, (_, x) => {
      const at = from + x + 0.5
      const up = rise > 0 ? (at - start - out(common.before)) / rise : 1
      const downwards = fall > 0 ? (start + extent - out(common.after) - at) / fall : 1
      return Math.min(1, up, downwards)
    })
    return { start, extent, from, weights }
  })
}
