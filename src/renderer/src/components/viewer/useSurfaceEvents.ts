import { onBeforeUnmount, onMounted, type ShallowRef } from 'vue'

/** What a surface that tools work on listens to. */
export interface SurfaceEvents {
  readonly onDown: (event: PointerEvent) => void
  readonly onMove: (event: PointerEvent) => void
  readonly onUp: (event: PointerEvent) => void
  /** The pointer was taken away in the middle of a gesture. */
  readonly onLostCapture: (event: PointerEvent) => void
  readonly onEnter?: (event: PointerEvent) => void
  readonly onLeave: (event: PointerEvent) => void
  readonly onWheel: (event: WheelEvent) => void
  readonly onKeyDown: (event: KeyboardEvent) => void
  readonly onKeyUp: (event: KeyboardEvent) => void
  /** The window is not the active one any more: keys that are let go elsewhere are not heard. */
  readonly onBlur: () => void
}

const prevent = (event: Event): void => event.preventDefault()

/** Pointer and wheel over the element, keys wherever the focus is, for as long as the component is there. */
export function useSurfaceEvents(element: Readonly<ShallowRef<HTMLDivElement | null>>, events: SurfaceEvents): void {
  const { onDown, onMove, onUp, onLostCapture, onEnter, onLeave, onWheel, onKeyDown, onKeyUp, onBlur } = events

  onMounted(() => {
    const host = element.value
    if (!host) return
    host.addEventListener('pointerdown', onDown)
    host.addEventListener('pointermove', onMove)
    host.addEventListener('pointerup', onUp)
    host.addEventListener('pointercancel', onLostCapture)
    host.addEventListener('lostpointercapture', onLostCapture)
    if (onEnter !== undefined) host.addEventListener('pointerenter', onEnter)
    host.addEventListener('pointerleave', onLeave)
    host.addEventListener('wheel', onWheel, { passive: false })
    host.addEventListener('contextmenu', prevent)
    host.addEventListener('auxclick', prevent)
    window.addEventListener('keydown', onKeyDown, true)
    window.addEventListener('keyup', onKeyUp, true)
    window.addEventListener('blur', onBlur)
  })
  onBeforeUnmount(() => {
    window.removeEventListener('keydown', onKeyDown, true)
    window.removeEventListener('keyup', onKeyUp, true)
    window.removeEventListener('blur', onBlur)
  })
}
