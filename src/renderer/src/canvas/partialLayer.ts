import { Layer } from 'konva/lib/Layer.js'
import { Shape } from 'konva/lib/Shape.js'
import { unionRects, type Rect } from './layout.ts'

/** Draws everything that touches `clip` (CSS pixels) onto a canvas that is already cleared and clipped there. */
export type DrawClip = (context: CanvasRenderingContext2D, pixelRatio: number, clip: Rect) => void

/** A Konva layer that redraws only the rectangle that changed, once for each `flush`. */
export class PartialLayer {
  readonly layer: Layer
  private dirty: Rect | null = null
  private clip: Rect = { x0: 0, y0: 0, x1: 0, y1: 0 }

  constructor(draw: DrawClip) {
    this.layer = new Layer({ listening: false, clearBeforeDraw: false })
    this.layer.add(
      new Shape({
        listening: false,
        perfectDrawEnabled: false,
        sceneFunc: (konvaContext) => {
          const context = konvaContext._context
          const { clip } = this
          context.clearRect(clip.x0, clip.y0, clip.x1 - clip.x0, clip.y1 - clip.y0)
          draw(context, this.layer.getCanvas().getPixelRatio(), clip)
        },
      }),
    )
  }

  /** In CSS pixels; left out: everything. */
  invalidate(rect?: Rect): void {
    this.dirty = rect ? unionRects(this.dirty, rect) : { x0: -Infinity, y0: -Infinity, x1: Infinity, y1: Infinity }
  }

  /** Draws if anything is to be drawn, and says whether it did. */
  flush(width: number, height: number): boolean {
    if (!this.dirty) return false
    const x0 = Math.max(0, Math.floor(this.dirty.x0))
    const y0 = Math.max(0, Math.floor(this.dirty.y0))
    const x1 = Math.min(width, Math.ceil(this.dirty.x1))
    const y1 = Math.min(height, Math.ceil(this.dirty.y1))
    this.dirty = null
    if (x1 <= x0 || y1 <= y0) return false
    this.clip = { x0, y0, x1, y1 }
    this.layer.clip({ x: x0, y: y0, width: x1 - x0, height: y1 - y0 })
    this.layer.drawScene()
    return true
  }
}
