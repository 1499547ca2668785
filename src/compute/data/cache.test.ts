import { describe, expect, it } from 'vitest'
import { ByteCache } from './cache.ts'

describe('ByteCache', () => {
  it('keeps what was used last, within its bytes, and frees the rest', () => {
    const freed: string[] = []
    const cache = new ByteCache<string>(10, (value) => freed.push(value))
    cache.set('a', 'A', 4)
    cache.set('b', 'B', 4)
    expect(cache.get('a')).toBe('A')
    cache.set('c', 'C', 4)
    expect(freed).toEqual(['B'])
    expect(cache.get('b')).toBeUndefined()
    expect(cache.bytes).toBe(8)
    cache.set('huge', 'H', 99)
    expect(freed).toEqual(['B', 'A', 'C'])
    expect(cache.get('huge')).toBe('H')
    cache.set('d', 'D', 1)
    expect(cache.get('huge')).toBeUndefined()
    expect(cache.bytes).toBe(1)
  })

  it('does not free what only became larger', () => {
    const freed: string[] = []
    const cache = new ByteCache<string>(10, (value) => freed.push(value))
    cache.set('a', 'A', 0)
    cache.set('a', 'A', 6)
    expect(freed).toEqual([])
    expect(cache.bytes).toBe(6)
    cache.set('a', 'other', 1)
    expect(freed).toEqual(['A'])
    cache.clear()
    expect(freed).toEqual(['A', 'other'])
    expect(cache.bytes).toBe(0)
  })
})
