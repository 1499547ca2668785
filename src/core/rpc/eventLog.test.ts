import { describe, expect, it } from 'vitest'
import { EventLog, approximateBytes } from './eventLog.ts'

const wide = { events: 100, bytes: 1e6, ageMs: 1000 }

describe('event log', () => {
  it('gives what came after a number, oldest first', () => {
    const log = new EventLog(wide, () => 0)
    for (const name of ['a', 'b', 'c']) log.append(name, null)
    expect(log.seq).toBe(3)
    expect(log.since(1)?.map(({ seq, name }) => [seq, name])).toEqual([
      [2, 'b'],
      [3, 'c'],
    ])
    expect(log.since(3)).toEqual([])
    expect(log.since(4)).toBeNull()
  })

  it('keeps only so many', () => {
    const log = new EventLog({ ...wide, events: 2 }, () => 0)
    for (const name of ['a', 'b', 'c']) log.append(name, null)
    expect(log.since(0)).toBeNull()
    expect(log.since(1)?.length).toBe(2)
  })

  it('keeps only so many bytes', () => {
    const log = new EventLog({ ...wide, bytes: 3000 }, () => 0)
    for (const name of ['a', 'b', 'c']) log.append(name, new Uint8Array(1000))
    expect(log.since(0)).toBeNull()
    expect(log.since(1)?.map(({ name }) => name)).toEqual(['b', 'c'])
  })

  it('forgets what is old', () => {
    let now = 0
    const log = new EventLog(wide, () => now)
    log.append('a', null)
    now = 900
    log.append('b', null)
    now = 1500
    expect(log.since(0)).toBeNull()
    expect(log.since(1)?.length).toBe(1)
    now = 5000
    expect(log.since(2)).toEqual([])
  })

  it('counts typed arrays by their bytes', () => {
    expect(approximateBytes(new Uint32Array(10))).toBe(104)
    expect(approximateBytes({ slices: [new Uint8Array(1000)] })).toBeGreaterThan(1000)
  })
})
