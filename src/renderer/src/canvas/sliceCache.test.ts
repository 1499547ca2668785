import { describe, it, expect } from 'vitest'
import { prefetchPlan, SliceCache, type SliceKey } from './sliceCache.ts'

/** Loads that the test answers by hand. */
function harness(budgetBytes = 1000) {
  const asked: { key: SliceKey; signal: AbortSignal; answer: (value: string) => void; fail: (error: Error) => void }[] =
    []
  const cache = new SliceCache<string>({
    load: (key, signal) =>
      new Promise((answer, fail) => {
        asked.push({ key, signal, answer, fail })
      }),
    bytesOf: (value) => value.length,
    budgetBytes,
  })
  return { cache, asked }
}

const key = (index: number): SliceKey => ({ axis: 2, index })
const settled = async (): Promise<void> => {
  for (let k = 0; k < 8; k++) await Promise.resolve()
}

describe('SliceCache', () => {
  it('asks once for what is wanted twice, and then has it', async () => {
    const { cache, asked } = harness()
    const [first, second] = [cache.want(key(5)), cache.want(key(5))]
    expect(asked).toHaveLength(1)
    asked[0]?.answer('five')
    expect(await Promise.all([first, second])).toEqual(['five', 'five'])
    expect(cache.get(key(5))).toBe('five')
    expect(cache.get({ axis: 1, index: 5 })).toBeUndefined()
  })

  it('drops the least recently used beyond its budget, but never the newest', () => {
    const { cache } = harness(10)
    cache.put(key(1), 'aaaa')
    cache.put(key(2), 'bbbb')
    cache.get(key(1))
    cache.put(key(3), 'cccc')
    expect([1, 2, 3].map((index) => cache.get(key(index)))).toEqual(['aaaa', undefined, 'cccc'])
    cache.put(key(4), 'd'.repeat(50))
    expect([1, 3, 4].map((index) => cache.get(key(index))?.length)).toEqual([undefined, undefined, 50])
  })

  it('counts a replaced slice once', () => {
    const { cache } = harness(10)
    cache.put(key(1), 'aaaaaa')
    cache.put(key(1), 'bbbbbb')
    cache.put(key(2), 'cccc')
    expect(cache.get(key(1))).toBe('bbbbbb')
  })

  it('gives nobody what comes after it was dropped', async () => {
    const { cache, asked } = harness()
    const stale = cache.want(key(1))
    cache.drop(key(1))
    expect(asked[0]?.signal.aborted).toBe(true)
    asked[0]?.answer('old')
    await expect(stale).rejects.toMatchObject({ code: 'cancelled' })
    expect(cache.get(key(1))).toBeUndefined()
    const fresh = cache.want(key(1))
    asked[1]?.answer('new')
    expect(await fresh).toBe('new')
  })

  it('asks again after a failure', async () => {
    const { cache, asked } = harness()
    const failing = cache.want(key(1))
    asked[0]?.fail(new Error('unreadable'))
    await expect(failing).rejects.toThrow('unreadable')
    const again = cache.want(key(1))
    asked[1]?.answer('one')
    expect(await again).toBe('one')
  })

  it('prefetches two at a time and forgets what an older plan had not begun', async () => {
    const { cache, asked } = harness()
    cache.put(key(1), 'here')
    cache.prefetch([key(1), key(2), key(3), key(4)])
    expect(asked.map(({ key: { index } }) => index)).toEqual([2, 3])
    cache.prefetch([key(9)])
    expect(asked).toHaveLength(2)
    asked[0]?.answer('two')
    await settled()
    expect(asked.map(({ key: { index } }) => index)).toEqual([2, 3, 9])
    asked[1]?.fail(new Error('gone'))
    asked[2]?.answer('nine')
    await settled()
    expect(cache.get(key(9))).toBe('nine')
    expect(cache.get(key(4))).toBeUndefined()
  })
})

describe('prefetchPlan', () => {
  it('looks ahead in the direction of travel, nearest first, inside the volume', () => {
    const indices = (plan: SliceKey[]): number[] => plan.map(({ index }) => index)
    expect(indices(prefetchPlan(2, 10, 100, 1, 3, 1))).toEqual([11, 9, 12, 13])
    expect(indices(prefetchPlan(2, 10, 100, -1, 3, 1))).toEqual([9, 11, 8, 7])
    expect(indices(prefetchPlan(2, 1, 4, -1, 5, 5))).toEqual([0, 2, 3])
  })
})
