import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { predictSlices } from '../inference/predict.ts'
import { modelCard } from '../models/card.ts'
import { buildUNet } from '../models/unet.ts'
import { isVariable } from '../runtime/tensors.ts'
import { loadModel, saveModel } from '../models/files.ts'
import { startRuntime } from '../runtime/start.ts'
import { createAdam } from './adam.ts'
import { evaluationInterval } from './fit.ts'
import { learningRateAt, plannedSteps } from './schedule.ts'
import { trainingStep } from './step.ts'
import { DISK_LABELS, diskSample } from './testing/samples.ts'
import { trainModel } from './train.ts'
import type { ComputeProgress } from '../../core/contract/compute.ts'
import type { TrainOptions } from './train.ts'

const MINUTES = 60_000

describe('schedule', () => {
  it('rises, stays below its peak and falls to a tenth', () => {
    expect(learningRateAt(1, 0, 100)).toBeCloseTo(0.2)
    expect(learningRateAt(1, 5, 100)).toBeCloseTo(1)
    expect(learningRateAt(1, 100, 100)).toBeCloseTo(0.1)
    expect(learningRateAt(1, 0, 1)).toBe(1)
    const slowly = [0, 10, 19, 20, 60, 100].map((step) => learningRateAt(1, step, 100, 0.2))
    expect(slowly.map((rate) => rate.toFixed(3))).toEqual(['0.050', '0.550', '1.000', '1.000', '0.550', '0.100'])
  })

  it('measures every ten steps, less often where that would take more than a sixth of the time', () => {
    const slices = (count: number, size: number) => Array.from({ length: count }, () => ({ width: size, height: size }))
    expect(evaluationInterval(slices(8, 200), { count: 3, size: 160 })).toBe(10)
    // 8 x 512^2 pixels are 27.3 x 3 x 160^2: a pass over them takes as long as 9.1 steps of three passes.
    expect(evaluationInterval(slices(8, 512), { count: 3, size: 160 })).toBe(46)
  })

  it('plans by the bound that comes first', () => {
    expect(plannedSteps(100, 30, [9, 9])).toBe(100)
    // Steps so long that no four of them fit: what fits by the first ones, none more than were begun.
    expect(plannedSteps(100, 20, [9])).toBe(3)
    expect(plannedSteps(100, 5, [9, 9])).toBe(2)
    expect(plannedSteps(100, -50, [60])).toBe(1)
    // A slow first step does not end what comes after it.
    expect(plannedSteps(100, 4, [1, 0.1])).toBe(100)
    expect(plannedSteps(100, 5, [0.5, 0.5, 0.5, 0.5])).toBe(14)
    expect(plannedSteps(10, 5, [0.5, 0.5, 0.5, 0.5])).toBe(10)
    expect(plannedSteps(100, -1, [0.5, 0.5, 0.5, 0.5])).toBe(4)
  })
})

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
      ...{
        parent: null,
        architecture: { levels: 2, base: 4 },
        labels: DISK_LABELS,
        samples: [diskSample(1), diskSample(2)],
      },
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

      const card = modelCard({ id: 'a', parentId: null, name: 'A', createdAt: 'now', labels: DISK_LABELS }, trained)
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
        card: modelCard({ id: 'p', parentId: null, name: 'P', createdAt: 'now', labels: DISK_LABELS }, trained),
      }
      const weightsBefore = parent.network.getWeights().map((weight) => Array.from(weight.dataSync()))
      const both = [{ value: 5, name: 'Dark' }, ...DISK_LABELS]

      const untouched = await trainModel(options({ parent, labels: both, steps: 1, continuing: { learningRate: 0 } }))
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

      // Without a normalization, nothing keeps the logits of such weights finite.
      const architecture = { levels: 2, base: 4, normalization: 'none' } as const
      const diverged = trainModel(options({ architecture, continuing: { learningRate: 1e30 } }))
      await expect(diverged).rejects.toMatchObject({ code: 'compute-failed' })
      await expect(diverged).rejects.toThrow(/no longer a number/)
      expect(tf.memory().numTensors).toBe(tensors)
    },
    MINUTES,
  )

  it.each([NaN, Infinity])('updates nothing for a step with a loss that is not finite: %s', async (value) => {
    const tensors = tf.memory().numTensors
    const network = buildUNet({ levels: 1, base: 4, classes: 2, seed: 1, normalization: 'none', upsampling: 'nearest' })
    const variables = network.trainableWeights.map((weight) => weight.read()).filter(isVariable)
    const optimizer = createAdam(variables)
    const batch = { images: new Float32Array(64).fill(0.5), classes: new Uint8Array(64).fill(1) }
    expect(await trainingStep(network, variables, optimizer, batch, 8, 1e-2)).toBeGreaterThan(0)
    const before = await optimizer.snapshot()
    batch.images[20] = value
    expect(await trainingStep(network, variables, optimizer, batch, 8, 1e-2)).not.toSatisfy(Number.isFinite)
    expect(await optimizer.snapshot()).toEqual(before)
    optimizer.dispose()
    network.dispose()
    expect(tf.memory().numTensors).toBe(tensors)
  })

  it('refuses slices of which no pixel has a known label', async () => {
    const samples = [{ ...diskSample(1), labels: new Uint8Array(1600).fill(9) }]
    await expect(trainModel(options({ samples }))).rejects.toMatchObject({ code: 'nothing-to-train' })
  })
})
