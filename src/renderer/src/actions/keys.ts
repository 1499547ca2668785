/** A key press, as far as shortcuts look at it. */
export interface KeyPress {
  readonly key: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly shiftKey: boolean
  readonly altKey: boolean
}

interface Shortcut {
  readonly key: string
  readonly ctrl: boolean
  readonly shift: boolean
}

const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent)

/** "Ctrl+Shift+Z" -> its parts. A lone "+" and "Ctrl++" name the plus key. */
function parseShortcut(text: string): Shortcut {
  const parts = text.split(/\+(?=.)/)
  const key = parts.at(-1) ?? ''
  const modifiers = parts.slice(0, -1)
  return { key: key.toLowerCase(), ctrl: modifiers.includes('Ctrl'), shift: modifiers.includes('Shift') }
}

/**
 * Does this press mean that shortcut? Ctrl is Command on a Mac. Shift counts for letters and named keys; signs such as
 * "?" or "[" need it on some keyboards and not on others. Alt is kept for held tools, but some keyboards type signs
 * with it.
 */
export function matchesShortcut(press: KeyPress, text: string): boolean {
  const shortcut = parseShortcut(text)
  if (press.key.toLowerCase() !== shortcut.key) return false
  const isSign = shortcut.key.length === 1 && !/[a-z0-9]/.test(shortcut.key)
  if ((press.ctrlKey || press.metaKey) !== shortcut.ctrl)
    return isSign && press.altKey && press.ctrlKey && !shortcut.ctrl
  if (isSign) return true
  return !press.altKey && press.shiftKey === shortcut.shift
}

const shownKeys: Record<string, string> = {
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
  PageUp: 'PgUp',
  PageDown: 'PgDn',
  Escape: 'Esc',
}

/** A shortcut as it is shown: "Ctrl+↓", on a Mac "⌘↓". */
export function shownShortcut(text: string): string {
  const parts = text.split(/\+(?=.)/).map((part) => shownKeys[part] ?? part)
  if (!isMac) return parts.join('+')
  return parts.map((part) => ({ Ctrl: '⌘', Shift: '⇧' })[part] ?? part).join('')
}

/** Is the focus where keys write text or move a value of their own? */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement)
    return true
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'range', 'color'].includes(target.type)
}

/** Keys that the focused control itself answers to, so that they must not act as shortcuts. */
export function isControlKey(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false
  const arrows = key.startsWith('Arrow') || key === 'Home' || key === 'End' || key.startsWith('Page')
  if (target instanceof HTMLInputElement && ['range', 'radio'].includes(target.type)) return arrows
  return target.closest('[data-own-keys]') !== null && (arrows || key === 'Enter')
}
