/**
 * Tells the style sheet whether the page is used by pointer or by Tab. Code that moves the focus after a click (onto
 * the image, say) would else light the focus ring for people who never use the keyboard.
 */
export function followInputMode(page: Window = window): void {
  const root = page.document.documentElement
  page.addEventListener('pointerdown', () => (root.dataset.input = 'pointer'), { capture: true, passive: true })
  page.addEventListener(
    'keydown',
    (event) => {
      if (event.key === 'Tab') root.dataset.input = 'keys'
    },
    { capture: true },
  )
}
