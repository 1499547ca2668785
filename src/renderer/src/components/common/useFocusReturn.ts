import { onBeforeUnmount, type Ref } from 'vue'

/**
 * Gives the focus back to what had it before, when the panel goes with the focus inside. Call it in the panel's set-up,
 * before anything in it takes the focus. A click on something else keeps the focus where it went.
 */
export function useFocusReturn(element: Readonly<Ref<HTMLElement | null>>): void {
  const before = document.activeElement
  onBeforeUnmount(() => {
    const now = document.activeElement
    const within = now === null || now === document.body || element.value?.contains(now) === true
    if (within && before instanceof HTMLElement && before.isConnected) before.focus()
  })
}
