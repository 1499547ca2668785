import type { Rect, SliceLayout } from './layout.ts'
import type { ImageSlice } from './samples.ts'
import { TileGrid, type CreateSurface } from './tileGrid.ts'
import type { Viewport } from './viewport.ts'
import { createToneMap, renderImageRect, type DisplayWindow, type ToneMap } from './windowLevel.ts'

const TILE = 1024

/** Draws the grey or colour image of one slice through the display window. */
export class ImagePainter {
  private readonly tiles: TileGrid
  private slice: ImageSlice
  private window: DisplayWindow
  private tone: ToneMap

  constructor(layout: SliceLayout, slice: ImageSlice, window: DisplayWindow, createSurface: CreateSurface) {
    this.slice = slice
    this.window = window
    this.tone = createToneMap(slice, window)
    this.tiles = new TileGrid(
      layout.width,
      layout.height,
      TILE,
      (rect, out) => {
        renderImageRect(this.slice, layout, this.tone, rect, out)
        return true
      },
      createSurface,
    )
  }

  setSlice(slice: ImageSlice): void {
    const sameScale =
      slice.voxelType === this.slice.voxelType && slice.slope === this.slice.slope && slice.inter === this.slice.inter
    this.slice = slice
    if (!sameScale) this.tone = createToneMap(slice, this.window)
    this.tiles.invalidate()
  }

  setWindow(window: DisplayWindow): void {
    this.window = window
    this.tone = createToneMap(this.slice, window)
    this.tiles.invalidate()
  }

  /** Magnified pixels stay crisp unless `interpolate`; an image shown smaller than it is gets smoothed. */
  draw(
    context: CanvasRenderingContext2D,
    viewport: Viewport,
    pixelRatio: number,
    clip: Rect,
    interpolate: boolean,
  ): void {
    context.imageSmoothingEnabled = interpolate || viewport.scaleX * pixelRatio < 1 || viewport.scaleY * pixelRatio < 1
    context.imageSmoothingQuality = 'medium'
    this.tiles.draw(context, viewport, pixelRatio, clip)
  }
}
