import { FrameScheduler } from '../frame.ts'
import { LayeredStage } from '../layeredStage.ts'
import type { Rect } from '../layout.ts'
import { PartialLayer } from '../partialLayer.ts'
import type { ImageSlice } from '../samples.ts'
import { createCanvasSurface } from '../tileGrid.ts'
import {
  centred,
  fitViewport,
  panBy,
  toImage,
  zoomAt,
  zoomOf,
  type ImageExtent,
  type Point,
  type Size,
  type Viewport,
  type ZoomLimits,
} from '../viewport.ts'
import type { DisplayWindow } from '../windowLevel.ts'
import type { Pyramid, TileKey } from './pyramid.ts'
import { drawSlide } from './slidePainter.ts'
import { SlideTiles } from './slideTiles.ts'

export interface SlideViewerOptions {
  /** Of level 0. */
  readonly extent: ImageExtent
  readonly pyramid: Pyramid
  readonly window: DisplayWindow
  readonly interpolate: boolean
  readonly load: (key: TileKey, signal: AbortSignal) => Promise<ImageSlice>
  /** Does this pass by itself, such as a lost connection? */
  readonly passes: (thrown: unknown) => boolean
  /** Told after every change of zoom or place. */
  readonly onView: () => void
  /** Told after tiles came or failed. */
  readonly onTiles: () => void
}

/** What lies where on the screen. */
export interface SlidePlace {
  readonly viewport: Viewport
  /** Of the element, in CSS pixels. */
  readonly size: Size
  /** What is on screen, in pixels of level 0; may reach beyond the slide. */
  readonly area: Rect
}

/** Where the user was: what was in the middle, in pixels of level 0, and how large. */
export interface SlideLook {
  readonly centre: Point
  readonly zoom: number
}

const FIT_MARGIN = 24
const MOST_ZOOM = 32

/**
 * A slide on a Konva stage, tile by tile. It knows nothing of Vue or of the backend; screen positions are CSS pixels of
 * its element, image positions pixels of level 0.
 */
export class SlideViewer {
  readonly element: HTMLDivElement
  readonly tiles: SlideTiles
  private readonly options: SlideViewerOptions
  private readonly stage: LayeredStage
  private readonly layer: PartialLayer
  private readonly frames: FrameScheduler
  private current: Viewport = { offsetX: 0, offsetY: 0, scaleX: 1, scaleY: 1 }
  private fitted = true
  private interpolate: boolean
  private disposed = false
  /** What `onTiles` was last told of by itself. */
  private told = ''

  constructor(element: HTMLDivElement, options: SlideViewerOptions) {
    this.element = element
    this.options = options
    this.interpolate = options.interpolate
    this.tiles = new SlideTiles({
      pyramid: options.pyramid,
      load: options.load,
      window: options.window,
      createSurface: createCanvasSurface,
      passes: options.passes,
      onChange: () => {
        if (this.disposed) return
        this.redraw()
        options.onTiles()
      },
    })
    this.layer = new PartialLayer((context, pixelRatio, clip) => {
      this.draw(context, pixelRatio, clip)
    })
    this.frames = new FrameScheduler(() => {
      this.flush()
    })
    this.stage = new LayeredStage(element, [this.layer], (before) => {
      this.resized(before)
    })
  }

  /** Shows the slide, all of it or as it was left. From now on the options' functions are called. */
  start(look: SlideLook | null = null): void {
    this.stage.follow()
    if (!look) return
    this.zoomBy(look.zoom / this.zoom)
    this.centreOn(look.centre)
  }

  /** To come back to; null while all of the slide is shown, however large the element is by then. */
  get look(): SlideLook | null {
    const { x0, y0, x1, y1 } = this.area
    return this.fitted ? null : { centre: { x: (x0 + x1) / 2, y: (y0 + y1) / 2 }, zoom: this.zoom }
  }

  get viewport(): Viewport {
    return this.current
  }

  get place(): SlidePlace {
    return { viewport: this.current, size: this.size, area: this.area }
  }

  get size(): Size {
    return this.stage.size
  }

  /** CSS pixels that a pixel of level 0 covers. */
  get zoom(): number {
    return zoomOf(this.current, this.options.extent)
  }

