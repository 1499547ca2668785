import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { passInTraining } from '../inference/forwardPass.ts'
import { predictSlices } from '../inference/predict.ts'
import { modelCard } from '../models/card.ts'
import { startForTests } from '../native/testing/compare.ts'
import { startWasm } from '../runtime/wasm.ts'
import { sessionRateAt } from './schedule.ts'
import { openTraining } from './session.ts'
import { DISK_LABELS, diskSample } from './testing/samples.ts'
import { trainModel } from './train.ts'
import type { TrainingSample } from '../../core/contract/compute.ts'
import type { LoadedModel } from '../models/files.ts'
import type { SessionOptions, TrainingSession } from './session.ts'

const MINUTES = 60_000
const SMALL = { levels: 2, base: 4 }

function optionsFor(backend: string, change: Partial<SessionOptions> = {}): SessionOptions {
  return {
    ...{ parent: null, architecture: SMALL, labels: DISK_LABELS, seed: 5, backend, batch: 2, patch: 40 },
    // Whatever else the machine does.
    longStep: Infinity,
    ...change,
  }
}

/** Runs of a step each: each ends with the first step after 0.001 ms. */
async function steps(session: TrainingSession, count: number, samples: readonly TrainingSample[] | null) {
  const losses: number[] = []
  for (let k = 0; k < count; k++) {
    const { steps: done, loss } = await session.run(k === 0 ? samples : null, 0.001)
    expect(done).toBe(1)
    losses.push(loss ?? NaN)
  }
  return losses
}

/** Dice of the disk on a slice as it is predicted now. */
async function diceOn(session: TrainingSession, sample: TrainingSample, labels = DISK_LABELS): Promise<number> {
  const identity = { id: 's', parentId: null, name: 'S', createdAt: 'now', labels }
  return await session.use(async (trained) => {
    const card = modelCard(identity, trained)
    const [given] = await predictSlices({ network: trained.network, card }, [sample], { pass: passInTraining })
    const count = (label: (i: number) => boolean) => sample.labels.reduce((n, _, i) => n + (label(i) ? 1 : 0), 0)
    const [a, b] = [(i: number) => sample.labels[i] === 2, (i: number) => given?.labels[i] === 2]
    return (2 * count((i) => a(i) && b(i))) / (count(a) + count(b))
  })
}

async function weightsOf(session: TrainingSession): Promise<Float32Array[]> {
  return await session.use(({ network }) =>
    Promise.all(network.getWeights().map(async (weight) => Float32Array.from(await weight.data()))),
  )
}

