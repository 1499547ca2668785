import type { Window2D } from '../data/padding.ts'
import type { Tile } from './tiles.ts'

export interface ValidBounds {
  /** Results are of widths and heights `least`, `least` + `step`, and so on. */
  readonly least: number
  readonly step: number
  /** Pixels that the network cuts off at each side. */
  readonly margin: number
  /** The input of a tile has at most so many pixels, but for the smallest there can be. */
  readonly pixels: number
}

/** Running the network once more costs about as much as so many pixels. */
const CALL_PIXELS = 4096

/**
 * The overlap-tile strategy of the U-Net paper (Ronneberger et al. 2015, figure 2): covers an image of width x height by
 * results of a network with valid convolutions, each of whose inputs reaches `margin` pixels farther, beyond the image too,
 * which is mirrored there. One tile where the bounds allow, else as many as cost least. All results lie on one grid of
 * steps, so that each pixel is computed from the same numbers whatever the tiles are.
 */
export function planValidTiles(width: number, height: number, bounds: ValidBounds): Tile[] {
  return coverValidWindow({ left: 0, top: 0, width, height }, { width, height }, bounds)
}

/** The same for a part of an image of that size: `keep` is covered once. */
export function coverValidWindow(
  keep: Window2D,
  image: { readonly width: number; readonly height: number },
  bounds: ValidBounds,
): Tile[] {
  const columns = choices(keep.left, keep.left + keep.width, image.width, bounds)
  const rows = choices(keep.top, keep.top + keep.height, image.height, bounds)
  let best: { columns: Cover; rows: Cover; cost: number; pixels: number } | null = null
  for (const across of columns) {
    for (const down of rows) {
      const pixels = (across.extent + 2 * bounds.margin) * (down.extent + 2 * bounds.margin)
      const cost = across.spans.length * down.spans.length * (pixels + CALL_PIXELS)
      const fits = pixels <= bounds.pixels
      // Where nothing fits, the smallest.
      const better =
        best === null || (best.pixels <= bounds.pixels ? fits && cost < best.cost : fits || pixels < best.pixels)
      if (better) best = { columns: across, rows: down, cost, pixels }
    }
  }
  if (best === null) return []
  const { columns: across, rows: down } = best
  const { margin } = bounds
  return down.spans.flatMap((row) =>
    across.spans.map((column) => ({
      input: {
        left: column.start - margin,
        top: row.start - margin,
        width: across.extent + 2 * margin,
        height: down.extent + 2 * margin,
      },
      keep: { left: column.from, top: row.from, width: column.to - column.from, height: row.to - row.from },
    })),
  )
}

interface Cover {
  /** Of each result. */
  readonly extent: number
  readonly spans: readonly { readonly start: number; readonly from: number; readonly to: number }[]
}

/** For each number of results, up to the smallest results there are, those that cover [from, to). */
function choices(from: number, to: number, whole: number, { least, step }: ValidBounds): Cover[] {
  const extentFor = (pixels: number): number => least + Math.max(0, Math.ceil((pixels - least) / step)) * step
  const first = -Math.floor((extentFor(whole) - whole) / 2)
  // On the grid of the whole image.
  const start = first + Math.floor((from - first) / step) * step
  const found: Cover[] = []
  for (let count = 1, extent = Infinity; extent > least; count++) {
    const stride = Math.max(1, Math.ceil((to - start) / count / step)) * step
    const next = extentFor(Math.min(stride, to - start))
    if (next >= extent) {
      if (stride === step) break
      continue
    }
    extent = next
    const spans = []
    for (let at = start; at < to; at += stride) {
      const end = Math.min(to, count === 1 ? to : at + stride)
      if (end > Math.max(from, at)) spans.push({ start: at, from: Math.max(from, at), to: end })
      if (count === 1) break
    }
    found.push({ extent, spans })
  }
  return found
}
