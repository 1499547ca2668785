import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Pens } from './pens.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('the pens of all windows', () => {
  it('are down while any of them is', () => {
    const changed = vi.fn()
    const pens = new Pens(1000, changed)
    pens.set('a', true)
    pens.set('b', true)
    pens.set('a', false)
    expect(pens.down).toBe(true)
    pens.set('b', false)
    expect(pens.down).toBe(false)
    expect(changed).toHaveBeenCalledTimes(4)
  })

  it('are taken for lifted, each by itself, when nothing was heard of them', () => {
    const changed = vi.fn()
    const pens = new Pens(1000, changed)
    pens.set('gone', true)
    vi.advanceTimersByTime(600)
    pens.set('drawing', true)
    vi.advanceTimersByTime(600)
    expect(pens.down).toBe(true)
    // A long stroke says that it goes on.
    pens.set('drawing', true)
    vi.advanceTimersByTime(999)
    expect(pens.down).toBe(true)
    changed.mockClear()
    vi.advanceTimersByTime(1)
    expect(pens.down).toBe(false)
    expect(changed).toHaveBeenCalledTimes(1)
  })

  it('are none once closed, and tell nothing any more', () => {
    const changed = vi.fn()
    const pens = new Pens(1000, changed)
    pens.set('a', true)
    changed.mockClear()
    pens.close()
    vi.advanceTimersByTime(5000)
    expect(pens.down).toBe(false)
    expect(changed).not.toHaveBeenCalled()
  })
})
