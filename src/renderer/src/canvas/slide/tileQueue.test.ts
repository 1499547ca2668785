import { describe, expect, it } from 'vitest'
import { tileName, type TileKey } from './pyramid.ts'
import { TileQueue } from './tileQueue.ts'

const key = (column: number): TileKey => ({ level: 0, column, row: 0 })
const settle = () => new Promise((resolve) => setTimeout(resolve, 0))

/** A queue over a backend that answers when told. */
function held(parallel: number) {
  const asked: string[] = []
  const aborted: string[] = []
  const loaded: string[] = []
  const failed: string[] = []
  const answers = new Map<string, { resolve: (value: string) => void; reject: (thrown: Error) => void }>()
  let running = 0
  let most = 0
  const queue = new TileQueue<string>({
    parallel,
    load: (one, signal) => {
      const name = tileName(one)
      asked.push(name)
      running++
      most = Math.max(most, running)
      return new Promise<string>((resolve, reject) => {
        answers.set(name, { resolve, reject })
        signal.addEventListener('abort', () => {
          aborted.push(name)
          reject(new Error('cancelled'))
        })
      }).finally(() => running--)
    },
    onLoaded: (_key, value) => loaded.push(value),
    onFailed: (one) => failed.push(tileName(one)),
  })
  const answer = async (column: number) => {
    answers.get(tileName(key(column)))?.resolve(`tile ${String(column)}`)
    await settle()
  }
  return { queue, asked, aborted, loaded, failed, answers, answer, most: () => most }
}

describe('TileQueue', () => {
  it('asks in the order given, a few at a time', async () => {
    const { queue, asked, loaded, answer, most } = held(2)
    queue.want([key(3), key(1), key(2), key(0)])
    expect(asked).toEqual(['0/3/0', '0/1/0'])
    expect(queue.pending).toBe(4)
    await answer(1)
    expect(asked).toEqual(['0/3/0', '0/1/0', '0/2/0'])
    for (const column of [3, 2, 0]) await answer(column)
    expect(loaded).toEqual(['tile 1', 'tile 3', 'tile 2', 'tile 0'])
    expect([queue.pending, most()]).toEqual([0, 2])
  })

  it('cancels what is wanted no longer and goes on with what is', async () => {
    const { queue, asked, aborted, loaded, failed, answer, most } = held(2)
    queue.want([key(0), key(1), key(2)])
    queue.want([key(1), key(7), key(8)])
    await settle()
    expect(aborted).toEqual(['0/0/0'])
    expect(asked).toEqual(['0/0/0', '0/1/0', '0/7/0'])
    await answer(1)
    await answer(7)
    await answer(8)
    expect(loaded).toEqual(['tile 1', 'tile 7', 'tile 8'])
    expect([failed, most()]).toEqual([[], 2])
  })

  it('asks again for what was cancelled and is wanted again', async () => {
    const { queue, asked, loaded, answer } = held(2)
    queue.want([key(0)])
    queue.want([])
    queue.want([key(0)])
    await answer(0)
    expect(asked).toEqual(['0/0/0', '0/0/0'])
    expect(loaded).toEqual(['tile 0'])
  })

  it('goes on after a failure and says so once', async () => {
    const { queue, failed, loaded, answers, answer } = held(1)
    queue.want([key(0), key(1)])
    answers.get('0/0/0')?.reject(new Error('damaged'))
    await settle()
    await answer(1)
    expect([failed, loaded]).toEqual([['0/0/0'], ['tile 1']])
  })
})
