import { computed, onBeforeUnmount, ref, watch, type Ref, type ShallowRef } from 'vue'
import { screenToVoxel, voxelToWorld } from '../../../../core/geometry/index.ts'
import { intensityAt } from '../../canvas/samples.ts'
import type { SliceViewer } from '../../canvas/sliceViewer.ts'
import type { Point } from '../../canvas/viewport.ts'
import { useAnnotationStore } from '../../stores/annotation.ts'
import { useProjectStore } from '../../stores/project.ts'
import { useViewStore } from '../../stores/view.ts'
import { brushRadii, nextBrushRadius } from '../../tools/brushSize.ts'
import type { StrokeDriver } from '../../tools/strokeDriver.ts'
import { ToolMachine, type ToolId, type ToolState } from '../../tools/toolMachine.ts'
import { WheelReader } from '../../tools/wheel.ts'
import { useSurfaceEvents } from './useSurfaceEvents.ts'

/** All positions since the last event, oldest first. Pages that are not of a secure origin are told the last alone. */
function positionsOf(event: PointerEvent): readonly PointerEvent[] {
  const coalesced = 'getCoalescedEvents' in event ? event.getCoalescedEvents() : []
  return coalesced.length > 0 ? coalesced : [event]
}

/** Focus that a press of the pointer gives needs no ring. */
const quietFocus: FocusOptions & { readonly focusVisible: boolean } = { preventScroll: true, focusVisible: false }

