import { describe, it, expect } from 'vitest'
import { FrameScheduler, type FrameClock } from './frame.ts'

function clock() {
  const callbacks = new Map<number, () => void>()
  let next = 0
  const frames: FrameClock = {
    request: (callback) => {
      callbacks.set(++next, callback)
      return next
    },
    cancel: (handle) => {
      callbacks.delete(handle)
    },
  }
  const tick = (): void => {
    const due = [...callbacks.values()]
    callbacks.clear()
    due.forEach((callback) => {
      callback()
    })
  }
  return { frames, tick, waiting: () => callbacks.size }
}

describe('FrameScheduler', () => {
  it('draws once a frame however often it is asked', () => {
    const { frames, tick } = clock()
    let draws = 0
    const scheduler = new FrameScheduler(() => draws++, frames)
    scheduler.request()
    scheduler.request()
    expect(draws).toBe(0)
    tick()
    tick()
    expect(draws).toBe(1)
  })

  it('draws the first urgent request at once and the rest of the frame together', () => {
    const { frames, tick } = clock()
    let draws = 0
    const scheduler = new FrameScheduler(() => draws++, frames)
    scheduler.urgent()
    expect(draws).toBe(1)
    scheduler.urgent()
    scheduler.urgent()
    expect(draws).toBe(1)
    tick()
    expect(draws).toBe(2)
    tick()
    expect(draws).toBe(2)
    scheduler.urgent()
    expect(draws).toBe(3)
  })

  it('draws what is asked for together once', () => {
    const { frames, tick } = clock()
    let draws = 0
    const scheduler = new FrameScheduler(() => draws++, frames)
    scheduler.together(() => {
      scheduler.urgent()
      scheduler.together(() => {
        scheduler.urgent()
      })
      expect(draws).toBe(0)
    })
    expect(draws).toBe(1)
    tick()
    expect(draws).toBe(1)
    expect(() => {
      scheduler.together(() => {
        scheduler.urgent()
        throw new Error('in between')
      })
    }).toThrow('in between')
    expect(draws).toBe(2)
  })

  it('draws nothing after it was disposed of', () => {
    const { frames, tick, waiting } = clock()
    let draws = 0
    const scheduler = new FrameScheduler(() => draws++, frames)
    scheduler.request()
    scheduler.dispose()
    expect(waiting()).toBe(0)
    tick()
    expect(draws).toBe(0)
  })
})