describe.each(['wasm', 'native'])('a training in many runs on %s', (backend) => {
  beforeAll(async () => {
    if (backend === 'wasm') await startWasm(1)
    else await startForTests()
    await tf.setBackend(backend)
  }, MINUTES)

  it(
    'learns from nothing, goes on where it was, takes new slices, and leaves nothing behind',
    async () => {
      const before = tf.memory().numTensors
      const session = await openTraining(optionsFor(backend))
      await steps(session, 45, [diskSample(1)])
      const unseen = diskSample(7)
      expect(await diceOn(session, diskSample(1))).toBeGreaterThan(0.85)
      await steps(session, 45, [diskSample(1), diskSample(2), diskSample(3)])
      expect(await diceOn(session, unseen)).toBeGreaterThan(0.85)
      await session.use(({ training, batch, patch }) => {
        expect(training).toMatchObject({ slices: 3, steps: 90, backend, boundBy: 'seconds', seed: 5 })
        expect(training.diceAfter).toBeGreaterThan(training.diceBefore)
        expect(training.lossAfter).toBeLessThan(training.lossBefore)
        expect(training.curve.map(({ step }) => step)).toEqual(Array.from({ length: 91 }, (_, i) => i))
        expect([batch, patch]).toEqual([2, 40])
        return Promise.resolve()
      })
      session.dispose()
      expect(tf.memory().numTensors).toBe(before)
    },
    2 * MINUTES,
  )

  it(
    'is the same training however it is cut into runs',
    async () => {
      const [cut, whole] = [await openTraining(optionsFor(backend)), await openTraining(optionsFor(backend))]
      const samples = [diskSample(1), diskSample(2, 'replay')]
      const losses = await steps(cut, 12, samples)
      let done = 0
      while (done < 12) done += (await whole.run(done === 0 ? samples : null, 20)).steps
      const more = await steps(cut, done - 12, null)
      await whole.use(({ training }) => {
        expect(training.curve.slice(1).map(({ loss }) => loss)).toEqual([...losses, ...more])
        return Promise.resolve()
      })
      expect(await weightsOf(whole)).toEqual(await weightsOf(cut))
      for (const each of [cut, whole]) each.dispose()
    },
    MINUTES,
  )

  it('stops within a step, and keeps what was learned', async () => {
    const session = await openTraining(optionsFor(backend))
    await steps(session, 2, [diskSample(1)])
    const learned = await weightsOf(session)
    const ending = new AbortController()
    ending.abort()
    expect(await session.run(null, 10_000, ending.signal)).toEqual({ steps: 0, loss: null, dice: null })
    expect(await weightsOf(session)).toEqual(learned)
    const later = new AbortController()
    setTimeout(() => {
      later.abort()
    }, 50)
    const { steps: done, loss } = await session.run(null, 1e6, later.signal)
    expect(done).toBeGreaterThan(0)
    expect(loss).toBeGreaterThan(0)
    expect(await weightsOf(session)).not.toEqual(learned)
    // Before the first step it measures, which ends with the signal too.
    const fresh = await openTraining(optionsFor(backend))
    const soon = new AbortController()
    const run = fresh.run([diskSample(1)], 1e6, soon.signal)
    soon.abort()
    expect(await run).toEqual({ steps: 0, loss: null, dice: null })
    await steps(fresh, 1, null)
    for (const each of [session, fresh]) each.dispose()
  })

  it('learns also where every hand cuts the first measurement off, which comes later', async () => {
    const session = await openTraining(optionsFor(backend))
    const samples = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => diskSample(seed, 'corrected', 160))
    await session.run(samples, 0)
    const pen = new AbortController()
    const run = session.run(null, 1e6, pen.signal)
    setImmediate(() => {
      pen.abort()
    })
    expect(await run).toEqual({ steps: 0, loss: null, dice: null })
    const facts = () => session.use(({ training }) => Promise.resolve(training))
    // The next one does not measure first.
    await steps(session, 1, null)
    expect(await facts()).toMatchObject({ steps: 1, lossBefore: 0, curve: [{ step: 1 }] })
    // Some hundreds, as many as the slices are large.
    let dice: number | null = null
    for (let runs = 0; runs < 400 && dice === null; runs++) ({ dice } = await session.run(null, 0.001))
    expect(dice).not.toBeNull()
    expect(await facts()).toMatchObject({ diceBefore: dice, diceAfter: dice })
    session.dispose()
  })

  it('makes the network that a training at one go makes, by the first slices that teach', async () => {
    const before = tf.memory().numTensors
    const { architecture: _, ...options } = optionsFor(backend)
    const session = await openTraining(options)
    const nothing = { ...diskSample(2, 'corrected', 64), trusted: new Uint8Array(64 * 64) }
    await expect(session.run([nothing], 1)).rejects.toMatchObject({ code: 'nothing-to-train' })
    expect(tf.memory().numTensors).toBe(before)
    const samples = [diskSample(1)]
    await session.run(samples, 0)
    const whole = await trainModel({ ...options, samples, steps: 1, seconds: 100 })
    expect(whole.architecture).toMatchObject({ levels: 2, base: 16 })
    await session.use((trained) => {
      expect(trained.architecture).toEqual(whole.architecture)
      return Promise.resolve()
    })
    whole.network.dispose()
    session.dispose()
    expect(tf.memory().numTensors).toBe(before)
  })

  it('sees fewer patches a step where steps take long', async () => {
    const told: string[] = []
    const notify = (message: string) => told.push(message)
    const session = await openTraining(optionsFor(backend, { batch: 4, longStep: 0, notify }))
    const batch = () => session.use((trained) => Promise.resolve(trained.batch))
    await steps(session, 2, [diskSample(1)])
    expect(await batch()).toBe(4)
    await steps(session, 1, [diskSample(2)])
    expect(await batch()).toBe(2)
    await steps(session, 9, null)
    expect(await batch()).toBe(1)
    expect(told).toEqual([])
    session.dispose()
  })

  it('takes slices without a step, and refuses those that teach nothing, after which it goes on', async () => {
    const session = await openTraining(optionsFor(backend))
    await expect(session.run(null, 1)).rejects.toMatchObject({ code: 'nothing-to-train' })
    await expect(session.use(() => Promise.resolve())).rejects.toMatchObject({ code: 'nothing-to-train' })
    expect(await session.run([diskSample(1)], 0)).toEqual({ steps: 0, loss: null, dice: null })
    await steps(session, 1, null)
    const nothing = { ...diskSample(2), trusted: new Uint8Array(1600) }
    await expect(session.run([nothing], 1)).rejects.toMatchObject({ code: 'nothing-to-train' })
    await expect(session.run([{ ...diskSample(2), labels: new Uint8Array(3) }], 1)).rejects.toMatchObject({
      code: 'bad-request',
    })
    await steps(session, 2, null)
    session.dispose()
  })

  it('says that the loss is no longer a number', async () => {
    const architecture = { ...SMALL, normalization: 'none' } as const
    const session = await openTraining(optionsFor(backend, { architecture, continuing: { learningRate: 1e30 } }))
    const run = async () => {
      for (let k = 0; k < 5; k++) await session.run([diskSample(1)], 50)
    }
    await expect(run()).rejects.toMatchObject({ code: 'compute-failed' })
    session.dispose()
  })

  it('gives no weights that are no numbers, though the loss of the last step was one', async () => {
    const session = await openTraining(optionsFor(backend, { continuing: { learningRate: 1e40 } }))
    expect(await session.run([diskSample(1)], 0.001)).toMatchObject({ steps: 1, loss: expect.any(Number) as number })
    await expect(session.use(() => Promise.resolve('used'))).rejects.toMatchObject({ code: 'compute-failed' })
    session.dispose()
    const { batch = 1, patch = 40, ...options } = optionsFor(backend, { continuing: { learningRate: 1e40 } })
    const whole = trainModel({ ...options, batch, patch, samples: [diskSample(1)], steps: 1, seconds: 100 })
    await expect(whole).rejects.toMatchObject({ code: 'compute-failed' })
  })

  it(
    'goes on from a parent, which stays as it was, and grows a label',
    async () => {
      const first = await openTraining(optionsFor(backend))
      await steps(first, 60, [diskSample(1), diskSample(2)])
      await first.use(async (trained) => {
        const identity = { id: 'p', parentId: null, name: 'P', createdAt: 'now', labels: DISK_LABELS }
        const parent: LoadedModel = { network: trained.network, card: modelCard(identity, trained) }
        const had = await weightsOf(first)
        const both = [...DISK_LABELS, { value: 5, name: 'Dark' }]
        const session = await openTraining(optionsFor(backend, { parent, labels: both }))
        const unseen = diskSample(9)
        expect(await session.run([diskSample(3)], 0)).toMatchObject({ steps: 0 })
        expect(await diceOn(session, unseen, both)).toBe(await diceOn(first, unseen))
        await steps(session, 5, null)
        session.dispose()
        expect(await weightsOf(first)).toEqual(had)
      })
      first.dispose()
    },
    MINUTES,
  )
})

describe('the learning rate of a training without an end', () => {
  it('rises at the beginning, falls while slices stay, and is back at its peak when they change', () => {
    expect(sessionRateAt(1, 0, 0)).toBeCloseTo(0.2)
    expect(sessionRateAt(1, 0, 4)).toBe(1)
    expect(sessionRateAt(1, 200, 200)).toBe(0.5)
    expect(sessionRateAt(1, 100_000, 100_000)).toBe(0.1)
    expect(sessionRateAt(1, 0, 100_000)).toBe(1)
  })
})
