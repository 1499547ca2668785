import type { PlaneView } from '../../../core/geometry/types.ts'
import { cursorRect, drawBrushCursor, sameCursor, type BrushCursor } from './brushCursor.ts'
import { FrameScheduler } from './frame.ts'
import { ImagePainter } from './imagePainter.ts'
import { LayeredStage } from './layeredStage.ts'
import { displayRectToSlice, growRect, sliceLayout, sliceRectToDisplay, type Rect, type SliceLayout } from './layout.ts'
import { OverlayPainter, type OverlayLabels, type OverlayStyle } from './overlayPainter.ts'
import { PartialLayer } from './partialLayer.ts'
import type { ImageSlice } from './samples.ts'
import { createCanvasSurface } from './tileGrid.ts'
import {
  fitViewport,
  panBy,
  pixelsInView,
  toImage,
  zoomAt,
  zoomOf,
  type Point,
  type Size,
  type Viewport,
} from './viewport.ts'
import type { DisplayWindow } from './windowLevel.ts'

/** All that is drawn of one slice. Buffers are drawn as they are, in the wire's slice order, and never copied. */
export interface ShownSlice {
  readonly view: PlaneView
  readonly index: number
  readonly image: ImageSlice
  readonly labels: OverlayLabels
}

interface Scene {
  readonly view: PlaneView
  readonly layout: SliceLayout
  readonly channels: 1 | 3
  readonly image: ImagePainter
  readonly overlay: OverlayPainter
}

const FIT_MARGIN = 24

/** Told on the element when pixels that were asked for are on the canvas; for measurements. */
const PAINTED_EVENT = 'maskwright:painted'
interface PaintedDetail {
  readonly kind: 'slice' | 'brush'
  /** From the call that asked for it, in the event's own handler, to the pixels, in ms. */
  readonly milliseconds: number
}

/**
 * The picture of one slice on a Konva stage: image, overlay and cursor layers. It knows nothing of Vue, of the backend
 * or of tools; all sizes are CSS pixels of its element, all rectangles of labels are in the slice buffer's own order.
 */
export class SliceViewer {
  readonly element: HTMLDivElement
  private readonly stage: LayeredStage
  private readonly imageLayer: PartialLayer
  private readonly overlayLayer: PartialLayer
  private readonly cursorLayer: PartialLayer
  private readonly frames: FrameScheduler
  private readonly onChange: () => void
  private scene: Scene | null = null
  private shownSlice: ShownSlice | null = null
  private viewport: Viewport = { offsetX: 0, offsetY: 0, scaleX: 1, scaleY: 1 }
  private fitted = true
  private window: DisplayWindow = { center: 127.5, width: 255 }
  private style: OverlayStyle
  private interpolate = false
  private cursor: BrushCursor | null = null
  private cause: { kind: PaintedDetail['kind']; since: number } | null = null

  /** `onChange` is told after every change of zoom, place or slice. */
  constructor(element: HTMLDivElement, style: OverlayStyle, onChange: () => void) {
    this.element = element
    this.style = style
    this.onChange = onChange
    this.imageLayer = new PartialLayer((context, ratio, clip) => {
      if (this.shownSlice) this.scene?.image.draw(context, this.viewport, ratio, clip, this.interpolate)
    })
    this.overlayLayer = new PartialLayer((context, ratio, clip) => {
      if (this.shownSlice) this.scene?.overlay.draw(context, this.viewport, ratio, clip)
    })
    this.cursorLayer = new PartialLayer((context, ratio) => {
      if (this.cursor && this.scene) drawBrushCursor(context, this.cursor, this.viewport, ratio)
    })
    this.frames = new FrameScheduler(() => {
      this.flush()
    })
    this.stage = new LayeredStage(element, [this.imageLayer, this.overlayLayer, this.cursorLayer], (before) => {
      this.resized(before)
    })
    this.stage.follow()
  }

  get shown(): ShownSlice | null {
    return this.shownSlice
  }

  /** The plane on screen, also while one of its slices is awaited. */
  get view(): PlaneView | null {
    return this.scene?.view ?? null
  }

  get zoom(): number {
    return this.scene ? zoomOf(this.viewport, this.scene.view) : 1
  }

  /** Shows another slice. The view (zoom, pan) stays unless the plane or its extent is another. */
  show(slice: ShownSlice, since = performance.now()): void {
    const layout = sliceLayout(slice.view)
    const scene = this.scene
    if (scene?.view === slice.view && scene.channels === slice.image.channels) {
      scene.image.setSlice(slice.image)
      scene.overlay.setLabels(slice.labels)
    } else {
      this.scene = {
        view: slice.view,
        layout,
        channels: slice.image.channels,
        image: new ImagePainter(layout, slice.image, this.window, createCanvasSurface),
        overlay: new OverlayPainter(layout, slice.labels, this.style, createCanvasSurface),
      }
      this.setViewport(fitViewport(slice.view, this.size, FIT_MARGIN), true)
    }
    this.shownSlice = slice
    this.imageLayer.invalidate()
    this.overlayLayer.invalidate()
    this.cause = { kind: 'slice', since }
    this.onChange()
    this.frames.urgent()
  }

