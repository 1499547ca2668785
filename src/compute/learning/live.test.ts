import { mkdtemp, readdir, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { deflateRawSync } from 'node:zlib'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { planeViews } from '../../core/geometry/index.ts'
import { deltaRuns, wholeBox } from '../../core/labelmap/index.ts'
import { predictSlices } from '../inference/predict.ts'
import { createModelCache } from '../models/cache.ts'
import { loadModel } from '../models/files.ts'
import { learnedData } from '../models/learnedData.ts'
import { startRuntime } from '../runtime/start.ts'
import { DISK_LABELS, diskSample } from '../training/testing/samples.ts'
import { createLive } from './live.ts'
import { createResident } from './resident.ts'
import { coloured, saveRecipeModel } from './testing/recipeModel.ts'
import type { KeptSample, TrainingSample } from '../../core/contract/compute.ts'
import type { Dims } from '../../core/contract/schemas.ts'
import type { Runtime } from '../runtime/start.ts'
import type { Live } from './live.ts'
import type { Resident } from './resident.ts'

const MINUTES = 60_000
const SIZE = 40
const DIMS: Dims = [SIZE, SIZE, 2]
const VOXELS = SIZE * SIZE * 2

const quiet = { notify: () => undefined }
const never = (): { signal: AbortSignal } => ({ signal: new AbortController().signal })
const savedAs = { name: 'Live', createdAt: '2026-11-21T08:00:00Z', parentId: null }
const kept = (index: number): KeptSample => ({ caseId: 'a', index, role: 'corrected' })

let runtime: Promise<Runtime>
let dir = ''
beforeAll(async () => {
  runtime = startRuntime({ backend: 'wasm', threads: 1 })
  await runtime
  dir = await mkdtemp(path.join(os.tmpdir(), 'maskwright-live-'))
}, MINUTES)
afterAll(async () => {
  await rm(dir, { recursive: true, force: true })
})

function open(models = createModelCache()): { live: Live; resident: Resident } {
  const resident = createResident()
  return { resident, live: createLive(runtime, models, resident) }
}

function begin(live: Live, modelId = 'm', change: object = {}): Promise<void> {
  return live.open({ parentDir: null, modelId, labels: DISK_LABELS, seed: 3, continuing: {}, ...change }, quiet)
}

/** Trains on whole samples for so long. */
function train(live: Live, samples: TrainingSample[] | null, milliseconds: number, show: TrainingSample | null = null) {
  const lessons = samples === null ? null : { samples, kept: [] }
  return live.run({ modelId: 'm', lessons, milliseconds, show }, never())
}

function equalShare(a: Uint8Array | undefined, b: Uint8Array): number {
  return b.reduce((sum, value, i) => sum + (value === a?.[i] ? 1 : 0), 0) / b.length
}

describe('a training between strokes', () => {
  /** Runs until such a share of the shown slice is predicted as wanted. */
  async function until(live: Live, share: number, order: Parameters<Live['run']>[0], wanted: Uint8Array) {
    for (let runs = 0; runs < 100; runs++) {
      const done = await live.run(order, never())
      expect(done.steps).toBeGreaterThan(0)
      if (equalShare(done.shown?.labels, wanted) >= share) return done
    }
    throw new Error('It does not learn.')
  }

  it(
    'learns the strokes that reach its case, shows what it learned, and is saved as a model that predicts the same',
    async () => {
      const { live, resident } = open()
      const [first, second, unseen] = [diskSample(1), diskSample(2), diskSample(3)]
      const [layout] = planeViews(DIMS, null, [1, 1, 1])
      if (layout === undefined) throw new Error('no view')
      const empty = new Uint8Array(VOXELS)
      const packed = new Uint8Array(deflateRawSync(empty))
      await resident.open({ caseId: 'a', dims: DIMS, layout, revision: 1, labels: packed })
      resident.keep({
        caseId: 'a',
        slices: [first, second].map((slice, index) => ({ ...slice, index })),
        geometry: null,
      })
      await begin(live)

      // Both slices are empty as yet, and that is what it learns.
      const lessons = { samples: [], kept: [kept(0), kept(1)] }
      const show = { ...unseen, index: 7 }
      const order = { modelId: 'm', lessons, milliseconds: 300, show }
      const before = await until(live, 1, order, new Uint8Array(SIZE * SIZE))

      // Two strokes in one: the disks of both slices.
      const disks = new Uint8Array([...first.labels, ...second.labels])
      await resident.patch({ caseId: 'a', revision: 2, box: wholeBox(DIMS), runs: deltaRuns(empty, disks) })
      // For no time it takes the lessons and learns nothing yet.
      const taken = await live.run({ ...order, milliseconds: 0 }, never())
      expect(taken.steps).toBe(0)
      expect(taken.shown).toEqual(before.shown)
      const after = await until(live, 0.96, { ...order, lessons: null }, unseen.labels)
      expect(after.shown?.index).toBe(7)
      expect(after.shown?.entropy).toHaveLength(SIZE * SIZE)
      // Sure of most, and at the disk's edge less.
      expect(Math.max(...(after.shown?.entropy ?? []))).toBeGreaterThan(60)

      const outDir = path.join(dir, 'saved')
      const card = await live.save({ modelId: 'm', outDir, ...savedAs })
      expect(card).toMatchObject({ id: 'm', parentId: null, recipe: 'live', labels: DISK_LABELS })
      expect(card.data).toMatchObject({ samples: 2, corrected: 2, replay: 0 })
      expect(card.training?.steps).toBeGreaterThan(before.steps + after.steps - 1)
      const loaded = await loadModel(outDir)
      const [predicted] = await predictSlices(loaded, [show], { entropy: true })
      expect(predicted?.labels).toEqual(after.shown?.labels)
      loaded.network.dispose()

      // The training goes on.
      expect((await train(live, null, 1)).steps).toBeGreaterThan(0)
      await live.close('m')
    },
    2 * MINUTES,
  )

  it(
    'says of all that it learned from, not only of the last lessons',
    async () => {
      const { live } = open()
      await begin(live)
      const [first, second, third] = [diskSample(1), diskSample(2), diskSample(3)]
      await train(live, [first, second], 1)
      await train(live, [third], 0)
      await train(live, [{ ...second, role: 'replay' }], 1)
      const card = await live.save({ modelId: 'm', outDir: path.join(dir, 'union'), ...savedAs })
      // The third one was replaced before a step saw it.
      expect(card.data).toEqual(await learnedData([first, second]))
      await live.close('m')
    },
    MINUTES,
  )

  it(
    'goes on from a parent and leaves it as it was',
    async () => {
      const { live } = open()
      const parentDir = path.join(dir, 'parent')
      const unseen = diskSample(4)
      await begin(live)
      await train(live, [diskSample(1), diskSample(2)], 3000)
      await live.save({ modelId: 'm', outDir: parentDir, ...savedAs })
      const files = await readdir(parentDir)

      await begin(live, 'm', { parentDir })
      const { shown } = await train(live, [diskSample(5)], 1, unseen)
      // After one step it still knows what the parent knew.
      expect(equalShare(shown?.labels, unseen.labels)).toBeGreaterThan(0.93)
      const card = await live.save({ modelId: 'm', outDir: path.join(dir, 'child'), ...savedAs, parentId: 'p' })
      expect(card.parentId).toBe('p')
      expect(await readdir(parentDir)).toEqual(files)
      const parent = await loadModel(parentDir)
      expect(parent.card.training?.steps).toBeGreaterThan(card.training?.steps ?? Infinity)
      parent.network.dispose()
      await live.close('m')
    },
    2 * MINUTES,
  )
})

describe('a training from the model of a recipe', () => {
  it(
    'learns, shows and saves as the card of its parent says',
    async () => {
      const { live } = open()
      const parentDir = path.join(dir, 'recipe')
      await saveRecipeModel(parentDir)
      await begin(live, 'm', { parentDir, continuing: { learningRate: 1e-2 } })
      const unseen = coloured(diskSample(6))
      let share = 0
      let samples: TrainingSample[] | null = [coloured(diskSample(1)), coloured(diskSample(2))]
      for (let runs = 0; runs < 100 && share < 0.95; runs++) {
        const { shown } = await train(live, samples, 300, unseen)
        expect(shown?.entropy).toHaveLength(SIZE * SIZE)
        share = equalShare(shown?.labels, unseen.labels)
        samples = null
      }
      expect(share).toBeGreaterThanOrEqual(0.95)
      const card = await live.save({ modelId: 'm', outDir: path.join(dir, 'recipe-child'), ...savedAs, parentId: 'p' })
      const parent = await loadModel(parentDir)
      expect(card).toMatchObject({ format: 4, input: parent.card.input, handling: parent.card.handling })
      parent.network.dispose()
      await live.close('m')
    },
    2 * MINUTES,
  )
})

describe('a run', () => {
  it(
    'ends soon after it is cancelled, tells what it did, and what was learned stays',
    async () => {
      const { live } = open()
      await begin(live)
      const samples = [diskSample(1), diskSample(2)]
      const start = (await train(live, samples, 1)).loss ?? NaN
      const pen = new AbortController()
      const lessons = { samples, kept: [] }
      const running = live.run({ modelId: 'm', lessons, milliseconds: 60_000, show: diskSample(3) }, pen)
      setTimeout(() => {
        pen.abort()
      }, 1500)
      const from = performance.now()
      const done = await running
      expect(performance.now() - from).toBeLessThan(10_000)
      expect(done.steps).toBeGreaterThan(1)
      // Who draws waits for no prediction.
      expect(done.shown).toBeNull()
      const again = await train(live, null, 1)
      expect(again.loss).toBeLessThan(start)
      await live.close('m')
    },
    MINUTES,
  )

  it(
    'that was cancelled before it began does nothing, and its lessons are those of the next',
    async () => {
      const { live } = open()
      await begin(live)
      const lessons = { samples: [diskSample(1)], kept: [] }
      const order = { modelId: 'm', lessons, milliseconds: 50, show: null }
      await expect(live.run(order, { signal: AbortSignal.abort() })).resolves.toEqual({
        ...{ steps: 0, loss: null, dice: null, shown: null },
      })
      expect((await train(live, null, 1)).steps).toBeGreaterThan(0)
      await live.close('m')
    },
    MINUTES,
  )

  it(
    'with lessons that are not there, or teach nothing, is refused and spoils nothing',
    async () => {
      const { live } = open()
      await begin(live)
      await expect(train(live, null, 50)).rejects.toMatchObject({ code: 'nothing-to-train' })
      const missing = { samples: [], kept: [kept(0)] }
      const order = { modelId: 'm', lessons: missing, milliseconds: 50, show: null }
      await expect(live.run(order, never())).rejects.toMatchObject({ code: 'not-resident', detail: 'a' })
      const foreign = { ...diskSample(1), labels: new Uint8Array(SIZE * SIZE).fill(9) }
      await expect(train(live, [foreign], 50)).rejects.toMatchObject({ code: 'nothing-to-train' })
      await expect(train(live, null, 50)).rejects.toMatchObject({ code: 'nothing-to-train' })
      expect((await train(live, [diskSample(1)], 1)).steps).toBeGreaterThan(0)
      await expect(train(live, [foreign], 50)).rejects.toMatchObject({ code: 'nothing-to-train' })
      expect((await train(live, null, 1)).steps).toBeGreaterThan(0)
      await live.close('m')
    },
    MINUTES,
  )

  it(
    'whose loss is no longer a number closes the training, and leaves no tensor',
    async () => {
      const { live } = open()
      const tensors = tf.memory().numTensors
      await begin(live, 'm', { continuing: { learningRate: 1e38 } })
      expect(live.isOpen()).toBe(true)
      await expect(train(live, [diskSample(1)], 30_000)).rejects.toMatchObject({ code: 'compute-failed' })
      expect(live.isOpen()).toBe(false)
      expect(tf.memory().numTensors).toBe(tensors)
      await expect(train(live, null, 50)).rejects.toMatchObject({ code: 'not-resident', detail: 'm' })
    },
    MINUTES,
  )
})

describe('the open training', () => {
  it(
    'is one: the next replaces it, ending the run that is under way',
    async () => {
      const { live } = open()
      const tensors = tf.memory().numTensors
      await begin(live)
      await train(live, [diskSample(1)], 1)
      const running = train(live, null, 60_000)
      const waiting = train(live, null, 60_000)
      await new Promise((resolve) => setTimeout(resolve, 500))
      await begin(live, 'other')
      expect((await running).steps).toBeGreaterThan(0)
      await expect(waiting).resolves.toMatchObject({ steps: 0 })
      await expect(train(live, null, 50)).rejects.toMatchObject({ code: 'not-resident' })
      // Of another training, and so nothing to close.
      await live.close('m')
      expect(live.isOpen()).toBe(true)
      await live.close('other')
      expect(live.isOpen()).toBe(false)
      expect(tf.memory().numTensors).toBe(tensors)
    },
    MINUTES,
  )

  it(
    'survives that it cannot be saved, and there is nothing to save before its first lessons',
    async () => {
      const { live } = open()
      await begin(live)
      const outDir = path.join(dir, 'taken')
      await expect(live.save({ modelId: 'm', outDir, ...savedAs })).rejects.toMatchObject({ code: 'nothing-to-train' })
      await train(live, [diskSample(1)], 1)
      await live.save({ modelId: 'm', outDir, ...savedAs })
      await expect(live.save({ modelId: 'm', outDir, ...savedAs })).rejects.toMatchObject({ code: 'not-saved' })
      expect((await train(live, null, 1)).steps).toBeGreaterThan(0)
      await live.close('m')
      await expect(live.save({ modelId: 'm', outDir, ...savedAs })).rejects.toMatchObject({ code: 'not-resident' })
    },
    MINUTES,
  )

  it('is not begun from a folder that is no model', async () => {
    const { live } = open()
    await expect(begin(live, 'm', { parentDir: path.join(dir, 'none') })).rejects.toMatchObject({ code: 'bad-file' })
    expect(live.isOpen()).toBe(false)
  })
})
