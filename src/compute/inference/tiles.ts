import { roundUp } from '../data/padding.ts'
import type { Window2D } from '../data/padding.ts'

/** Images larger than this in either direction are predicted in tiles, so that memory is bounded. */
const MAX_EXTENT = 1024
/** What a tile keeps of its prediction; with its margins it is a multiple of any step up to 64. */
const TILE = 512
/** Context on each side of a tile, about half of what a pixel's prediction depends on in the deepest of our networks. */
const MARGIN = 64

/** One run of the network: what it sees (may reach beyond the image) and what of its output is kept. */
export interface Tile {
  readonly input: Window2D
  /** In image coordinates, inside both the image and `input`. */
  readonly keep: Window2D
}

/** Covers an image of width x height: one tile mirrored out to multiples of `step`, or tiles with overlapping margins. */
export function planTiles(width: number, height: number, step: number): Tile[] {
  if (width <= MAX_EXTENT && height <= MAX_EXTENT) {
    const paddedWidth = roundUp(width, step)
    const paddedHeight = roundUp(height, step)
    return [
      {
        input: {
          left: -Math.floor((paddedWidth - width) / 2),
          top: -Math.floor((paddedHeight - height) / 2),
          width: paddedWidth,
          height: paddedHeight,
        },
        keep: { left: 0, top: 0, width, height },
      },
    ]
  }
  const tiles: Tile[] = []
  const extent = roundUp(TILE + 2 * MARGIN, step)
  for (let top = 0; top < height; top += TILE) {
    for (let left = 0; left < width; left += TILE) {
      tiles.push({
        input: { left: left - MARGIN, top: top - MARGIN, width: extent, height: extent },
        keep: { left, top, width: Math.min(TILE, width - left), height: Math.min(TILE, height - top) },
      })
    }
  }
  return tiles
}
