import type { PlaneView } from '../../../core/geometry/types.ts'
import type { Rect } from './layout.ts'

/**
 * Where the image lies on the screen, in CSS pixels of the viewer's element: screen = offset + image * scale.
 * Image coordinates are continuous display pixels: column i covers i <= x < i + 1.
 */
export interface Viewport {
  readonly offsetX: number
  readonly offsetY: number
  readonly scaleX: number
  readonly scaleY: number
}

export interface Size {
  readonly width: number
  readonly height: number
}

export interface Point {
  readonly x: number
  readonly y: number
}

/** Screen pixels an image pixel may cover, smallest and largest. */
export interface ZoomLimits {
  readonly min: number
  readonly max: number
}
const ZOOM_LIMITS: ZoomLimits = { min: 0.02, max: 64 }

/** What of an image decides where it can lie. */
export type ImageExtent = Pick<PlaneView, 'width' | 'height' | 'columnSpacing' | 'rowSpacing'>

/** Width and height of an image pixel relative to its shorter side, so that millimetres are square on the screen. */
export function pixelAspect(view: ImageExtent): Point {
  const unit = Math.min(view.columnSpacing, view.rowSpacing)
  return { x: view.columnSpacing / unit, y: view.rowSpacing / unit }
}

export function zoomOf(viewport: Viewport, view: ImageExtent): number {
  return viewport.scaleX / pixelAspect(view).x
}

export function toImage(viewport: Viewport, screen: Point): Point {
  return { x: (screen.x - viewport.offsetX) / viewport.scaleX, y: (screen.y - viewport.offsetY) / viewport.scaleY }
}

export function toScreen(viewport: Viewport, image: Point): Point {
  return { x: viewport.offsetX + image.x * viewport.scaleX, y: viewport.offsetY + image.y * viewport.scaleY }
}

/** The largest view of the whole image, centred, `margin` CSS pixels from the edges. */
export function fitViewport(view: ImageExtent, element: Size, margin: number, limits = ZOOM_LIMITS): Viewport {
  const aspect = pixelAspect(view)
  const zoom = Math.min(
    Math.max(1, element.width - 2 * margin) / (view.width * aspect.x),
    Math.max(1, element.height - 2 * margin) / (view.height * aspect.y),
  )
  return centred(view, element, clampZoom(zoom, limits), { x: view.width / 2, y: view.height / 2 })
}

/** The view with `image` in the middle of the element. */
export function centred(view: ImageExtent, element: Size, zoom: number, image: Point): Viewport {
  const aspect = pixelAspect(view)
  const scaleX = zoom * aspect.x
  const scaleY = zoom * aspect.y
  return {
    scaleX,
    scaleY,
    offsetX: element.width / 2 - image.x * scaleX,
    offsetY: element.height / 2 - image.y * scaleY,
  }
}

/** Zooms by `factor` and keeps what is under `anchor` (screen) where it is. */
export function zoomAt(
  viewport: Viewport,
  view: ImageExtent,
  anchor: Point,
  factor: number,
  limits = ZOOM_LIMITS,
): Viewport {
  const before = zoomOf(viewport, view)
  const applied = clampZoom(before * factor, limits) / before
  const image = toImage(viewport, anchor)
  const scaleX = viewport.scaleX * applied
  const scaleY = viewport.scaleY * applied
  return { scaleX, scaleY, offsetX: anchor.x - image.x * scaleX, offsetY: anchor.y - image.y * scaleY }
}

/** Moves the image, but never so far that less than `keep` CSS pixels of it stay inside the element. */
export function panBy(
  viewport: Viewport,
  view: ImageExtent,
  element: Size,
  dx: number,
  dy: number,
  keep = 48,
): Viewport {
  const spanX = view.width * viewport.scaleX
  const spanY = view.height * viewport.scaleY
  return {
    ...viewport,
    offsetX: clamp(viewport.offsetX + dx, Math.min(keep, element.width) - spanX, element.width - Math.min(keep, spanX)),
    offsetY: clamp(
      viewport.offsetY + dy,
      Math.min(keep, element.height) - spanY,
      element.height - Math.min(keep, spanY),
    ),
  }
}

/** The pixels of the image that are wholly in view, half-open; null: none. */
export function pixelsInView(viewport: Viewport, image: Size, element: Size): Rect | null {
  const low = toImage(viewport, { x: 0, y: 0 })
  const high = toImage(viewport, { x: element.width, y: element.height })
  const x0 = Math.max(0, Math.ceil(low.x))
  const y0 = Math.max(0, Math.ceil(low.y))
  const x1 = Math.min(image.width, Math.floor(high.x))
  const y1 = Math.min(image.height, Math.floor(high.y))
  return x0 < x1 && y0 < y1 ? { x0, y0, x1, y1 } : null
}

function clampZoom(zoom: number, limits: ZoomLimits): number {
  return clamp(zoom, limits.min, limits.max)
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value))
}