  /** What is on screen, in pixels of level 0; may reach beyond the slide. */
  get area(): Rect {
    const start = toImage(this.current, { x: 0, y: 0 })
    const end = toImage(this.current, { x: this.size.width, y: this.size.height })
    return { x0: start.x, y0: start.y, x1: end.x, y1: end.y }
  }

  fit(): void {
    this.setViewport(fitViewport(this.options.extent, this.size, FIT_MARGIN, this.limits), true)
  }

  panBy(dx: number, dy: number): void {
    this.setViewport(panBy(this.current, this.options.extent, this.size, dx, dy, this.keep), false)
  }

  /** Zooms by `factor`; what is under `anchor` stays there. Left out: the middle of the element. */
  zoomBy(factor: number, anchor: Point = { x: this.size.width / 2, y: this.size.height / 2 }): void {
    this.setViewport(zoomAt(this.current, this.options.extent, anchor, factor, this.limits), false)
  }

  /** Brings a point of level 0 into the middle. */
  centreOn(point: Point): void {
    const { extent } = this.options
    this.setViewport(panBy(centred(extent, this.size, this.zoom, point), extent, this.size, 0, 0, this.keep), false)
  }

  imagePoint(screen: Point): Point {
    return toImage(this.current, screen)
  }

  setWindow(window: DisplayWindow): void {
    this.tiles.setWindow(window)
    this.redraw()
  }

  setInterpolate(interpolate: boolean): void {
    this.interpolate = interpolate
    this.redraw()
  }

  /** Asks again for tiles that could not be read. */
  retry(): void {
    this.tiles.retry()
    this.redraw()
  }

  /** The whole slide, as the smallest level has it, into a canvas of its own; `scale` in its pixels a pixel of level 0. */
  drawOverview(context: CanvasRenderingContext2D, scale: Point, width: number, height: number): void {
    context.clearRect(0, 0, width, height)
    drawSlide(context, this.tiles, {
      viewport: { offsetX: 0, offsetY: 0, scaleX: scale.x, scaleY: scale.y },
      pixelRatio: 1,
      clip: { x0: 0, y0: 0, x1: width, y1: height },
      level: this.tiles.pyramid.levels.length - 1,
      interpolate: true,
    })
  }

  dispose(): void {
    this.disposed = true
    this.frames.dispose()
    this.tiles.dispose()
    this.stage.dispose()
  }

  /** So much of the slide stays on screen, in CSS pixels: without slices to change there is nothing to see beside it. */
  private get keep(): number {
    return Math.min(this.size.width, this.size.height) / 4
  }

  /** The whole slide can be seen, however large; and its pixels, however small. */
  private get limits(): ZoomLimits {
    const { extent } = this.options
    const fit = fitViewport(extent, this.size, FIT_MARGIN, { min: 0, max: MOST_ZOOM })
    return { min: Math.min(0.5 * zoomOf(fit, extent), 1), max: MOST_ZOOM }
  }

  private resized(before: Size): void {
    this.tiles.setScreen(this.size.width * this.size.height * this.stage.pixelRatio ** 2)
    if (this.fitted) this.fit()
    else this.panBy((this.size.width - before.width) / 2, (this.size.height - before.height) / 2)
    // Resizing cleared the canvas; waiting for the next frame would show one without an image.
    this.layer.invalidate()
    this.flush()
  }

  private setViewport(viewport: Viewport, fitted: boolean): void {
    this.current = viewport
    this.fitted = fitted
    this.options.onView()
    this.redraw()
  }

  private redraw(): void {
    this.layer.invalidate()
    this.frames.request()
  }

  /** Tiles are asked for once a frame, however many events moved the view in it. */
  private flush(): void {
    const scale = Math.max(this.current.scaleX, this.current.scaleY) * this.stage.pixelRatio
    this.tiles.want(this.area, scale)
    this.stage.flush()
    const state = `${String(this.tiles.level)} ${String(this.tiles.missing)}`
    if (state === this.told) return
    this.told = state
    this.options.onTiles()
  }

  private draw(context: CanvasRenderingContext2D, pixelRatio: number, clip: Rect): void {
    const complete = drawSlide(context, this.tiles, {
      viewport: this.current,
      pixelRatio,
      clip,
      level: this.tiles.level,
      interpolate: this.interpolate,
    })
    if (!complete) this.redraw()
  }
}
