import type { ShallowRef } from 'vue'
import type { Rect } from '../../canvas/layout.ts'
import type { SlideViewer } from '../../canvas/slide/slideViewer.ts'
import { toScreen, type Point } from '../../canvas/viewport.ts'
import { useSlideStore } from '../../stores/slide.ts'
import { dragRect, gripAt, rectBetween, type Grip } from '../../tools/regionRect.ts'

/** How near to an edge, in CSS pixels, a press takes hold of it. */
const REACH = 8
/** Less movement than this is a click, which draws nothing. */
const SLOP = 3

type Drag =
  | { readonly kind: 'draw'; readonly from: Point; readonly screen: Point; readonly before: Rect | null }
  | { readonly kind: 'grip'; readonly from: Point; readonly grip: Grip; readonly before: Rect }

/** Drawing, moving and resizing the rectangle of a region; points are CSS pixels of the viewer. */
export function useRegionDrag(viewer: Readonly<ShallowRef<SlideViewer | null>>) {
  const slide = useSlideStore()
  let drag: Drag | null = null

  function gripOf(screen: Point): Grip | null {
    const shown = viewer.value
    if (!slide.rect || !shown) return null
    const start = toScreen(shown.viewport, { x: slide.rect.x0, y: slide.rect.y0 })
    const end = toScreen(shown.viewport, { x: slide.rect.x1, y: slide.rect.y1 })
    return gripAt({ x0: start.x, y0: start.y, x1: end.x, y1: end.y }, screen, REACH)
  }

  function begin(screen: Point): void {
    const from = viewer.value?.imagePoint(screen)
    if (!from || slide.adding) return
    const grip = gripOf(screen)
    drag =
      grip && slide.rect
        ? { kind: 'grip', from, grip, before: slide.rect }
        : { kind: 'draw', from, screen, before: slide.rect }
  }

  function move(screen: Point): void {
    const to = viewer.value?.imagePoint(screen)
    if (!drag || !to) return
    if (drag.kind === 'grip') {
      slide.setRect(dragRect(drag.before, drag.grip, { x: to.x - drag.from.x, y: to.y - drag.from.y }, slide.extent))
      return
    }
    const moved = Math.hypot(screen.x - drag.screen.x, screen.y - drag.screen.y) > SLOP
    if (moved) slide.setRect(rectBetween(drag.from, to, slide.extent))
  }

  function end(): void {
    drag = null
  }

  /** False when nothing was being dragged. */
  function revert(): boolean {
    if (!drag) return false
    slide.setRect(drag.before)
    drag = null
    return true
  }

  /** Moves the rectangle by `by` screen pixels' worth of the slide, at least one pixel of it. */
  function nudge(by: Point): void {
    const shown = viewer.value
    if (!slide.rect || !shown || slide.adding) return
    const step = Math.max(1, 4 / shown.zoom)
    slide.setRect(dragRect(slide.rect, { x: 0, y: 0 }, { x: by.x * step, y: by.y * step }, slide.extent))
  }

  function cursorAt(screen: Point | null): string {
    const grip = drag?.kind === 'grip' ? drag.grip : screen && drag === null ? gripOf(screen) : null
    if (!grip) return 'crosshair'
    if (grip.x === 0 && grip.y === 0) return 'move'
    if (grip.x === 0) return 'ns-resize'
    if (grip.y === 0) return 'ew-resize'
    return grip.x === grip.y ? 'nwse-resize' : 'nesw-resize'
  }

  return { begin, move, end, revert, nudge, cursorAt, busy: () => drag !== null }
}
