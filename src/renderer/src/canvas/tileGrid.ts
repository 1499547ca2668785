import { intersectRects, unionRects, type Rect } from './layout.ts'
import type { Viewport } from './viewport.ts'

/** The part of a 2-D canvas context that tiles need; a test brings its own. */
export interface TileSurface {
  readonly source: CanvasImageSource
  put(words: Uint32Array, width: number, height: number, x: number, y: number): void
  /** Gives its memory back at once instead of when the browser finds time; it is not used again. */
  release?(): void
}

/** Where tiles are drawn to: the part of CanvasRenderingContext2D that is used. */
export type TileTarget = Pick<CanvasRenderingContext2D, 'drawImage'>

export type CreateSurface = (width: number, height: number) => TileSurface

/** Draws the pixels of `rect` into `out` (rows of its width) and says whether anything visible is there. */
export type PaintRect = (rect: Rect, out: Uint32Array) => boolean

interface Tile {
  readonly rect: Rect
  surface: TileSurface | null
  dirty: Rect | null
  /** Nothing visible is on it: not drawn. */
  empty: boolean
}

export function createCanvasSurface(width: number, height: number): TileSurface {
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  const context = canvas.getContext('2d')
  if (!context) throw new Error('This browser gives no 2-D canvas.')
  return {
    source: canvas,
    put(words, w, h, x, y) {
      const pixels = new Uint8ClampedArray(words.buffer as ArrayBuffer, words.byteOffset, w * h * 4)
      context.putImageData(new ImageData(pixels, w, h), x, y)
    },
    release() {
      canvas.width = 0
      canvas.height = 0
    },
  }
}

/**
 * An image of any size as a grid of small canvases. Only what was invalidated is painted again, only when it is on
 * screen, and a tile without anything visible costs nothing. Small tiles matter for the brush: writing to a canvas that
 * was drawn from makes the browser copy it whole.
 */
export class TileGrid {
  private readonly tiles: readonly Tile[]
  private readonly scratch: Uint32Array
  private readonly paint: PaintRect
  private readonly createSurface: CreateSurface

  constructor(width: number, height: number, tileSize: number, paint: PaintRect, createSurface: CreateSurface) {
    const tiles: Tile[] = []
    for (let y0 = 0; y0 < height; y0 += tileSize) {
      for (let x0 = 0; x0 < width; x0 += tileSize) {
        const rect = { x0, y0, x1: Math.min(width, x0 + tileSize), y1: Math.min(height, y0 + tileSize) }
        tiles.push({ rect, surface: null, dirty: rect, empty: true })
      }
    }
    this.tiles = tiles
    this.scratch = new Uint32Array(Math.min(tileSize, width) * Math.min(tileSize, height))
    this.paint = paint
    this.createSurface = createSurface
  }

  /** The pixels of `rect` (all of them when left out) are painted again before they are next drawn. */
  invalidate(rect?: Rect): void {
    for (const tile of this.tiles) {
      const hit = rect ? intersectRects(tile.rect, rect) : tile.rect
      if (hit) tile.dirty = unionRects(tile.dirty, hit)
    }
  }

  /**
   * Draws the tiles that touch `clip` (CSS pixels of the target). Edges are snapped to device pixels so that
   * neighbouring tiles meet without seam or overlap.
   */
  draw(target: TileTarget, viewport: Viewport, pixelRatio: number, clip: Rect): void {
    const snap = (value: number): number => Math.round(value * pixelRatio) / pixelRatio
    for (const tile of this.tiles) {
      const left = snap(viewport.offsetX + tile.rect.x0 * viewport.scaleX)
      const top = snap(viewport.offsetY + tile.rect.y0 * viewport.scaleY)
      const right = snap(viewport.offsetX + tile.rect.x1 * viewport.scaleX)
      const bottom = snap(viewport.offsetY + tile.rect.y1 * viewport.scaleY)
      if (left >= clip.x1 || right <= clip.x0 || top >= clip.y1 || bottom <= clip.y0) continue
      this.refresh(tile)
      if (!tile.empty && tile.surface) {
        target.drawImage(tile.surface.source, left, top, right - left, bottom - top)
      }
    }
  }

  private refresh(tile: Tile): void {
    const dirty = tile.dirty
    if (!dirty) return
    tile.dirty = null
    const width = dirty.x1 - dirty.x0
    const height = dirty.y1 - dirty.y0
    const visible = this.paint(dirty, this.scratch)
    const whole = width === tile.rect.x1 - tile.rect.x0 && height === tile.rect.y1 - tile.rect.y0
    if (!visible && (whole || !tile.surface)) {
      // A surface that is left for later use must not keep old pixels where the next paint is partial.
      if (whole) tile.surface = null
      tile.empty = true
      return
    }
    tile.surface ??= this.createSurface(tile.rect.x1 - tile.rect.x0, tile.rect.y1 - tile.rect.y0)
    tile.surface.put(this.scratch, width, height, dirty.x0 - tile.rect.x0, dirty.y0 - tile.rect.y0)
    tile.empty = false
  }
}