/** Pointer, wheel and held keys over the image, turned into what the tools do. */
export function usePointerTools(
  element: Readonly<ShallowRef<HTMLDivElement | null>>,
  viewer: Readonly<ShallowRef<SliceViewer | null>>,
  strokes: StrokeDriver,
  changes: Readonly<Ref<number>>,
) {
  const view = useViewStore()
  const project = useProjectStore()
  const annotation = useAnnotationStore()
  const wheel = new WheelReader()
  const gesture = ref<ToolState['name']>('idle')
  const activeTool = ref<ToolId>(view.tool)
  const overImage = ref(false)
  let inside = false
  let pointerId: number | null = null
  let readoutFrame = 0

  const machine = new ToolMachine({
    get tool() {
      return view.tool
    },
    get window() {
      return view.window
    },
    beginStroke: (erase, point, since) => {
      const at = viewer.value?.imagePoint(point)
      return at ? strokes.begin(erase, at, since) : false
    },
    extendStroke: (points, since) => {
      strokes.extend(imagePoints(points), since)
    },
    finishStroke: () => {
      strokes.finish()
    },
    revertStroke: () => {
      strokes.revert()
    },
    panBy: (dx, dy) => viewer.value?.panBy(dx, dy),
    zoomBy: (factor, anchor) => viewer.value?.zoomBy(factor, anchor),
    setWindow: (window) => {
      view.setWindow(window)
    },
  })

  function imagePoints(points: readonly Point[]): Point[] {
    const found: Point[] = []
    for (const point of points) {
      const at = viewer.value?.imagePoint(point)
      if (at) found.push(at)
    }
    return found
  }

  /** The voxel of the display under the pointer; null beside the image. */
  function pointedVoxel(): Point | null {
    const { state } = machine
    const layout = viewer.value?.layout
    const at = state.name === 'idle' ? null : viewer.value?.imagePoint(state.at)
    if (!at || !layout) return null
    const x = Math.floor(at.x)
    const y = Math.floor(at.y)
    return x >= 0 && y >= 0 && x < layout.width && y < layout.height ? { x, y } : null
  }

  /** Cursor and readout follow whatever changed: pointer, keys, tool, slice, zoom. */
  function refresh(): void {
    const { state, tool } = machine
    gesture.value = state.name
    activeTool.value = tool
    const drawing = state.name === 'drawing'
    const voxel = pointedVoxel()
    overImage.value = voxel !== null || machine.busy
    const planeView = viewer.value?.shown?.view
    const at = state.name === 'idle' ? null : viewer.value?.imagePoint(state.at)
    if (planeView && at && (tool === 'brush' || tool === 'eraser') && (voxel || drawing)) {
      const radii = brushRadii(planeView, view.brushRadius)
      const mode = tool === 'eraser' ? 'erase' : canPaint.value ? 'paint' : 'blocked'
      viewer.value.setCursor({
        i: Math.floor(at.x),
        j: Math.floor(at.y),
        radiusX: radii.x,
        radiusY: radii.y,
        mode,
      })
    } else {
      viewer.value?.setCursor(null)
    }
    readoutFrame ||= requestAnimationFrame(() => {
      readoutFrame = 0
      readOut()
    })
  }

  function readOut(): void {
    const voxel = pointedVoxel()
    const shown = viewer.value?.shown
    const layout = viewer.value?.layout
    if (!voxel || !shown || !layout) {
      view.pointer = null
      return
    }
    const offset = layout.origin + voxel.x * layout.stepI + voxel.y * layout.stepJ
    const stored = screenToVoxel(shown.view, voxel.x, voxel.y, shown.index)
    const affine = view.detail?.affine
    view.pointer = {
      voxel: stored,
      world: affine ? voxelToWorld(affine, stored) : null,
      intensity: intensityAt(shown.image, offset),
      label: shown.labels.mask[offset] ?? 0,
    }
  }

  const canPaint = computed(() => {
    const label = project.labelByValue(view.activeLabel)
    return label !== null && !label.locked && label.visible && view.overlay.maskVisible
  })

  function pointOf(event: MouseEvent, box: DOMRect): Point {
    return { x: event.clientX - box.left, y: event.clientY - box.top }
  }

  function boxOf(): DOMRect {
    return element.value?.getBoundingClientRect() ?? new DOMRect()
  }

  function onDown(event: PointerEvent): void {
    if (pointerId !== null || !viewer.value?.shown) return
    event.preventDefault()
    element.value?.focus(quietFocus)
    pointerId = event.pointerId
    element.value?.setPointerCapture(event.pointerId)
    holdKeys(event.altKey, machine.modifiers.space)
    const at = pointOf(event, boxOf())
    together(() => {
      machine.down(at, event.button, performance.now())
    })
  }

  function onMove(event: PointerEvent): void {
    inside = true
    if (pointerId !== null && event.pointerId !== pointerId) return
    // The button went up where nobody told: what was drawn stays.
    if (machine.busy && event.buttons === 0) release(event)
    const box = boxOf()
    const events = positionsOf(event)
    const since = performance.now()
    together(() => {
      machine.move(
        events.map((one) => pointOf(one, box)),
        since,
      )
    })
  }

  /** Stroke and outline reach the screen in one draw. */
  function together(change: () => void): void {
    if (!viewer.value) return
    viewer.value.together(() => {
      change()
      refresh()
    })
  }

  function release(event: PointerEvent): void {
    if (event.pointerId !== pointerId) return
    pointerId = null
    machine.up()
    refresh()
  }

  function lose(): void {
    pointerId = null
    machine.lose()
    refresh()
  }

  /** What the stroke is drawn on goes away or changes: it ends here and is kept. */
  function endStroke(): void {
    if (machine.state.name !== 'drawing') return
    machine.up()
    refresh()
  }

  function onLostCapture(event: PointerEvent): void {
    if (event.pointerId === pointerId) lose()
  }

  function onEnter(): void {
    inside = true
  }

  function onLeave(): void {
    inside = false
    machine.leave()
    refresh()
  }

  function onWheel(event: WheelEvent): void {
    event.preventDefault()
    if (machine.busy) return
    const intent = wheel.read(
      {
        deltaX: event.deltaX,
        deltaY: event.deltaY,
        deltaMode: event.deltaMode,
        ctrl: event.ctrlKey || event.metaKey,
        shift: event.shiftKey,
      },
      { tool: machine.tool, slices: view.sliceCount > 1 },
    )
    if (!intent) return
    if (intent.kind === 'slice') view.step(intent.steps)
    else if (intent.kind === 'zoom') viewer.value?.zoomBy(intent.factor, pointOf(event, boxOf()))
    else view.setBrushRadius(nextBrushRadius(view.brushRadius, intent.direction))
    refresh()
  }

  function holdKeys(alt: boolean, space: boolean): void {
    machine.setModifiers({ alt, space })
  }

  /** Held keys belong to the image while the pointer is over it, else to whatever has the focus. */
  function mine(event: KeyboardEvent): boolean {
    const { target } = event
    if (target instanceof HTMLInputElement && target.type === 'text') return false
    return inside || machine.busy || target === element.value
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === 'Escape' && machine.escape()) {
      pointerId = null
      event.preventDefault()
      event.stopPropagation()
      refresh()
      return
    }
    if ((event.key !== 'Alt' && event.code !== 'Space') || !mine(event)) return
    event.preventDefault()
    holdKeys(event.altKey || event.key === 'Alt', machine.modifiers.space || event.code === 'Space')
    refresh()
  }

  function onKeyUp(event: KeyboardEvent): void {
    if (event.key !== 'Alt' && event.code !== 'Space') return
    const { alt, space } = machine.modifiers
    if (mine(event) && (alt || space)) event.preventDefault()
    holdKeys(event.key === 'Alt' ? false : alt, event.code === 'Space' ? false : space)
    refresh()
  }

  watch(
    () => [changes.value, view.tool, view.brushRadius, canPaint.value],
    () => refresh(),
  )

  watch([() => view.index, () => view.plane, () => view.caseId], endStroke, { flush: 'sync' })
  const stopInterrupts = annotation.whenInterrupted(endStroke)

  useSurfaceEvents(element, {
    onDown,
    onMove,
    onUp: release,
    onLostCapture,
    onEnter,
    onLeave,
    onWheel,
    onKeyDown,
    onKeyUp,
    onBlur: lose,
  })
  onBeforeUnmount(() => {
    stopInterrupts()
    cancelAnimationFrame(readoutFrame)
  })

  return { gesture, activeTool, overImage }
}
