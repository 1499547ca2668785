import { describe, expect, it } from 'vitest'
import { Lane, priorities } from './lane.ts'

const never = new AbortController().signal

describe('Lane', () => {
  it('lets one in at a time, the highest priority first, then who came first', async () => {
    const lane = new Lane()
    const order: string[] = []
    let inside = 0
    const enter = (name: string, priority: number) =>
      lane.run(priority, never, async () => {
        expect(++inside).toBe(1)
        order.push(name)
        await new Promise((resolve) => setTimeout(resolve, 1))
        inside--
      })
    await Promise.all([
      enter('first', priorities.volume),
      enter('volume a', priorities.volume),
      enter('training', priorities.training),
      enter('volume b', priorities.volume),
      enter('visible', priorities.visibleSlice),
    ])
    expect(order).toEqual(['first', 'visible', 'training', 'volume a', 'volume b'])
    expect(lane.current).toBeNull()
  })

  it('lets go on a failure, and of those who were cancelled while they waited', async () => {
    const lane = new Lane()
    const cancel = new AbortController()
    const failing = lane.run(1, never, async () => {
      throw new Error('broken')
    })
    const waiting = lane.run(1, cancel.signal, async () => 'done')
    cancel.abort()
    await expect(failing).rejects.toThrow('broken')
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' })
    await expect(lane.run(1, cancel.signal, async () => 'done')).rejects.toMatchObject({ code: 'cancelled' })
    expect(await lane.run(1, never, async () => 'next')).toBe('next')
  })

  it('tells whose turn it is that somebody who goes first waits', async () => {
    const lane = new Lane()
    const order: string[] = []
    const patient = lane.run(priorities.live, never, async (wanted) => {
      await new Promise((resolve) => wanted.addEventListener('abort', resolve))
      order.push('gave up')
    })
    const other = lane.run(priorities.live, never, async (wanted) => {
      order.push(`${wanted.aborted}`)
    })
    await new Promise((resolve) => setTimeout(resolve, 1))
    expect(order).toEqual([])
    await Promise.all([patient, other, lane.run(priorities.volume, never, async () => void order.push('volume'))])
    expect(order).toEqual(['gave up', 'volume', 'false'])
  })
})
