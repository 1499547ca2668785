import { mkdtemp, readdir, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startForTests } from '../native/testing/compare.ts'
import { OutOfMemoryError } from '../runtime/failures.ts'
import { startWasm } from '../runtime/wasm.ts'
import { runEpochs } from './epochs.ts'
import { generatedData } from './testing/generatedData.ts'
import { smallSettings, testWorkshop } from './testing/workshop.ts'
import { readState } from './trainingState.ts'
import { readWeights } from './weights.ts'
import type { RecipeSettings } from '../../core/contract/recipes.ts'
import type { TrainingData } from './types.ts'
import type { EpochRecord } from './trainingState.ts'

const MINUTE = 60_000
let dir = ''
let count = 0

beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'maskwright-epochs-'))
})
afterAll(async () => {
  await rm(dir, { recursive: true, force: true })
})

const newFolder = (): string => path.join(dir, `model${count++}.training`)

interface Ran {
  readonly weights: readonly Float32Array[]
  readonly history: readonly EpochRecord[]
  readonly events: readonly { readonly event: string }[]
  readonly warnings: readonly string[]
}

/** Trains, or goes on, in a folder. */
async function train(folder: string, settings: RecipeSettings, data: TrainingData): Promise<Ran> {
  const workshop = await testWorkshop(folder, settings, data)
  try {
    const { header } = await runEpochs({
      ...workshop,
      begun: await readState(folder),
      digest: { seed: '7' },
      onStart: () => undefined,
      onSmaller: (batch) => {
        workshop.warn(`batch ${batch}`)
      },
    })
    const weights = await readWeights(workshop.trainer.result)
    return { weights, history: header.history, events: workshop.events, warnings: workshop.warnings }
  } finally {
    workshop.dispose()
  }
}

/** What must be the same in an unbroken run: everything but the time. */
const timeless = (history: readonly EpochRecord[]) => history.map(({ seconds: _, ...rest }) => rest)

describe.each(['native', 'wasm'])('epochs on %s', (backend) => {
  beforeAll(async () => {
    if (backend === 'native') await startForTests()
    if (backend === 'wasm') await startWasm(1)
    await tf.setBackend(backend)
  }, MINUTE)

  it(
    'learn, and tell of each',
    async () => {
      const folder = newFolder()
      const { history, events } = await train(folder, smallSettings({ epochs: 12 }), generatedData())
      expect(await readdir(folder)).toEqual(['state.bin'])
      expect(history.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 13 }, (_, i) => i))
      expect(history.at(-1)?.steps).toBe(36)
      expect(history.at(-1)?.valLoss).toBeLessThan(0.7 * (history[0]?.valLoss ?? 0))
      expect(history.at(-1)?.val.dice).toBeGreaterThan(0.8)
      expect(history.at(-1)?.val['dice:1']).toBe(history.at(-1)?.val.dice)
      expect(events.map(({ event }) => event)).toEqual(new Array(12).fill('epoch'))
    },
    MINUTE,
  )

  it.each([
    ['averaged weights', smallSettings()],
    ['early stopping and a plateau, without averages', early()],
  ])(
    'end in the same bits when they are interrupted in any of them: %s',
    async (_, settings) => {
      const unbroken = await train(newFolder(), settings, generatedData())
      const folder = newFolder()
      for (const [epoch, step] of [
        [1, 1],
        [2, 0],
        [2, 2],
        [4, 1],
      ]) {
        const data = generatedData({
          onBatch: (at, which) => {
            if (at === epoch && which === step) throw new Error('killed')
          },
        })
        await expect(train(folder, settings, data)).rejects.toThrow('killed')
      }
      const resumed = await train(folder, settings, generatedData())
      expect(timeless(resumed.history)).toEqual(timeless(unbroken.history))
      expect(resumed.weights).toEqual(unbroken.weights)
      expect(resumed.weights.some((values) => values.some((value) => value !== 0))).toBe(true)
    },
    MINUTE,
  )

  it(
    'keep the best weights, and end when none are better',
    async () => {
      // A rate that leads nowhere: what it began with stays the best.
      const base = early()
      const settings = { ...base, optimizer: { ...base.optimizer, rate: 1e-12, schedule: 'constant' as const } }
      const { history } = await train(
        newFolder(),
        { ...settings, training: { ...settings.training, epochs: 50 } },
        generatedData(),
      )
      expect(history.length).toBeLessThan(20)
    },
    MINUTE,
  )

  it(
    'begin an epoch again with half the batch where memory ends',
    async () => {
      let failures = 0
      const data = generatedData({
        onBatch: (epoch, step) => {
          if (epoch === 2 && step === 1 && failures++ === 0) throw new OutOfMemoryError('Out of memory')
        },
      })
      const folder = newFolder()
      const { history, warnings } = await train(folder, smallSettings(), data)
      expect(warnings).toEqual(['batch 1'])
      expect(history.at(-1)).toMatchObject({ epoch: 4, steps: 12 })
      expect((await readState(folder))?.batch).toBe(1)
    },
    MINUTE,
  )

  it(
    'stop with a sentence when the loss is no number, and leave nothing to go on from',
    async () => {
      const folder = newFolder()
      const data = generatedData()
      const broken: TrainingData = {
        ...data,
        batches: (options) => {
          const stream = data.batches(options)
          return {
            ...stream,
            next: async () => {
              const batch = await stream.next()
              if (options.epoch === 2) batch?.images.fill(NaN)
              return batch
            },
          }
        },
      }
      await expect(train(folder, smallSettings(), broken)).rejects.toMatchObject({
        code: 'compute-failed',
        message:
          'Training stopped in epoch 2: its loss is no longer a number; begin again with a smaller optimizer.rate than 0.01.',
      })
      expect(await readState(folder)).toBeNull()
    },
    MINUTE,
  )

  it(
    'end when their time is over, with a schedule that has come to its end',
    async () => {
      const settings = smallSettings({ epochs: 1000, seconds: 1.5 })
      const { history } = await train(newFolder(), settings, generatedData())
      expect(history.length).toBeLessThan(1000)
      expect(history.at(-1)?.rate).toBeLessThan(1e-4)
    },
    MINUTE,
  )
})

function early(): RecipeSettings {
  const settings = smallSettings({ average: 0, earlyStopping: 3, epochs: 5 })
  return {
    ...settings,
    optimizer: { ...settings.optimizer, kind: 'sgd', rate: 0.05, schedule: 'plateau', patience: 1, factor: 0.5 },
  }
}
