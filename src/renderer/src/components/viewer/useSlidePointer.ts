import { onBeforeUnmount, ref, watch, type ShallowRef } from 'vue'
import { isControlKey, isTyping } from '../../actions/keys.ts'
import { handOn } from '../../actions/slide.ts'
import type { SlidePlace, SlideViewer } from '../../canvas/slide/slideViewer.ts'
import type { Point } from '../../canvas/viewport.ts'
import { useSlideStore } from '../../stores/slide.ts'
import { useUiStore } from '../../stores/ui.ts'
import { useViewStore } from '../../stores/view.ts'
import { ToolMachine, type ToolState } from '../../tools/toolMachine.ts'
import { WheelReader } from '../../tools/wheel.ts'
import { useRegionDrag } from './useRegionDrag.ts'
import { useSurfaceEvents } from './useSurfaceEvents.ts'

/** Focus that a press of the pointer gives needs no ring. */
const quietFocus: FocusOptions & { readonly focusVisible: boolean } = { preventScroll: true, focusVisible: false }

/** Share of the screen that an arrow key moves the slide by, and with Shift. */
const KEY_STEP = { plain: 0.15, shift: 0.8 } as const

/** Pointer, wheel and keys over a slide: move, zoom, window, and the rectangle of a region. */
export function useSlidePointer(
  element: Readonly<ShallowRef<HTMLDivElement | null>>,
  viewer: Readonly<ShallowRef<SlideViewer | null>>,
  place: Readonly<ShallowRef<SlidePlace | null>>,
) {
  const view = useViewStore()
  const slide = useSlideStore()
  const ui = useUiStore()
  const wheel = new WheelReader()
  const region = useRegionDrag(viewer)
  const gesture = ref<ToolState['name']>('idle')
  const cursor = ref('grab')
  let pointerId: number | null = null
  let at: Point | null = null
  let readoutFrame = 0

  const machine = new ToolMachine({
    get tool() {
      return handOn(true, view.tool)
    },
    get window() {
      return view.window
    },
    beginStroke: () => false,
    extendStroke: () => undefined,
    finishStroke: () => undefined,
    revertStroke: () => undefined,
    panBy: (dx, dy) => viewer.value?.panBy(dx, dy),
    zoomBy: (factor, anchor) => viewer.value?.zoomBy(factor, anchor),
    setWindow: (window) => {
      view.setWindow(window)
    },
  })

  function pointOf(event: MouseEvent): Point {
    const box = element.value?.getBoundingClientRect() ?? new DOMRect()
    return { x: event.clientX - box.left, y: event.clientY - box.top }
  }

  function refresh(): void {
    gesture.value = machine.state.name
    const free = slide.choosing && !machine.busy && !machine.modifiers.space
    cursor.value = free
      ? region.cursorAt(at)
      : machine.state.name === 'panning'
        ? 'grabbing'
        : { pan: 'grab', window: 'all-scroll', zoom: 'zoom-in', brush: 'grab', eraser: 'grab' }[machine.tool]
    readoutFrame ||= requestAnimationFrame(() => {
      readoutFrame = 0
      readOut()
    })
  }

  function readOut(): void {
    const shown = viewer.value
    const detail = view.detail
    const point = shown && at ? shown.imagePoint(at) : null
    const { width, height } = slide.extent
    const inside = point && point.x >= 0 && point.y >= 0 && point.x < width && point.y < height
    if (!shown || !inside || !detail) {
      slide.pointer = null
      return
    }
    const pixel = { x: Math.floor(point.x), y: Math.floor(point.y) }
    const [spacingX, spacingY] = detail.spacing
    slide.pointer = {
      pixel,
      millimetres: detail.spacingKnown ? { x: (pixel.x + 0.5) * spacingX, y: (pixel.y + 0.5) * spacingY } : null,
      values: shown.tiles.intensityAt(point)?.values ?? null,
    }
  }

  function onDown(event: PointerEvent): void {
    if (pointerId !== null || !viewer.value) return
    event.preventDefault()
    element.value?.focus(quietFocus)
    pointerId = event.pointerId
    element.value?.setPointerCapture(event.pointerId)
    at = pointOf(event)
    if (slide.choosing && event.button === 0 && !machine.modifiers.space) region.begin(at)
    else machine.down(at, event.button, performance.now())
    refresh()
  }

  function onMove(event: PointerEvent): void {
    if (pointerId !== null && event.pointerId !== pointerId) return
    // The button went up where nobody told.
    if (pointerId !== null && event.buttons === 0) release(event)
    at = pointOf(event)
    if (region.busy()) region.move(at)
    else machine.move([at], performance.now())
    refresh()
  }

  function release(event: PointerEvent): void {
    if (event.pointerId !== pointerId) return
    pointerId = null
    if (region.busy()) region.end()
    else machine.up()
    refresh()
  }

  function lose(): void {
    pointerId = null
    region.end()
    machine.lose()
    refresh()
  }

  function onLostCapture(event: PointerEvent): void {
    if (event.pointerId === pointerId) lose()
  }

  function onLeave(): void {
    at = null
    machine.leave()
    refresh()
  }

  function onWheel(event: WheelEvent): void {
    event.preventDefault()
    const { deltaX, deltaY, deltaMode, ctrlKey, metaKey } = event
    const input = { deltaX, deltaY, deltaMode, ctrl: ctrlKey || metaKey, shift: false }
    const intent = wheel.read(input, { tool: 'pan', slices: false })
    if (intent?.kind === 'zoom') viewer.value?.zoomBy(intent.factor, pointOf(event))
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === 'Escape' && escape()) {
      event.preventDefault()
      event.stopPropagation()
      return
    }
    if (isTyping(event.target) || isControlKey(event.target, event.key) || ui.anythingOpen) return
    if (event.code === 'Space' && (at !== null || event.target === element.value)) {
      event.preventDefault()
      machine.setModifiers({ alt: false, space: true })
      refresh()
      return
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key]
    const [dx, dy] = direction ?? []
    if (dx === undefined || dy === undefined || !viewer.value) return
    event.preventDefault()
    event.stopPropagation()
    const { width, height } = viewer.value.size
    const share = event.shiftKey ? KEY_STEP.shift : KEY_STEP.plain
    if (slide.rect && !event.shiftKey) region.nudge({ x: dx, y: dy })
    else viewer.value.panBy(-dx * width * share, -dy * height * share)
  }

  /** Takes back the gesture, then what is drawn, then the tool. */
  function escape(): boolean {
    if (region.revert() || machine.escape()) {
      pointerId = null
      refresh()
      return true
    }
    if (!slide.choosing || ui.anythingOpen) return false
    slide.cancel()
    refresh()
    return true
  }

  function onKeyUp(event: KeyboardEvent): void {
    if (event.code !== 'Space' || !machine.modifiers.space) return
    machine.setModifiers({ alt: false, space: false })
    refresh()
  }

  watch([place, () => view.tool, () => slide.choosing, () => slide.rect], refresh)

  useSurfaceEvents(element, {
    onDown,
    onMove,
    onUp: release,
    onLostCapture,
    onLeave,
    onWheel,
    onKeyDown,
    onKeyUp,
    onBlur: lose,
  })
  onBeforeUnmount(() => {
    cancelAnimationFrame(readoutFrame)
  })

  return { gesture, cursor }
}