  /** Everything that `change` does to the picture is drawn together, at once if nothing else was in this frame. */
  together(change: () => void): void {
    this.frames.together(change)
  }

  /**
   * Takes the slice off the screen before the next frame, unless another one is shown by then: what is on screen is never
   * another slice than the one that is asked for. The view (zoom, pan) stays for it.
   */
  hide(): void {
    if (!this.shownSlice) return
    this.shownSlice = null
    this.cursor = null
    this.onChange()
    this.invalidateAll()
  }

  clear(): void {
    this.scene = null
    this.shownSlice = null
    this.cursor = null
    this.onChange()
    this.invalidateAll()
  }

  /** Other labels for the slice on screen: a prediction that came, a mask that was read again. */
  setLabels(labels: OverlayLabels): void {
    if (!this.scene || !this.shownSlice) return
    this.shownSlice = { ...this.shownSlice, labels }
    this.scene.overlay.setLabels(labels)
    this.overlayLayer.invalidate()
    this.frames.request()
  }

  /**
   * The mask buffer on screen was changed inside `rect` (of the buffer). With `since`, when the pointer's event came,
   * it is painted before this returns if nothing else was in this frame.
   */
  maskChanged(rect: Rect, since?: number): void {
    if (!this.scene) return
    const display = sliceRectToDisplay(this.scene.layout, rect)
    this.scene.overlay.invalidate(display)
    this.overlayLayer.invalidate(growRect(this.screenRect(display), this.scene.overlay.reach))
    if (since === undefined) {
      this.frames.request()
    } else {
      this.cause ??= { kind: 'brush', since }
      this.frames.urgent()
    }
  }

  setWindow(window: DisplayWindow): void {
    this.window = window
    this.scene?.image.setWindow(window)
    this.imageLayer.invalidate()
    this.frames.request()
  }

  setStyle(style: OverlayStyle): void {
    this.style = style
    this.scene?.overlay.setStyle(style)
    this.overlayLayer.invalidate()
    this.frames.request()
  }

  setInterpolate(interpolate: boolean): void {
    this.interpolate = interpolate
    this.imageLayer.invalidate()
    this.frames.request()
  }

  setCursor(cursor: BrushCursor | null): void {
    const before = this.cursor
    if (sameCursor(before, cursor)) return
    this.cursor = cursor
    if (before) this.cursorLayer.invalidate(cursorRect(before, this.viewport))
    if (cursor) this.cursorLayer.invalidate(cursorRect(cursor, this.viewport))
    this.frames.urgent()
  }

  fit(): void {
    if (this.scene) this.setViewport(fitViewport(this.scene.view, this.size, FIT_MARGIN), true)
  }

  panBy(dx: number, dy: number): void {
    if (this.scene) this.setViewport(panBy(this.viewport, this.scene.view, this.size, dx, dy), false)
  }

  /** Zooms by `factor`; what is under `anchor` stays there. Left out: the middle of the element. */
  zoomBy(factor: number, anchor: Point = { x: this.size.width / 2, y: this.size.height / 2 }): void {
    if (this.scene) this.setViewport(zoomAt(this.viewport, this.scene.view, anchor, factor), false)
  }

  /** Image position (continuous display pixels) under a point of the element; null without an image. */
  imagePoint(screen: Point): Point | null {
    return this.scene ? toImage(this.viewport, screen) : null
  }

  /** The part of the slice buffer on screen that is in view, in whole pixels; null: none. */
  regionInView(): Rect | null {
    if (!this.scene || !this.shownSlice) return null
    const shown = pixelsInView(this.viewport, this.scene.layout, this.size)
    return shown && displayRectToSlice(this.scene.layout, shown)
  }

  get layout(): SliceLayout | null {
    return this.scene?.layout ?? null
  }

  dispose(): void {
    this.frames.dispose()
    this.stage.dispose()
  }

  private get size(): Size {
    return this.stage.size
  }

  private resized(before: Size): void {
    if (this.fitted) this.fit()
    else this.panBy((this.size.width - before.width) / 2, (this.size.height - before.height) / 2)
    this.invalidateAll()
    // Resizing cleared the canvases; waiting for the next frame would show one without an image.
    this.flush()
  }

  private setViewport(viewport: Viewport, fitted: boolean): void {
    this.viewport = viewport
    this.fitted = fitted
    this.onChange()
    this.invalidateAll()
  }

  private invalidateAll(): void {
    this.stage.invalidate()
    this.frames.request()
  }

  private screenRect(display: Rect): Rect {
    const { offsetX, offsetY, scaleX, scaleY } = this.viewport
    return {
      x0: offsetX + display.x0 * scaleX,
      y0: offsetY + display.y0 * scaleY,
      x1: offsetX + display.x1 * scaleX,
      y1: offsetY + display.y1 * scaleY,
    }
  }

  private flush(): void {
    this.stage.flush()
    if (!this.cause) return
    const { kind, since } = this.cause
    this.cause = null
    const detail: PaintedDetail = { kind, milliseconds: performance.now() - since }
    this.element.dispatchEvent(new CustomEvent(PAINTED_EVENT, { detail }))
  }
}
