import { beforeAll, describe, expect, it, vi } from 'vitest'
import { modelCard } from '../models/card.ts'
import { startRuntime } from '../runtime/start.ts'
import { openTraining } from './session.ts'
import { DISK_LABELS, diskSample } from './testing/samples.ts'
import { trainModel } from './train.ts'
import type { LoadedModel } from '../models/files.ts'
import type * as Adam from './adam.ts'
import type { Optimizer } from './optimizer.ts'

const made: Optimizer[] = []

vi.mock('./adam.ts', async (original) => {
  const { createAdam, ...adam } = await original<typeof Adam>()
  return {
    ...adam,
    createAdam: (...given: Parameters<typeof createAdam>) => {
      const optimizer = createAdam(...given)
      made.push(optimizer)
      return optimizer
    },
  }
})

/** Of the training that was begun last. */
const strength = () => made.at(-1)?.rates(1).hold

const common = { labels: DISK_LABELS, seed: 3, backend: 'wasm', batch: 1, patch: 40 }

function disks(count: number) {
  return Array.from({ length: count }, (_, i) => diskSample(i + 1, i < 2 ? 'corrected' : 'replay'))
}

describe('how strongly a parent holds on to what it is', () => {
  let parent: LoadedModel

  beforeAll(async () => {
    await startRuntime({ backend: 'wasm', threads: 1 })
    const architecture = { levels: 1, base: 4 }
    const trained = await trainModel({
      ...{ ...common, parent: null, architecture, samples: disks(1), steps: 1, seconds: 60 },
    })
    const identity = { id: 'p', parentId: null, name: 'P', createdAt: 'now', labels: DISK_LABELS }
    parent = { network: trained.network, card: modelCard(identity, trained) }
    return () => {
      parent.network.dispose()
    }
  }, 60_000)

  it('is 30 for all slices together, and more for one or two, as many as teach at the moment', async () => {
    const session = await openTraining({ ...common, parent })
    for (const [count, wanted] of [
      [1, 100],
      [2, 25],
      [4, 7.5],
      [5, 6],
      [60, 0.5],
      [20, 1.5],
    ] as const) {
      // One that teaches nothing does not count.
      const nothing = { ...diskSample(99), trusted: new Uint8Array(1600) }
      await session.run([...disks(count), nothing], 0)
      expect(strength()).toBe(wanted)
    }
    await session.run(null, 0.001)
    expect(strength()).toBe(1.5)
    session.dispose()
  })

  it('is the same in a training at one go, and what was asked for where something was', async () => {
    const options = { ...common, parent, steps: 1, seconds: 60 }
    const whole = await trainModel({ ...options, samples: disks(20) })
    expect(strength()).toBe(1.5)
    whole.network.dispose()
    const session = await openTraining({ ...common, parent, continuing: { anchor: 4 } })
    for (const count of [1, 20]) {
      await session.run(disks(count), 0)
      expect(strength()).toBe(4)
    }
    session.dispose()
  })
})
