import { describe, expect, it } from 'vitest'
import { ByteCache } from './byteCache.ts'

describe('ByteCache', () => {
  it('holds no more than its budget and drops what was used longest ago', () => {
    const dropped: string[] = []
    const cache = new ByteCache<string>(100, (value) => dropped.push(value))
    cache.put('a', 'A', 40)
    cache.put('b', 'B', 40)
    expect(cache.get('a')).toBe('A')
    cache.put('c', 'C', 40)
    expect(dropped).toEqual(['B'])
    expect([cache.bytes, cache.size]).toEqual([80, 2])
    expect(cache.get('b')).toBeUndefined()
  })

  it('takes another budget at once', () => {
    const cache = new ByteCache<string>(100)
    for (const name of ['a', 'b', 'c']) cache.put(name, name, 30)
    cache.setBudget(60)
    expect([cache.bytes, cache.has('a')]).toEqual([60, false])
    cache.setBudget(200)
    for (const name of ['d', 'e', 'f', 'g']) cache.put(name, name, 30)
    expect(cache.bytes).toBe(180)
  })

  it('keeps what is pinned', () => {
    const cache = new ByteCache<number>(100)
    cache.put('pinned', 1, 60, true)
    for (let i = 0; i < 50; i++) {
      cache.put(`t${String(i)}`, i, 30)
      expect(cache.bytes).toBeLessThanOrEqual(100)
    }
    expect(cache.has('pinned')).toBe(true)
    expect(cache.has('t49')).toBe(true)
    expect(cache.has('t48')).toBe(false)
  })

  it('counts a value that is put again once, and the last one put stays even if it is too large', () => {
    const dropped: number[] = []
    const cache = new ByteCache<number>(100, (value) => dropped.push(value))
    cache.put('a', 1, 50)
    cache.put('a', 2, 70)
    expect(cache.bytes).toBe(70)
    cache.put('b', 3, 150)
    expect([cache.bytes, cache.has('b'), cache.has('a')]).toEqual([150, true, false])
    cache.clear()
    expect([cache.bytes, cache.size, dropped]).toEqual([0, 0, [1, 2, 3]])
  })
})
