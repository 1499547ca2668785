import { describe, expect, it } from 'vitest'
import { isControlKey, isTyping, matchesShortcut, shownShortcut, type KeyPress } from './keys.ts'

function press(key: string, held: Partial<KeyPress> = {}): KeyPress {
  return { key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held }
}

describe('matchesShortcut', () => {
  it('tells plain letters from those with Ctrl or Shift', () => {
    expect(matchesShortcut(press('b'), 'B')).toBe(true)
    expect(matchesShortcut(press('B', { shiftKey: true }), 'B')).toBe(false)
    expect(matchesShortcut(press('A', { shiftKey: true }), 'Shift+A')).toBe(true)
    expect(matchesShortcut(press('z', { ctrlKey: true }), 'Ctrl+Z')).toBe(true)
    expect(matchesShortcut(press('Z', { ctrlKey: true, shiftKey: true }), 'Ctrl+Z')).toBe(false)
    expect(matchesShortcut(press('Z', { ctrlKey: true, shiftKey: true }), 'Ctrl+Shift+Z')).toBe(true)
    expect(matchesShortcut(press('z'), 'Ctrl+Z')).toBe(false)
  })

  it('takes Command for Ctrl', () => {
    expect(matchesShortcut(press('s', { metaKey: true }), 'Ctrl+S')).toBe(true)
  })

  it('takes signs however the keyboard makes them', () => {
    expect(matchesShortcut(press('?', { shiftKey: true }), '?')).toBe(true)
    expect(matchesShortcut(press('?'), '?')).toBe(true)
    expect(matchesShortcut(press('[', { altKey: true, ctrlKey: true }), '[')).toBe(true)
    expect(matchesShortcut(press('+', { shiftKey: true }), '+')).toBe(true)
    expect(matchesShortcut(press('.', { ctrlKey: true }), '.')).toBe(false)
    expect(matchesShortcut(press('.', { ctrlKey: true }), 'Ctrl+.')).toBe(true)
  })

  it('leaves Alt to held tools', () => {
    expect(matchesShortcut(press('b', { altKey: true }), 'B')).toBe(false)
  })
})

describe('shownShortcut', () => {
  it('shows names that people know', () => {
    expect(shownShortcut('Ctrl+ArrowDown')).toBe('Ctrl+↓')
    expect(shownShortcut('PageUp')).toBe('PgUp')
    expect(shownShortcut('+')).toBe('+')
  })
})

describe('where keys belong', () => {
  it('knows fields for text from other controls', () => {
    const text = document.createElement('input')
    const slider = document.createElement('input')
    slider.type = 'range'
    expect(isTyping(text)).toBe(true)
    expect(isTyping(slider)).toBe(false)
    expect(isTyping(document.createElement('button'))).toBe(false)
    expect(isTyping(null)).toBe(false)
  })

  it('leaves arrow keys to sliders', () => {
    const slider = document.createElement('input')
    slider.type = 'range'
    expect(isControlKey(slider, 'ArrowUp')).toBe(true)
    expect(isControlKey(slider, 'b')).toBe(false)
    expect(isControlKey(document.createElement('button'), 'ArrowUp')).toBe(false)
  })
})
