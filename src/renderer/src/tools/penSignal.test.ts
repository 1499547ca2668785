import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { PenSignal } from './penSignal.ts'

let told: boolean[]
let pen: PenSignal

beforeEach(() => {
  vi.useFakeTimers()
  told = []
  pen = new PenSignal((down) => told.push(down))
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the pen', () => {
  it('is told after the event of the stroke, not within it', () => {
    pen.down()
    expect(told).toEqual([])
    vi.advanceTimersByTime(0)
    expect(told).toEqual([true])
  })

  it('is up a moment after the last of several strokes', () => {
    for (let stroke = 0; stroke < 5; stroke++) {
      pen.down()
      vi.advanceTimersByTime(100)
      pen.up()
      vi.advanceTimersByTime(200)
    }
    expect(told).toEqual([true])
    vi.advanceTimersByTime(100)
    expect(told).toEqual([true, false])
    vi.advanceTimersByTime(60_000)
    expect(told).toEqual([true, false])
  })

  it('says that a long stroke goes on, often enough not to be taken for lifted', () => {
    pen.down()
    vi.advanceTimersByTime(30_000)
    expect(told).toEqual(Array.from({ length: 8 }, () => true))
    pen.up()
    vi.advanceTimersByTime(300)
    expect(told.at(-1)).toBe(false)
  })

  it('is told anew after it was forgotten, and its lifting no more', () => {
    pen.down()
    vi.advanceTimersByTime(10)
    pen.up()
    pen.forget()
    vi.advanceTimersByTime(1000)
    expect(told).toEqual([true])
    pen.down()
    vi.advanceTimersByTime(0)
    expect(told).toEqual([true, true])
  })

  it('that goes up without having been down says nothing', () => {
    pen.up()
    vi.advanceTimersByTime(1000)
    expect(told).toEqual([])
  })
})
