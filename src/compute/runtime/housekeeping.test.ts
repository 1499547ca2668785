import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createHousekeeping } from './housekeeping.ts'
import type { Holdings } from './housekeeping.ts'

const MB = 2 ** 20

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

function setup(start: Partial<Holdings> = {}, needed = () => false) {
  const done: string[] = []
  let holds: Holdings = { rss: 200 * MB, bound: 1000 * MB, heap: 50 * MB, ...start }
  const housekeeping = createHousekeeping({
    idleMs: 1000,
    measure: () => holds,
    dropCaches: () => done.push('drop'),
    recycle: () => done.push('recycle'),
    needed,
    giveBack: () => done.push('give back'),
  })
  const call = (after: Partial<Holdings>) => {
    housekeeping.begin()
    holds = { ...holds, ...after }
    housekeeping.end()
  }
  call({})
  return { done, call, housekeeping }
}

describe('createHousekeeping', () => {
  it('does nothing within the bound', () => {
    const { done, call } = setup()
    call({ rss: 900 * MB })
    vi.advanceTimersByTime(5000)
    expect(done).toEqual([])
  })

  it('gives back what it can above the bound, and ends the process where that is not enough', () => {
    const { done, call } = setup()
    call({ rss: 1100 * MB })
    expect(done).toEqual(['drop', 'give back', 'recycle'])
    call({})
    expect(done).toHaveLength(3)
  })

  it('waits for the last of the calls', () => {
    const { done, call, housekeeping } = setup()
    housekeeping.begin()
    call({ rss: 1100 * MB })
    expect(done).toEqual([])
    housekeeping.end()
    expect(done).toEqual(['drop', 'give back', 'recycle'])
  })

  it('does not start again and again where the bound is below what any start holds', () => {
    const { done, call } = setup({ rss: 200 * MB, bound: 100 * MB })
    call({ rss: 250 * MB })
    expect(done).toEqual([])
  })

  it('gives a large heap back when nothing was asked for a while', () => {
    const { done, call } = setup()
    call({ rss: 900 * MB, heap: 700 * MB })
    vi.advanceTimersByTime(900)
    call({})
    vi.advanceTimersByTime(900)
    expect(done).toEqual([])
    vi.advanceTimersByTime(200)
    expect(done).toEqual(['recycle'])
  })

  it('keeps what is needed through the quiet, but not above the bound', () => {
    let needed = true
    const { done, call } = setup({}, () => needed)
    call({ rss: 900 * MB, heap: 700 * MB })
    vi.advanceTimersByTime(5000)
    expect(done).toEqual([])
    needed = false
    call({})
    vi.advanceTimersByTime(1000)
    expect(done).toEqual(['recycle'])
    const other = setup({}, () => true)
    other.call({ rss: 1100 * MB })
    expect(other.done).toEqual(['drop', 'give back', 'recycle'])
  })

  it('gives back large sessions then, and works on', () => {
    const { done, call } = setup()
    call({ rss: 900 * MB, heap: 0, sessions: 700 * MB })
    vi.advanceTimersByTime(2000)
    expect(done).toEqual(['give back'])
  })
})
