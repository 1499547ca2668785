import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildUNet } from '../models/unet.ts'
import { trainingCost } from '../runtime/cost.ts'
import { OutOfMemoryError } from '../runtime/failures.ts'
import { startRuntime } from '../runtime/start.ts'
import { trainingRoom } from './room.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { Budget } from '../runtime/memory.ts'

const wanted = { count: 4, size: 64 }
const tensors = (bytes: number): Budget => ({ tensors: bytes, process: 1e9, largest: Infinity, heapLive: null })

describe('trainingRoom', () => {
  let network: LayersModel

  beforeAll(async () => {
    await startRuntime({ backend: 'wasm', threads: 1 })
    network = buildUNet({ levels: 2, base: 4, classes: 3, seed: 1, normalization: 'batch', upsampling: 'nearest' })
  }, 60_000)

  afterAll(() => {
    network.dispose()
  })

  it('takes what was asked for where memory allows, and says nothing', async () => {
    const notices: string[] = []
    const room = await trainingRoom(network, 4, wanted, (message) => notices.push(message))
    expect([room.size, notices]).toEqual([wanted, []])
  })

  it('measures without changing the network', async () => {
    const other = buildUNet({ levels: 2, base: 4, classes: 3, seed: 2, normalization: 'batch', upsampling: 'nearest' })
    const values = () => other.getWeights().map((weight) => [...weight.dataSync()])
    const before = values()
    await trainingCost(other, 4)
    expect(values()).toEqual(before)
    other.dispose()
  })

  it('takes fewer patches where a step costs more than there is, and says so once', async () => {
    const notices: string[] = []
    const cost = await trainingCost(network, 4)
    const memory = tensors(cost.fixed + cost.perPixel * 2.5 * 64 ** 2)
    const room = await trainingRoom(network, 4, wanted, (message) => notices.push(message), memory)
    expect(room.size).toEqual({ count: 2, size: 64 })
    expect(notices).toEqual([expect.stringContaining('2 patches')])
  })

  it('goes on with less when a step runs out of memory, and gives up at the least', async () => {
    const notices: string[] = []
    const sizes: unknown[] = []
    const room = await trainingRoom(network, 4, wanted, (message) => notices.push(message))
    const loss = await room.run(
      async () => {
        if (room.size.count * room.size.size ** 2 > 40 ** 2) throw new OutOfMemoryError('Out of memory: simulated')
        return 0.5
      },
      () => sizes.push(room.size),
    )
    expect(loss).toBe(0.5)
    expect(sizes).toEqual([
      { count: 2, size: 64 },
      { count: 1, size: 64 },
      { count: 1, size: 32 },
    ])
    expect(notices.at(-1)).toContain('one patch of 32 x 32 pixels')
    const nothing = room.run(
      () => Promise.reject(new OutOfMemoryError('Out of memory: simulated')),
      () => undefined,
    )
    await expect(nothing).rejects.toMatchObject({ code: 'backend-lost' })
    const lost = room.run(
      () => Promise.reject(new Error('Device is lost.')),
      () => undefined,
    )
    await expect(lost).rejects.toMatchObject({ code: 'backend-lost' })
    expect(tf.memory().numTensors).toBeGreaterThan(0)
  })
})
