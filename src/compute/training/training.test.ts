import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '../data/random.ts'
import { predictSlices } from '../inference/predict.ts'
import { modelCard } from '../models/card.ts'
import { loadModel, saveModel } from '../models/files.ts'
import { startRuntime } from '../runtime/start.ts'
import { meanDice } from './evaluate.ts'
import { learningRateAt, plannedSteps } from './schedule.ts'
import { trainModel } from './train.ts'
import type { ComputeProgress, TrainingSample } from '../../core/contract/compute.ts'
import type { TrainOptions } from './train.ts'

const MINUTES = 60_000

describe('meanDice', () => {
  it('averages 2 |A and B| / (|A| + |B|) over the labels that occur', () => {
    // Label 1: 2 * 30 / (40 + 60) = 0.6; label 2: 2 * 5 / (10 + 10) = 0.5; label 3 does not occur.
    const dice = meanDice(
      Float64Array.of(900, 30, 5, 0),
      Float64Array.of(950, 40, 10, 3),
      Float64Array.of(930, 60, 10, 0),
    )
    expect(dice).toBeCloseTo(0.55, 10)
  })

  it('is 1 for an empty slice left empty and 0 for one that is not', () => {
    expect(meanDice(Float64Array.of(9, 0), Float64Array.of(9, 0), Float64Array.of(9, 0))).toBe(1)
    expect(meanDice(Float64Array.of(8, 0), Float64Array.of(8, 1), Float64Array.of(9, 0))).toBe(0)
  })
})

describe('schedule', () => {
  it('rises, stays below its peak and falls to a tenth', () => {
    expect(learningRateAt(1, 0, 100)).toBeCloseTo(0.2)
    expect(learningRateAt(1, 5, 100)).toBeCloseTo(1)
    expect(learningRateAt(1, 100, 100)).toBeCloseTo(0.1)
    expect(learningRateAt(1, 0, 1)).toBe(1)
  })

  it('plans by the bound that comes first', () => {
    expect(plannedSteps(100, 5, [9, 9])).toBe(100)
    expect(plannedSteps(100, 5, [0.5, 0.5, 0.5, 0.5])).toBe(14)
    expect(plannedSteps(10, 5, [0.5, 0.5, 0.5, 0.5])).toBe(10)
    expect(plannedSteps(100, -1, [0.5, 0.5, 0.5, 0.5])).toBe(4)
  })
})

const labels = [{ value: 2, name: 'Disk' }]

/** A bright disk of label 2 on noise, at a place and of a radius that the seed gives. */
function diskSample(seed: number, role: TrainingSample['role'] = 'corrected', size = 40): TrainingSample {
  const random = createRandom(seed)
  const [cx, cy, r] = [12 + 16 * random(), 12 + 16 * random(), 6 + 4 * random()]
  const mask = new Uint8Array(size * size)
  const data = new Uint8Array(size * size)
  mask.forEach((_, i) => {
    const inside = ((i % size) - cx) ** 2 + (Math.floor(i / size) - cy) ** 2 < r * r
    mask[i] = inside ? 2 : 0
    data[i] = (inside ? 130 : 80) + 40 * random()
  })
  return {
    ...{ index: seed, width: size, height: size, channels: 1, voxelType: 'uint8', data, labels: mask, role },
    ...{ slope: 1, inter: 0, low: 60, high: 190 },
  }
}

