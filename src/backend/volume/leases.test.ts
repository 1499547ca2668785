import { describe, expect, it } from 'vitest'
import { Leases } from './leases.ts'

class Thing {
  closed = false
  readonly size: number
  constructor(size: number) {
    this.size = size
  }
}

function leases(idleMs: number | null = null) {
  const made: Record<string, Thing[]> = {}
  const kept = new Leases<Thing>({
    open: async (key, signal) => {
      signal.throwIfAborted()
      if (key === 'bad') throw new Error('no such thing')
      const thing = new Thing(Number(key.slice(1)))
      ;(made[key] ??= []).push(thing)
      return thing
    },
    close: async (thing) => {
      thing.closed = true
    },
    share: (thing) => thing.size / 10,
    idleMs,
  })
  return { kept, made, first: (key: string) => made[key]?.[0]?.closed }
}

describe('Leases', () => {
  it('opens once for all who want it at the same time, and keeps it for the next', async () => {
    const { kept, made } = leases()
    await Promise.all([kept.use('a4', () => 1), kept.use('a4', () => 2)])
    expect(await kept.use('a4', (thing) => thing.size)).toBe(4)
    expect(made.a4).toHaveLength(1)
  })

  it('closes the least recently used beyond the budget, never one in use, and always keeps the last', async () => {
    const { kept, first } = leases()
    const hold = Promise.withResolvers<undefined>()
    const used = kept.use('a6', () => hold.promise)
    await kept.use('b3', () => 0)
    await kept.use('c3', () => 0)
    // 12 of 10: b is older than c, a is older than both and used.
    expect([first('a6'), first('b3'), first('c3')]).toEqual([false, true, false])
    await kept.use('d99', () => 0)
    expect([first('a6'), first('c3'), first('d99')]).toEqual([false, true, true])
    hold.resolve(undefined)
    await used
    expect(first('a6')).toBe(false)
  })

  it('closes a dropped one when its last user is done, and opens afresh meanwhile', async () => {
    const { kept, made, first } = leases()
    const hold = Promise.withResolvers<undefined>()
    const used = kept.use('a1', async (_thing, signal) => {
      await hold.promise
      return signal.aborted
    })
    await Promise.resolve()
    kept.drop('a1')
    await kept.use('a1', () => 0)
    expect(made.a1?.map((thing) => thing.closed)).toEqual([false, false])
    hold.resolve(undefined)
    expect(await used).toBe(false)
    await Promise.resolve()
    expect(first('a1')).toBe(true)
    expect(made.a1?.[1]?.closed).toBe(false)
  })

  it('tells users to stop when it ends, waits for them, and opens nothing more', async () => {
    const { kept, first } = leases()
    let ended = false
    const used = kept.use('a1', async (_thing, signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      expect(first('a1')).toBe(false)
      ended = true
    })
    await Promise.resolve()
    await kept.close()
    expect([ended, first('a1')]).toEqual([true, true])
    await used
    await expect(kept.use('b1', () => 0)).rejects.toThrow()
    // Opened for another reason, and too late.
    const late = new Thing(1)
    kept.keep('c1', late)
    await expect.poll(() => late.closed).toBe(true)
  })

  it('closes what was being opened when it ended', async () => {
    const opened = Promise.withResolvers<Thing>()
    const thing = new Thing(1)
    const kept = new Leases<Thing>({
      open: () => opened.promise,
      close: async (one) => {
        one.closed = true
      },
      share: () => 0,
      idleMs: null,
    })
    await kept.close()
    const used = kept.use('a1', () => 0)
    opened.resolve(thing)
    await used
    await expect.poll(() => thing.closed).toBe(true)
  })

  it('tries afresh after a failure', async () => {
    const { kept } = leases()
    await expect(kept.use('bad', () => 0)).rejects.toThrow('no such thing')
    expect(kept.isOpen('bad')).toBe(false)
    await kept.close()
  })

  it('closes what is idle', async () => {
    const { kept, first } = leases(1)
    await kept.use('a1', () => 0)
    await expect.poll(() => first('a1')).toBe(true)
  })
})
