import { ContourGrid, boundarySegments } from './contourGrid.ts'
import { renderMaskRect, renderPredictionRect } from './labelRender.ts'
import { growRect, intersectRects, type Rect, type SliceLayout } from './layout.ts'
import { dashOutline, outlinesOf, sameEdge, type Outline } from './outlines.ts'
import type { Palette } from './palette.ts'
import { TileGrid, type CreateSurface } from './tileGrid.ts'
import type { Viewport } from './viewport.ts'

const FILL_TILE = 256
const CONTOUR_TILE = 64
const DASH = { on: 7, off: 4 } as const
const HALO = 'rgb(0 0 0 / 70%)'

export interface OverlayStyle {
  readonly mode: 'fill' | 'contour'
  readonly maskVisible: boolean
  readonly predictionVisible: boolean
  readonly maskPalette: Palette
  readonly predictionPalette: Palette
  readonly lineColors: readonly (string | null)[]
  readonly lineAlpha: number
  /** By uncertainty; null: it is not shown. */
  readonly uncertaintyPalette: Palette | null
}

export interface OverlayLabels {
  readonly mask: Uint8Array
  readonly prediction: Uint8Array | null
  /** A slice that a person has dealt with: the prediction shrinks to a dashed line where it differs. */
  readonly settled: boolean
  /** Of the prediction, one byte a pixel, 0 sure; null where it is not known or not shown. */
  readonly uncertainty: Uint8Array | null
}

/**
 * Draws mask and prediction of one slice. The mask is filled or outlined with solid lines; the prediction is a paler
 * fill with a dashed outline, and only where it differs from the mask. How unsure the model is lies under both.
 */
export class OverlayPainter {
  /** How far beyond a changed rectangle lines may reach, in CSS pixels. */
  readonly reach = 4
  private readonly layout: SliceLayout
  private readonly maskTiles: TileGrid
  private readonly predictionTiles: TileGrid
  private readonly contourTiles: ContourGrid
  private readonly uncertaintyTiles: TileGrid
  private outlines: readonly Outline[] | null = null
  private labels: OverlayLabels
  private style: OverlayStyle

  constructor(layout: SliceLayout, labels: OverlayLabels, style: OverlayStyle, createSurface: CreateSurface) {
    this.layout = layout
    this.labels = labels
    this.style = style
    const { width, height } = layout
    this.maskTiles = new TileGrid(
      width,
      height,
      FILL_TILE,
      (rect, out) => renderMaskRect(this.labels.mask, layout, this.style.maskPalette, rect, out),
      createSurface,
    )
    this.predictionTiles = new TileGrid(
      width,
      height,
      FILL_TILE,
      (rect, out) => {
        const { prediction, mask } = this.labels
        return prediction
          ? renderPredictionRect(prediction, mask, layout, this.style.predictionPalette, rect, out)
          : false
      },
      createSurface,
    )
    this.uncertaintyTiles = new TileGrid(
      width,
      height,
      FILL_TILE,
      (rect, out) => {
        const { uncertainty } = this.labels
        const palette = this.style.uncertaintyPalette
        return uncertainty && palette ? renderMaskRect(uncertainty, layout, palette, rect, out) : false
      },
      createSurface,
    )
    this.contourTiles = new ContourGrid(width, height, CONTOUR_TILE, (rect) =>
      boundarySegments(this.labels.mask, layout, rect),
    )
  }

  setLabels(labels: OverlayLabels): void {
    if (labels.mask !== this.labels.mask) {
      this.maskTiles.invalidate()
      this.contourTiles.invalidate()
    }
    if (labels.prediction !== this.labels.prediction) this.outlines = null
    if (labels.uncertainty !== this.labels.uncertainty) this.uncertaintyTiles.invalidate()
    this.predictionTiles.invalidate()
    this.labels = labels
  }

  setStyle(style: OverlayStyle): void {
    if (style.maskPalette !== this.style.maskPalette) this.maskTiles.invalidate()
    if (style.predictionPalette !== this.style.predictionPalette) this.predictionTiles.invalidate()
    if (style.uncertaintyPalette !== this.style.uncertaintyPalette) this.uncertaintyTiles.invalidate()
    this.style = style
  }

  /** The mask changed inside `rect` (display pixels). */
  invalidate(rect: Rect): void {
    this.maskTiles.invalidate(rect)
    this.contourTiles.invalidate(rect)
    if (this.labels.prediction) this.predictionTiles.invalidate(rect)
  }

