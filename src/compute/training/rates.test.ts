import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { modelCard } from '../models/card.ts'
import { startRuntime } from '../runtime/start.ts'
import { fit } from './fit.ts'
import { DISK_LABELS, diskSample } from './testing/samples.ts'
import { trainModel } from './train.ts'
import type { LoadedModel } from '../models/files.ts'
import type { Normalization } from '../models/unet.ts'
import type { TrainOptions } from './train.ts'

vi.mock(import('./fit.ts'), async (original) => ({ ...(await original()), fit: vi.fn() }))

const MANY = Array.from({ length: 100 }, () => diskSample(1))
const made: LoadedModel[] = []

beforeAll(async () => {
  await startRuntime({ backend: 'wasm', threads: 1 })
  const training = { slices: 1, steps: 1, seconds: 1, seed: 1, backend: 'wasm', boundBy: 'steps' as const }
  const measured = { lossBefore: 1, lossAfter: 1, diceBefore: 0, diceAfter: 0, curve: [] }
  vi.mocked(fit).mockResolvedValue({ training: { ...training, ...measured }, size: { count: 4, size: 40 } })
}, 60_000)

afterEach(() => {
  for (const { network } of made.splice(0)) network.dispose()
})

async function trained(change: Partial<TrainOptions>): Promise<LoadedModel> {
  const options = { parent: null, labels: DISK_LABELS, samples: [diskSample(1)], backend: 'wasm', ...change }
  const model = await trainModel({ architecture: { levels: 2, base: 4 }, steps: 40, seconds: 300, seed: 1, ...options })
  const identity = { id: 'a', parentId: null, name: 'A', createdAt: 'now', labels: options.labels }
  made.push({ network: model.network, card: modelCard(identity, model) })
  return made.at(-1) ?? Promise.reject(new Error('It was made.'))
}

const modelOf = (normalization: Normalization) => trained({ architecture: { levels: 2, base: 4, normalization } })

/** Peak of the learning rate that a training is run with, the share of its steps in which it rises, and its slack. */
async function rates(change: Partial<TrainOptions>): Promise<string> {
  await trained(change)
  const { peak = NaN, rise = NaN, slack = NaN } = vi.mocked(fit).mock.lastCall?.[3] ?? {}
  return `${peak.toFixed(5)}, ${rise.toFixed(3)}, ${slack.toFixed(4)}`
}

describe('the course of a training', () => {
  it('has a rate that rises for longer in a first model, the more slices there are', async () => {
    expect(await rates({})).toBe('0.00300, 0.002, 0.0002')
    expect(await rates({ samples: MANY.slice(50) })).toBe('0.00300, 0.100, 0.0100')
    expect(await rates({ samples: [...MANY, ...MANY] })).toBe('0.00300, 0.200, 0.0200')
  })

  it('has a lower rate in one that goes on, by up to a third', async () => {
    const parent = await modelOf('instance')
    expect(await rates({ parent, samples: MANY.slice(50) })).toBe('0.00245, 0.000, 0.0100')
    expect(await rates({ parent, samples: MANY })).toBe('0.00200, 0.000, 0.0200')
    expect(await rates({ parent, samples: [...MANY, ...MANY] })).toBe('0.00200, 0.000, 0.0200')
  })

  it('has the rate that was asked for, and as high a one as ever for a new label and without a normalization', async () => {
    const [parent, plain] = [await modelOf('instance'), await modelOf('none')]
    expect(await rates({ parent, samples: MANY, continuing: { learningRate: 0.01 } })).toBe('0.01000, 0.000, 0.0200')
    const labels = [...DISK_LABELS, { value: 5, name: 'Dark' }]
    expect(await rates({ parent, samples: MANY, labels })).toBe('0.00400, 0.000, 0.0200')
    expect(await rates({ parent: plain, samples: MANY })).toBe('0.00100, 0.000, 0.0200')
  })
  it('allows for mended mistakes in one that goes on, the less the more slices there are', async () => {
    const allowance = async (change: Partial<TrainOptions>) => {
      await trained(change)
      const { allowance = NaN, goesOn } = vi.mocked(fit).mock.lastCall?.[3] ?? {}
      return [Number(allowance.toFixed(4)), goesOn]
    }
    const parent = await modelOf('instance')
    expect(await allowance({ parent })).toEqual([0.0396, true])
    expect(await allowance({ parent, samples: MANY.slice(50) })).toEqual([0.02, true])
    expect(await allowance({ parent, samples: MANY })).toEqual([0, true])
    expect(await allowance({})).toEqual([0, false])
  })
})
