import { useUiStore } from '../stores/ui.ts'
import { useActions } from './index.ts'
import { isControlKey, isTyping, matchesShortcut } from './keys.ts'

/** Lets the page's key presses run actions. The answer ends it. */
export function listenToKeys(page: Window = window): () => void {
  const actions = useActions()
  const ui = useUiStore()

  function onKey(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.isComposing) return
    // A question in front of everything takes all keys.
    if (ui.confirmation !== null) return
    if (event.key === 'Escape') {
      escape(event)
      return
    }
    const action = actions.all.find((one) => one.shortcuts.some((shortcut) => matchesShortcut(event, shortcut)))
    if (action === undefined) return
    if (isTyping(event.target) && action.whileTyping !== true) return
    if (ui.page !== null && action.onPage !== true) {
      // Nothing happens to an image that is not seen, and nothing that the browser would do instead.
      if (action.whileTyping === true) event.preventDefault()
      return
    }
    if (isControlKey(event.target, event.key)) return
    event.preventDefault()
    // A key that is held would approve and take back, train and train again, and run through the queue.
    if (event.repeat && (action.group === 'model' || action.group === 'review')) return
    void actions.run(action.id)
  }

  function escape(event: KeyboardEvent): void {
    if (ui.panel !== null) {
      ui.close()
      event.preventDefault()
    } else if (isTyping(event.target) && event.target instanceof HTMLElement) event.target.blur()
    else if (ui.page !== null) {
      ui.leavePage()
      event.preventDefault()
    }
  }

  page.addEventListener('keydown', onKey)
  return () => page.removeEventListener('keydown', onKey)
}
