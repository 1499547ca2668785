import { describe, expect, it } from 'vitest'
import { orCancelled } from './turns.ts'

describe('orCancelled', () => {
  it('gives what is waited for, and its errors', async () => {
    const { signal } = new AbortController()
    expect(await orCancelled(Promise.resolve(3), signal)).toBe(3)
    await expect(orCancelled(Promise.reject(new Error('lost')), signal)).rejects.toThrow('lost')
  })

  it('waits no longer than until it is cancelled, whatever becomes of it', async () => {
    const cancel = new AbortController()
    let lose = (): void => undefined
    const never = new Promise<number>((_, reject) => {
      lose = () => {
        reject(new Error('closed'))
      }
    })
    const waiting = orCancelled(never, cancel.signal)
    cancel.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' })
    await expect(orCancelled(never, cancel.signal)).rejects.toMatchObject({ code: 'cancelled' })
    // An error that nobody waits for any more ends nothing.
    lose()
    await new Promise((resolve) => setTimeout(resolve, 1))
  })
})
