import { describe, expect, it } from 'vitest'
import { keepSessions } from './sessions.ts'
import type { InferenceSession } from 'onnxruntime-common'

/** Sessions of names; what the process holds is set by hand, in bytes. */
function setup({ count = 10, bytes = 1000 } = {}) {
  const log: string[] = []
  let resident = 100
  const sessions = keepSessions({ count, bytes: () => bytes }, () => resident)
  const make = (name: string) => () => {
    log.push(`make ${name}`)
    const release = () => {
      log.push(`release ${name}`)
      return Promise.resolve()
    }
    // No more of a session is used here.
    return Promise.resolve(Object.assign(Object.create(null) as InferenceSession, { release }))
  }
  const use = (name: string, grows = 0, size = 1) =>
    sessions.use(name, size, make(name), () => {
      resident += grows
      return Promise.resolve(name)
    })
  return { sessions, log, use, make }
}

describe('sessions that are kept', () => {
  it('are made once, the ones not used for longest going first', async () => {
    const { log, use } = setup({ count: 2 })
    for (const name of ['a', 'b', 'a', 'c']) expect(await use(name)).toBe(name)
    await Promise.resolve()
    expect(log).toEqual(['make a', 'make b', 'make c', 'release b'])
  })

  it('go where they hold too much together, but for the last', async () => {
    const { sessions, log, use } = setup({ bytes: 1000 })
    await use('a', 600)
    expect(sessions.idleBytes()).toBe(600)
    await use('b', 600)
    await Promise.resolve()
    expect(log).toEqual(['make a', 'make b', 'release a'])
    await use('b', 5000, 2)
    expect(sessions.idleBytes()).toBe(5600)
    expect(log).toHaveLength(3)
  })

  it('hold what they took for the most that they were given', async () => {
    const { sessions, use } = setup()
    await use('a', 100)
    // What results take until they are collected.
    for (let i = 0; i < 50; i++) await use('a', 100)
    expect(sessions.idleBytes()).toBe(100)
    await use('a', 30, 2)
    expect(sessions.idleBytes()).toBe(130)
  })

  it('go once nobody uses them', async () => {
    const { sessions, log, make, use } = setup()
    let end: () => void = () => undefined
    const running = sessions.use('a', 1, make('a'), () => new Promise<void>((resolve) => (end = resolve)))
    await Promise.resolve()
    sessions.trim()
    expect(log).toEqual(['make a'])
    sessions.drop('a')
    end()
    await running
    await Promise.resolve()
    expect(log).toEqual(['make a', 'release a'])
    await use('a')
    expect(log).toEqual(['make a', 'release a', 'make a'])
  })

  it('go where they failed, or could not be made', async () => {
    const { sessions, log, make, use } = setup()
    await expect(sessions.use('a', 1, make('a'), () => Promise.reject(new Error('full')))).rejects.toThrow('full')
    await Promise.resolve()
    const never = () => Promise.reject(new Error('no session'))
    await expect(sessions.use('b', 1, never, () => Promise.resolve())).rejects.toThrow('no session')
    await use('b')
    expect(log).toEqual(['make a', 'release a', 'make b'])
  })
})
