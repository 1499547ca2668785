import { describe, expect, it } from 'vitest'
import { orderFor } from '../data/testing/folders.ts'
import { differences, orderDigest, otherMachine } from './orderDigest.ts'
import type { TrainingData } from './types.ts'

const data = {
  data: { sha256: 'ab', samples: 1, corrected: 1, replay: 0 },
  labels: [{ value: 1, name: 'Disk' }],
  cases: [{ id: 'a', patient: 'a', image: '', masks: [], part: 'train' }],
} as unknown as TrainingData

describe('what a training is resumed with', () => {
  it('differs by the names of settings, by the seed and by the parts of the data', () => {
    const order = orderFor('')
    const digest = orderDigest(order, data)
    expect(differences(digest, orderDigest(orderFor('elsewhere'), data))).toEqual([])
    const settings = { ...order.settings, optimizer: { ...order.settings.optimizer, rate: 0.5 } }
    expect(differences(digest, orderDigest({ ...order, settings, seed: 9 }, data))).toEqual(['optimizer.rate', 'seed'])
    const parted = { ...data, cases: data.cases.map((each) => ({ ...each, part: 'holdout' as const })) }
    expect(differences(digest, orderDigest(order, parted))).toEqual(['data'])
  })

  it('tells of another backend and another number of threads', () => {
    const begun = { backend: 'native', threads: 2 }
    const end = 'its numbers need not be those of an unbroken run.'
    expect(otherMachine(begun, begun)).toBeNull()
    expect(otherMachine(begun, { backend: 'wasm', threads: 2 })).toBe(
      `This training began on native and goes on with wasm: ${end}`,
    )
    expect(otherMachine(begun, { backend: 'native', threads: 1 })).toBe(
      `This training began on native with 2 threads and goes on with native with 1 thread: ${end}`,
    )
  })
})
