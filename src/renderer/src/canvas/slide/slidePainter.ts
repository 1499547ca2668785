import type { Rect } from '../layout.ts'
import type { Viewport } from '../viewport.ts'
import { levelFactor, tilesIn, type TileKey, type TileRange } from './pyramid.ts'
import type { SlideTiles } from './slideTiles.ts'

/** Painting tiles may take this long of a frame; what is left is painted in the next. */
const PAINT_MS = 6

export type SlideTarget = Pick<
  CanvasRenderingContext2D,
  | 'drawImage'
  | 'imageSmoothingEnabled'
  | 'imageSmoothingQuality'
  | 'save'
  | 'restore'
  | 'beginPath'
  | 'rect'
  | 'clip'
  | 'moveTo'
  | 'lineTo'
  | 'stroke'
  | 'fillRect'
  | 'strokeRect'
  | 'fillStyle'
  | 'strokeStyle'
  | 'lineWidth'
>

export interface SlideDrawing {
  readonly viewport: Viewport
  readonly pixelRatio: number
  /** CSS pixels of the target. */
  readonly clip: Rect
  readonly level: number
  readonly interpolate: boolean
}

/**
 * Draws the tiles of a level that are here, and under those that are not the nearest coarser (and the next finer) ones,
 * so that nothing is ever blank once the smallest level is here. Damaged tiles are marked. Says whether all that is here
 * was painted; if not, draw again in the next frame.
 */
export function drawSlide(
  target: SlideTarget,
  tiles: SlideTiles,
  drawing: SlideDrawing,
  now: () => number = () => performance.now(),
): boolean {
  const { viewport, clip, level } = drawing
  const area = {
    x0: (clip.x0 - viewport.offsetX) / viewport.scaleX,
    y0: (clip.y0 - viewport.offsetY) / viewport.scaleY,
    x1: (clip.x1 - viewport.offsetX) / viewport.scaleX,
    y1: (clip.y1 - viewport.offsetY) / viewport.scaleY,
  }
  const end = now() + PAINT_MS
  let first = true
  let complete = true
  /** At least one a frame, so that it goes on however slow the computer is. */
  const mayPaint = (): boolean => {
    const may = first || now() < end
    first = false
    if (!may) complete = false
    return may
  }
  const damaged: TileKey[] = []
  const gaps: Rect[] = []
  const here: TileKey[] = []
  for (const key of each(level, tilesIn(tiles.pyramid, level, area))) {
    if (tiles.hasFailed(key)) damaged.push(key)
    if (tiles.picture(key, mayPaint)) here.push(key)
    else gaps.push(tiles.rectOf(key))
  }
  const last = tiles.pyramid.levels.length - 1
  for (let coarser = last; coarser > level && gaps.length > 0; coarser--) {
    for (const key of each(coarser, tilesIn(tiles.pyramid, coarser, area))) {
      const rect = tiles.rectOf(key)
      if (!gaps.some((gap) => overlap(gap, rect))) continue
      drawTile(target, tiles, key, drawing, coarser === last ? () => true : mayPaint)
    }
  }
  for (const gap of level > 0 ? gaps : []) {
    for (const key of each(level - 1, tilesIn(tiles.pyramid, level - 1, inset(gap)))) {
      drawTile(target, tiles, key, drawing, () => false)
    }
  }
  for (const key of here) drawTile(target, tiles, key, drawing, () => false)
  for (const key of damaged) markDamaged(target, screenRect(tiles.rectOf(key), viewport, drawing.pixelRatio))
  return complete
}

function* each(level: number, range: TileRange): Generator<TileKey> {
  for (let row = range.row0; row < range.row1; row++) {
    for (let column = range.column0; column < range.column1; column++) yield { level, column, row }
  }
}

function overlap(a: Rect, b: Rect): boolean {
  return a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1
}

/** Rounded edges must not bring in the neighbours. */
function inset(rect: Rect): Rect {
  return { x0: rect.x0 + 0.5, y0: rect.y0 + 0.5, x1: rect.x1 - 0.5, y1: rect.y1 - 0.5 }
}

/** Snapped to device pixels, so that neighbouring tiles meet without seam or overlap. */
function screenRect(rect: Rect, viewport: Viewport, pixelRatio: number): Rect {
  const snap = (value: number): number => Math.round(value * pixelRatio) / pixelRatio
  return {
    x0: snap(viewport.offsetX + rect.x0 * viewport.scaleX),
    y0: snap(viewport.offsetY + rect.y0 * viewport.scaleY),
    x1: snap(viewport.offsetX + rect.x1 * viewport.scaleX),
    y1: snap(viewport.offsetY + rect.y1 * viewport.scaleY),
  }
}

function drawTile(
  target: SlideTarget,
  tiles: SlideTiles,
  key: TileKey,
  drawing: SlideDrawing,
  mayPaint: () => boolean,
): void {
  const picture = tiles.picture(key, mayPaint)
  if (!picture) return
  const { viewport, pixelRatio, interpolate, level } = drawing
  const factor = levelFactor(tiles.pyramid, key.level)
  const magnified = Math.min(viewport.scaleX * factor.x, viewport.scaleY * factor.y) * pixelRatio
  // Pixels of the file stay crisp unless asked otherwise; a coarser level that stands in for them is smoothed.
  target.imageSmoothingEnabled = interpolate || magnified < 0.999 || key.level > level
  target.imageSmoothingQuality = 'medium'
  const { x0, y0, x1, y1 } = screenRect(tiles.rectOf(key), viewport, pixelRatio)
  if (x1 > x0 && y1 > y0) target.drawImage(picture.source, x0, y0, x1 - x0, y1 - y0)
}

const HATCH = 14

/** Hatched and framed, over whatever coarser picture there is: this part of the file cannot be read. */
function markDamaged(target: SlideTarget, rect: Rect): void {
  target.save()
  target.beginPath()
  target.rect(rect.x0, rect.y0, rect.x1 - rect.x0, rect.y1 - rect.y0)
  target.clip()
  target.fillStyle = 'rgb(0 0 0 / 55%)'
  target.fillRect(rect.x0, rect.y0, rect.x1 - rect.x0, rect.y1 - rect.y0)
  target.strokeStyle = 'rgb(227 171 72 / 70%)'
  target.lineWidth = 1
  target.beginPath()
  const height = rect.y1 - rect.y0
  const lines = Math.min(400, Math.ceil((rect.x1 - rect.x0 + height) / HATCH))
  for (let line = 0; line <= lines; line++) {
    const x = rect.x0 - height + line * HATCH
    target.moveTo(x, rect.y1)
    target.lineTo(x + height, rect.y0)
  }
  target.stroke()
  target.strokeStyle = '#e3ab48'
  target.lineWidth = 2
  target.strokeRect(rect.x0 + 1, rect.y0 + 1, rect.x1 - rect.x0 - 2, rect.y1 - rect.y0 - 2)
  target.restore()
}
