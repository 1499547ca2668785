import { onBeforeUnmount, onMounted, type Ref } from 'vue'

/** Calls `leave` when the pointer goes down outside of the element, or the focus moves out of it. */
export function useDismiss(element: Readonly<Ref<HTMLElement | null>>, leave: () => void): void {
  function onPointer(event: PointerEvent): void {
    if (isOutside(event.target)) leave()
  }

  function onFocus(event: FocusEvent): void {
    if (isOutside(event.target)) leave()
  }

  function isOutside(target: EventTarget | null): boolean {
    const inside = element.value
    if (inside === null || !(target instanceof Node) || !target.isConnected) return false
    // What opened it may stand beside it: it closes it itself.
    return !inside.contains(target) && !(target instanceof Element && target.closest('[data-keeps-open]') !== null)
  }

  onMounted(() => {
    document.addEventListener('pointerdown', onPointer, true)
    document.addEventListener('focusin', onFocus)
  })
  onBeforeUnmount(() => {
    document.removeEventListener('pointerdown', onPointer, true)
    document.removeEventListener('focusin', onFocus)
  })
}