describe('trainModel', () => {
  let backend = ''
  let dir = ''

  beforeAll(async () => {
    backend = (await startRuntime({ backend: 'wasm', threads: 1 })).backend
    dir = await mkdtemp(path.join(os.tmpdir(), 'maskwright-train-'))
  }, MINUTES)

  afterAll(async () => {
    await rm(dir, { recursive: true, force: true })
  })

  function options(change: Partial<TrainOptions> = {}): TrainOptions {
    return {
      ...{ parent: null, architecture: { levels: 2, base: 4 }, labels, samples: [diskSample(1), diskSample(2)] },
      ...{ steps: 40, seconds: 300, seed: 11, backend },
      ...change,
    }
  }

  it(
    'learns to segment, keeps it through the files, and leaves no tensor behind',
    async () => {
      const before = tf.memory().numTensors
      const progress: ComputeProgress[] = []
      const trained = await trainModel(options({ onProgress: (each) => progress.push(each) }))
      const { training } = trained
      expect(training.steps).toBe(40)
      expect(training.diceAfter).toBeGreaterThan(0.85)
      expect(training.diceAfter).toBeGreaterThan(training.diceBefore)
      expect(training.lossAfter).toBeLessThan(training.lossBefore)
      expect(progress.map(({ step }) => step)).toEqual(Array.from({ length: 41 }, (_, i) => i))
      expect(training.curve).toHaveLength(41)

      const card = modelCard({ id: 'a', parentId: null, name: 'A', createdAt: 'now', labels }, trained)
      await saveModel(path.join(dir, 'a'), trained.network, card)
      const loaded = await loadModel(path.join(dir, 'a'))
      const unseen = diskSample(3)
      const [first] = await predictSlices({ network: trained.network, card }, [unseen])
      const [again] = await predictSlices(loaded, [unseen])
      expect(again).toEqual(first)
      const hits = unseen.labels.reduce((n, label, i) => n + (label === first?.labels[i] ? 1 : 0), 0)
      expect(hits / unseen.labels.length).toBeGreaterThan(0.95)
      expect(new Set(first?.labels)).toEqual(new Set([0, 2]))

      trained.network.dispose()
      loaded.network.dispose()
      expect(tf.memory().numTensors).toBe(before)
    },
    MINUTES,
  )

  it(
    'gives the same weights for the same seed, and others for another',
    async () => {
      const weights = async (seed: number) => {
        const { network } = await trainModel(options({ steps: 5, seed }))
        const values = network.getWeights().map((weight) => Array.from(weight.dataSync()))
        network.dispose()
        return values
      }
      const first = await weights(1)
      expect(await weights(1)).toEqual(first)
      expect(await weights(2)).not.toEqual(first)
    },
    MINUTES,
  )

  it(
    'grows a label: keeps what the parent knew, learns the new one, and leaves the parent as it was',
    async () => {
      const trained = await trainModel(options())
      const parent = {
        network: trained.network,
        card: modelCard({ id: 'p', parentId: null, name: 'P', createdAt: 'now', labels }, trained),
      }
      const weightsBefore = parent.network.getWeights().map((weight) => Array.from(weight.dataSync()))
      const both = [{ value: 5, name: 'Dark' }, ...labels]

      const untouched = await trainModel(options({ parent, labels: both, steps: 1, learningRate: 0 }))
      const slices = [diskSample(1), diskSample(2)]
      const before = await predictSlices(parent, slices)
      const card = modelCard({ id: 'c', parentId: 'p', name: 'C', createdAt: 'now', labels: both }, untouched)
      expect(await predictSlices({ network: untouched.network, card }, slices)).toEqual(before)

      // The new label: a dark square painted into a corner.
      const painted = slices.map((slice) => {
        const data = slice.data.slice()
        const mask = slice.labels.slice()
        for (let y = 0; y < 10; y++) {
          data.fill(60, y * 40, y * 40 + 10)
          mask.fill(5, y * 40, y * 40 + 10)
        }
        return { ...slice, data, labels: mask }
      })
      const grown = await trainModel(options({ parent, labels: both, samples: painted, steps: 40 }))
      expect(grown.training.diceAfter).toBeGreaterThan(0.8)
      const [result] = await predictSlices({ network: grown.network, card }, painted)
      expect(result?.labels[0]).toBe(5)
      expect(parent.network.getWeights().map((weight) => Array.from(weight.dataSync()))).toEqual(weightsBefore)
      for (const network of [trained.network, untouched.network, grown.network]) network.dispose()
    },
    2 * MINUTES,
  )

  it(
    'ends by time, by cancel, and with a sentence when the loss is no number',
    async () => {
      const tensors = tf.memory().numTensors
      const short = await trainModel(options({ steps: 100_000, seconds: 1 }))
      expect(short.training.steps).toBeLessThan(100_000)
      expect(short.training.steps).toBeGreaterThanOrEqual(4)
      short.network.dispose()

      const cancel = new AbortController()
      let last = 0
      const cancelled = trainModel(
        options({
          signal: cancel.signal,
          onProgress: ({ step }) => {
            last = step
            if (step === 3) cancel.abort()
          },
        }),
      )
      await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' })
      expect(last).toBe(3)

      const diverged = trainModel(options({ learningRate: NaN }))
      await expect(diverged).rejects.toMatchObject({ code: 'compute-failed', message: /no longer a number/ })
      expect(tf.memory().numTensors).toBe(tensors)
    },
    MINUTES,
  )

  it('refuses slices of which no pixel has a known label', async () => {
    const samples = [{ ...diskSample(1), labels: new Uint8Array(1600).fill(9) }]
    await expect(trainModel(options({ samples }))).rejects.toMatchObject({ code: 'nothing-to-train' })
  })
})
