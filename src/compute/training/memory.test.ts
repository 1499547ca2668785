import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CodedError } from '../../core/contract/errors.ts'
import { createRandom } from '../data/random.ts'
import { predictSlices } from '../inference/predict.ts'
import { registerJsKernels } from '../kernels/index.ts'
import { memoryOf } from '../kernels/simd/index.ts'
import { createModelCache } from '../models/cache.ts'
import { modelCard } from '../models/card.ts'
import { saveModel } from '../models/files.ts'
import { buildUNet } from '../models/unet.ts'
import { isVariable } from '../runtime/tensors.ts'
import { startWasm } from '../runtime/wasm.ts'
import { createAdam } from './adam.ts'
import { openTraining } from './session.ts'
import { trainingStep } from './step.ts'
import { DISK_LABELS, diskSample } from './testing/samples.ts'
import { trainModel } from './train.ts'
import type { TrainOptions } from './train.ts'

const MINUTES = 60_000

interface Held {
  readonly tensors: number
  readonly buffers: number
  readonly bytes: number
  /** TensorFlow.js keeps variables by name. */
  readonly variables: number
  /** Bytes of the WebAssembly memory, which never shrinks; 0 elsewhere. */
  readonly heap: number
}

function held(): Held {
  const { numTensors, numDataBuffers, numBytes } = tf.memory()
  const backend = tf.backend()
  return {
    tensors: numTensors,
    buffers: numDataBuffers,
    bytes: numBytes,
    variables: Object.keys(tf.engine().registeredVariables).length,
    heap: backend instanceof BackendWasm ? memoryOf(backend.wasm).buffer.byteLength : 0,
  }
}

const networks = [
  ['plain', { normalization: 'none', upsampling: 'nearest' }],
  ['instance normalization', { normalization: 'instance', upsampling: 'nearest' }],
  ['group normalization, transposed', { normalization: 'group', upsampling: 'transposed' }],
  ['batch normalization', { normalization: 'batch', upsampling: 'nearest' }],
] as const

describe.each([
  { backend: 'wasm', steps: 1000, rounds: 100 },
  { backend: 'cpu', steps: 25, rounds: 6 },
])('memory on $backend', ({ backend, steps, rounds }) => {
  let dir = ''

  beforeAll(async () => {
    dir = await mkdtemp(path.join(os.tmpdir(), 'maskwright-memory-'))
    if (backend === 'wasm') await startWasm(1)
    await tf.setBackend(backend)
    if (backend === 'cpu') registerJsKernels()
  }, MINUTES)

  afterAll(async () => {
    await rm(dir, { recursive: true, force: true })
  })

  it.each(networks)(
    `is flat over ${steps} training steps: %s`,
    async (_, kind) => {
      const before = held()
      const size = 8
      const network = buildUNet({ levels: 1, base: 4, classes: 3, seed: 1, ...kind })
      const variables = network.trainableWeights.map((weight) => weight.read()).filter(isVariable)
      const optimizer = createAdam(variables)
      const random = createRandom(1)
      const pixels = 2 * size * size
      let early: Held | null = null
      for (let step = 1; step <= steps; step++) {
        const images = Float32Array.from({ length: pixels }, random)
        const classes = Uint8Array.from(images, (value) => Math.min(2, Math.floor(3 * value)))
        await trainingStep(network, variables, optimizer, { images, classes }, size, 1e-4)
        if (step === 10) early = held()
        if (step % 25 === 0) expect(held()).toEqual(early)
      }
      optimizer.dispose()
      network.dispose()
      expect({ ...held(), heap: 0 }).toEqual({ ...before, heap: 0 })
    },
    2 * MINUTES,
  )

  it(
    `is flat over ${steps / 5} steps between strokes, whose slices change`,
    async () => {
      const before = held()
      const options = { parent: null, architecture: { levels: 1, base: 4 }, labels: DISK_LABELS, seed: 2, backend }
      const session = await openTraining({ ...options, batch: 1, patch: 16, longStep: Infinity })
      let early: Held | null = null
      for (let step = 0; step < steps / 5; step++) {
        const taught = step % 7 === 0 ? [diskSample(1, 'corrected', 32), diskSample(step, 'replay', 32)] : null
        expect((await session.run(taught, 0.001)).steps).toBe(1)
        if (step % 5 === 0) await session.use(() => Promise.resolve())
        if (step === 10) early = held()
        if (step > 10) expect(held().tensors).toBe(early?.tensors)
      }
      session.dispose()
      expect({ ...held(), heap: 0 }).toEqual({ ...before, heap: 0 })
    },
    2 * MINUTES,
  )

  it('is as before once a training was cancelled, or failed', async () => {
    const before = { ...held(), heap: 0 }
    const options = { architecture: { levels: 1, base: 4 }, labels: DISK_LABELS, samples: [diskSample(1)], backend }
    const train = (change: Partial<TrainOptions>) =>
      trainModel({ ...options, parent: null, batch: 1, patch: 16, seed: 1, steps: 9, seconds: 1e6, ...change })
    const ending = new AbortController()
    const onProgress: TrainOptions['onProgress'] = ({ step }) => {
      if (step === 3) ending.abort()
    }
    await expect(train({ signal: ending.signal, onProgress })).rejects.toMatchObject({ code: 'cancelled' })
    expect({ ...held(), heap: 0 }).toEqual(before)
    for (const change of [{ continuing: { learningRate: 1e40 } }, { samples: [] }]) {
      await expect(train(change)).rejects.toBeInstanceOf(CodedError)
      expect({ ...held(), heap: 0 }).toEqual(before)
    }
    const session = await openTraining({ ...options, parent: null, seed: 1, continuing: { learningRate: 1e40 } })
    const run = async () => {
      for (let k = 0; k < 5; k++) await session.run([diskSample(1)], 20)
    }
    await expect(run()).rejects.toMatchObject({ code: 'compute-failed' })
    session.dispose()
    expect({ ...held(), heap: 0 }).toEqual(before)
  })

  it(
    `is flat over ${rounds} rounds of loading, training, predicting and disposing`,
    async () => {
      const options = { labels: DISK_LABELS, samples: [diskSample(1, 'corrected', 32)], backend, batch: 1, patch: 16 }
      const folders = await Promise.all(
        ['a', 'b', 'c'].map(async (id, seed) => {
          const architecture = { levels: 1, base: 4 }
          const trained = await trainModel({ ...options, parent: null, architecture, steps: 1, seconds: 1e6, seed })
          const card = modelCard({ id, parentId: null, name: id, createdAt: 'now', labels: DISK_LABELS }, trained)
          const folder = path.join(dir, id)
          await saveModel(folder, trained.network, card)
          trained.network.dispose()
          return folder
        }),
      )
      // Keeps two, so that taking three in turn loads each anew.
      const cache = createModelCache()
      let early: Held | null = null
      for (let round = 0; round < rounds; round++) {
        const folder = folders[round % folders.length] ?? ''
        await cache.with(folder, async (parent) => {
          const trained = await trainModel({ ...options, parent, steps: 1, seconds: 1e6, seed: round })
          trained.network.dispose()
          await predictSlices(parent, options.samples)
        })
        if (round === 3) early = held()
        if (round > 3) expect(held()).toEqual(early)
      }
      expect(early).not.toBeNull()
    },
    2 * MINUTES,
  )
})