  draw(context: CanvasRenderingContext2D, viewport: Viewport, pixelRatio: number, clip: Rect): void {
    const { style, labels } = this
    const showPrediction = style.predictionVisible && labels.prediction !== null
    context.imageSmoothingEnabled = viewport.scaleX < 1
    if (style.uncertaintyPalette && labels.uncertainty) {
      this.uncertaintyTiles.draw(context, viewport, pixelRatio, clip)
    }
    if (style.mode === 'fill') {
      if (style.maskVisible) this.maskTiles.draw(context, viewport, pixelRatio, clip)
      if (showPrediction && !labels.settled) this.predictionTiles.draw(context, viewport, pixelRatio, clip)
    }
    const visible = this.visibleRect(viewport, clip)
    if (!visible) return
    const snap = (value: number): number => Math.round(value * pixelRatio) / pixelRatio
    const line = (x0: number, y0: number, x1: number, y1: number): void => {
      context.moveTo(snap(viewport.offsetX + x0 * viewport.scaleX), snap(viewport.offsetY + y0 * viewport.scaleY))
      context.lineTo(snap(viewport.offsetX + x1 * viewport.scaleX), snap(viewport.offsetY + y1 * viewport.scaleY))
    }
    if (style.mode === 'contour' && style.maskVisible) this.drawContours(context, visible, line)
    if (showPrediction) this.drawDashes(context, viewport, visible, line)
  }

  private visibleRect(viewport: Viewport, clip: Rect): Rect | null {
    const whole = { x0: 0, y0: 0, x1: this.layout.width, y1: this.layout.height }
    const shown = {
      x0: Math.floor((clip.x0 - viewport.offsetX) / viewport.scaleX),
      y0: Math.floor((clip.y0 - viewport.offsetY) / viewport.scaleY),
      x1: Math.ceil((clip.x1 - viewport.offsetX) / viewport.scaleX),
      y1: Math.ceil((clip.y1 - viewport.offsetY) / viewport.scaleY),
    }
    return intersectRects(whole, growRect(shown, 1))
  }

  private drawContours(context: CanvasRenderingContext2D, visible: Rect, line: Line): void {
    const byLabel = this.contourTiles.visible(visible)
    const trace = (lists: readonly (readonly number[])[]): void => {
      for (const list of lists) {
        for (let s = 0; s + 3 < list.length; s += 4)
          line(list[s] ?? 0, list[s + 1] ?? 0, list[s + 2] ?? 0, list[s + 3] ?? 0)
      }
    }
    const drawn = [...byLabel].filter(([label]) => this.style.lineColors[label])
    context.beginPath()
    for (const [, lists] of drawn) trace(lists)
    stroke(context, HALO, 3.5, this.style.lineAlpha)
    for (const [label, lists] of drawn) {
      context.beginPath()
      trace(lists)
      stroke(context, this.style.lineColors[label] ?? HALO, 1.75, this.style.lineAlpha)
    }
  }

  private drawDashes(context: CanvasRenderingContext2D, viewport: Viewport, visible: Rect, line: Line): void {
    const { prediction, mask } = this.labels
    if (!prediction) return
    this.outlines ??= outlinesOf(prediction, this.layout)
    const drawn = this.outlines.filter(
      ({ label, bounds }) => this.style.lineColors[label] && intersectRects(growRect(bounds, 1), visible),
    )
    const dashesOf = (outline: Outline): void => {
      const differs = (x: number, y: number, horizontal: boolean): boolean =>
        !sameEdge(prediction, mask, this.layout, x, y, horizontal)
      dashOutline(outline, viewport, DASH, differs, line)
    }
    context.beginPath()
    drawn.forEach(dashesOf)
    stroke(context, HALO, 3, this.style.lineAlpha)
    for (const outline of drawn) {
      context.beginPath()
      dashesOf(outline)
      stroke(context, this.style.lineColors[outline.label] ?? HALO, 1.5, this.style.lineAlpha)
    }
  }
}

type Line = (x0: number, y0: number, x1: number, y1: number) => void

function stroke(context: CanvasRenderingContext2D, color: string, width: number, alpha: number): void {
  context.lineCap = 'butt'
  context.lineJoin = 'round'
  context.globalAlpha = alpha
  context.strokeStyle = color
  context.lineWidth = width
  context.stroke()
  context.globalAlpha = 1
}
