import type { Rect } from '../layout.ts'
import type { Point } from '../viewport.ts'

export interface PyramidLevel {
  readonly width: number
  readonly height: number
}

/** A slide as it is shown: the same picture in several sizes, each cut into tiles. Level 0 is the full one. */
export interface Pyramid {
  /** Extent of a tile in pixels of its level; smaller at the right and lower edge. */
  readonly tileWidth: number
  readonly tileHeight: number
  readonly levels: readonly PyramidLevel[]
}

export interface TileKey {
  readonly level: number
  readonly column: number
  readonly row: number
}

/** Half-open ranges of columns and rows. */
export interface TileRange {
  readonly column0: number
  readonly column1: number
  readonly row0: number
  readonly row1: number
}

/** A level may be this much larger on the screen than it is and still count as crisp: sizes of levels are rounded. */
const CRISP = 1.01

export function tileName(key: TileKey): string {
  return `${String(key.level)}/${String(key.column)}/${String(key.row)}`
}

/** Pixels of level 0 that one pixel of the level spans. */
export function levelFactor(pyramid: Pyramid, level: number): Point {
  const full = pyramid.levels[0]
  const one = pyramid.levels[level]
  return full && one ? { x: full.width / one.width, y: full.height / one.height } : { x: 1, y: 1 }
}

/** Extent of a tile in its own pixels; zero beyond the edge. */
export function tileSize(pyramid: Pyramid, key: TileKey): { readonly width: number; readonly height: number } {
  const level = pyramid.levels[key.level]
  if (!level) return { width: 0, height: 0 }
  return {
    width: Math.max(0, Math.min(pyramid.tileWidth, level.width - key.column * pyramid.tileWidth)),
    height: Math.max(0, Math.min(pyramid.tileHeight, level.height - key.row * pyramid.tileHeight)),
  }
}

/** What a tile covers, in pixels of level 0. */
export function tileRect(pyramid: Pyramid, key: TileKey): Rect {
  const factor = levelFactor(pyramid, key.level)
  const { width, height } = tileSize(pyramid, key)
  const x0 = key.column * pyramid.tileWidth
  const y0 = key.row * pyramid.tileHeight
  return { x0: x0 * factor.x, y0: y0 * factor.y, x1: (x0 + width) * factor.x, y1: (y0 + height) * factor.y }
}

/** The tiles of a level that touch `area` (pixels of level 0); empty ranges where it lies beside the slide. */
export function tilesIn(pyramid: Pyramid, level: number, area: Rect): TileRange {
  const one = pyramid.levels[level]
  if (!one) return { column0: 0, column1: 0, row0: 0, row1: 0 }
  const factor = levelFactor(pyramid, level)
  const spanX = pyramid.tileWidth * factor.x
  const spanY = pyramid.tileHeight * factor.y
  const columns = Math.ceil(one.width / pyramid.tileWidth)
  const rows = Math.ceil(one.height / pyramid.tileHeight)
  return {
    column0: Math.max(0, Math.floor(area.x0 / spanX)),
    column1: Math.min(columns, Math.ceil(area.x1 / spanX)),
    row0: Math.max(0, Math.floor(area.y0 / spanY)),
    row1: Math.min(rows, Math.ceil(area.y1 / spanY)),
  }
}

/** The same tiles one by one, those nearest to `centre` (pixels of level 0) first. */
export function tilesTowards(pyramid: Pyramid, level: number, range: TileRange, centre: Point): TileKey[] {
  const factor = levelFactor(pyramid, level)
  const found: { key: TileKey; distance: number }[] = []
  for (let row = range.row0; row < range.row1; row++) {
    for (let column = range.column0; column < range.column1; column++) {
      const x = (column + 0.5) * pyramid.tileWidth * factor.x - centre.x
      const y = (row + 0.5) * pyramid.tileHeight * factor.y - centre.y
      found.push({ key: { level, column, row }, distance: x * x + y * y })
    }
  }
  return found.sort((a, b) => a.distance - b.distance).map(({ key }) => key)
}

/**
 * The coarsest level that is not magnified at `scale` device pixels a pixel of level 0, since finer ones would only
 * cost. Where that is still more than `mostPixels` in `area` (pixels of level 0), a coarser one: what is on screen must
 * fit into the cache.
 */
export function chooseLevel(pyramid: Pyramid, scale: number, area: Rect, mostPixels: number): number {
  const last = pyramid.levels.length - 1
  const factorOf = (level: number): number => {
    const { x, y } = levelFactor(pyramid, level)
    return Math.max(x, y)
  }
  let level = 0
  while (level < last && factorOf(level + 1) * scale <= CRISP) level++
  const pixelsAt = (at: number): number => {
    const { x, y } = levelFactor(pyramid, at)
    return (Math.max(0, area.x1 - area.x0) / x) * (Math.max(0, area.y1 - area.y0) / y)
  }
  while (level < last && pixelsAt(level) > mostPixels) level++
  return level
}
