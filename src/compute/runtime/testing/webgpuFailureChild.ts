/** Makes something go wrong with webgpu, by the name given, and sends what came of it. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import path from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu'
import { predictSlices } from '../../inference/predict.ts'
import { loadModel } from '../../models/files.ts'
import { buildUNet } from '../../models/unet.ts'
import { trainModel } from '../../training/train.ts'
import { memoryReturned, releaseIdle } from '../deviceMemory.ts'
import { isDeviceLost, isOutOfMemory } from '../failures.ts'
import { onDeviceLost, startWebgpu } from '../webgpu.ts'
import type { TrainingSample } from '../../../core/contract/compute.ts'

const MEGABYTE = 2 ** 20
const SIZE = 24
const DEMO = path.resolve(import.meta.dirname, '../../../../resources/models/demo')
const labels = [{ value: 1, name: 'Square' }]

interface Outcome {
  readonly message: string | null
  readonly lost?: boolean
  readonly memory?: boolean
  readonly code?: unknown
  readonly remedy?: unknown
  readonly detail?: unknown
  readonly name?: string
}

const cases: Record<string, () => Promise<unknown>> = {
  /** The driver or package named in the environment is not there. */
  start: async () => await outcome(startWebgpu(process.env.TEST_PACKAGES ?? null)),

  'no-package': async () => {
    registerHooks({
      resolve(specifier, context, next) {
        if (specifier.startsWith('webgpu')) throw new Error('hidden')
        return next(specifier, context)
      },
    })
    return await outcome(startWebgpu())
  },

  /** The device goes away while a step is computed. */
  'lost-in-training': async () => {
    await startWebgpu()
    const told: string[] = []
    onDeviceLost((reason) => told.push(reason))
    const training = train(({ step }) => {
      // Behind the next step's first operations.
      if (step === 2) setImmediate(() => device().destroy())
    })
    const first = await outcome(training)
    return { first, again: await outcome(train()), told: told.length }
  },

  'lost-in-prediction': async () => {
    await startWebgpu()
    const demo = await loadModel(DEMO)
    const kind = { levels: 1, base: 4, normalization: 'none', upsampling: 'nearest' } as const
    const network = buildUNet({ ...kind, classes: 2, seed: 1 })
    const card = { ...demo.card, labels, architecture: { ...demo.card.architecture, step: 2 } }
    const slices = [1, 2, 3, 4, 5, 6].map((seed) => ({ ...sample(seed), index: seed }))
    const whole = await predictSlices({ network, card }, slices)
    const predicting = predictSlices({ network, card }, slices)
    device().destroy()
    return {
      before: whole.length,
      first: await outcome(predicting),
      again: await outcome(predictSlices({ network, card }, slices)),
    }
  },

  /** Larger than the adapter takes: nothing may be allocated or run. */
  'too-large': async () => {
    await startWebgpu()
    const { limits } = device()
    let asked = 0
    const { createBuffer } = device()
    Object.assign(device(), {
      createBuffer: (descriptor: GPUBufferDescriptor) => {
        if (descriptor.size > limits.maxStorageBufferBindingSize) asked++
        return createBuffer.call(device(), descriptor)
      },
    })
    const thrown = await outcome(Promise.resolve().then(() => tf.fill([limits.maxStorageBufferBindingSize / 4 + 4], 1)))
    return { thrown, asked, sum: await sumOf(tf.ones([100, 100])) }
  },

  /** The device's memory ends for real, for a while: this process gets no more than 480 MB on top of what it has. */
  'out-of-memory': async () => {
    await startWebgpu()
    // SwiftShader's own threads take their memory with the first large work.
    const before = await sumOf(tf.tidy(() => lastOf(tf.fill([22, MEGABYTE], 1))))
    releaseIdle()
    await memoryReturned()
    const { numTensors } = tf.memory()
    const status = readFileSync('/proc/self/status', 'utf8')
    const held = 1024 * Number(/VmSize:\s+(\d+)/.exec(status)?.[1])
    const limit = (soft: string) => execFileSync('prlimit', ['--pid', String(process.pid), `--as=${soft}:unlimited`])
    limit(String(held + 480 * MEGABYTE))
    const tensors: tf.Tensor[] = []
    const allocate = () => {
      while (tensors.length < 8) tensors.push(tf.fill([25, MEGABYTE], 1))
    }
    const thrown = await outcome(Promise.resolve().then(allocate))
    limit('unlimited')
    const sum = await sumOf(tf.tidy(() => tf.addN(tensors.map(lastOf))))
    tf.dispose(tensors)
    return {
      before,
      held: tensors.length,
      thrown,
      each: sum / tensors.length,
      left: tf.memory().numTensors - numTensors,
    }
  },

  /** A program that the driver does not take: what it should have computed must not be read. */
  invalid: async () => {
    await startWebgpu()
    const told: string[] = []
    onDeviceLost((reason) => told.push(reason))
    const right = tf.ones([10])
    device().createShaderModule({ code: 'fn broken( {' })
    return { first: await outcome(right.data()), again: await outcome(sumOf(tf.ones([3]))), told: told.length }
  },

  'read-at-once': async () => {
    await startWebgpu()
    tf.env().set('WEBGPU_CPU_FORWARD', false)
    const tensor = tf.add(tf.ones([4]), 1)
    return await outcome(Promise.resolve().then(() => tensor.dataSync()))
  },

  /** The process ends while values are on their way. */
  exit: async () => {
    await startWebgpu()
    const tensor = tf.matMul(tf.ones([300, 300]), tf.ones([300, 300]))
    tensor.data().catch(() => undefined)
    process.exit(7)
  },

  uncaught: async () => {
    await startWebgpu()
    tf.matMul(tf.ones([300, 300]), tf.ones([300, 300]))
      .data()
      .catch(() => undefined)
    setImmediate(() => {
      throw new Error('not ours')
    })
    await new Promise((resolve) => setTimeout(resolve, 10_000))
    return null
  },

  /** Started, given up and started again, as the choice among rungs does. */
  restart: async () => {
    await startWebgpu()
    const first = await sumOf(tf.ones([8]))
    const { lost } = device()
    tf.removeBackend('webgpu')
    const { reason } = await lost
    await startWebgpu()
    return { first, reason, second: await sumOf(tf.ones([9])) }
  },
}

tf.enableProdMode()
const run = cases[process.argv[2] ?? '']
if (run === undefined) throw new Error('There is no such case.')
process.send?.(await run())
process.disconnect()

function device(): GPUDevice {
  const backend = tf.backend()
  if (backend instanceof WebGPUBackend) return backend.device
  throw new Error('The current backend is not webgpu.')
}

async function sumOf(tensor: tf.Tensor): Promise<number> {
  const sum = tf.sum(tensor)
  const [value = NaN] = await sum.data()
  tf.dispose([tensor, sum])
  return value
}

/** The last thousand values of a large tensor of two axes. */
function lastOf(tensor: tf.Tensor): tf.Tensor {
  const [rows = 1, columns = 1] = tensor.shape
  return tf.slice(tensor, [rows - 1, columns - 1000], [1, 1000])
}

async function outcome(work: Promise<unknown>): Promise<Outcome> {
  try {
    await work
    return { message: null }
  } catch (error) {
    if (!(error instanceof Error)) return { message: String(error) }
    const { message, name } = error
    return {
      ...{ name, message, lost: isDeviceLost(error), memory: isOutOfMemory(error) },
      ...('code' in error ? { code: error.code } : {}),
      ...('remedy' in error ? { remedy: error.remedy } : {}),
      ...('detail' in error ? { detail: error.detail } : {}),
    }
  }
}

function sample(seed: number): TrainingSample {
  const mask = Uint8Array.from({ length: SIZE * SIZE }, (_, at) => (at % SIZE > 4 + seed && at > 99 ? 1 : 0))
  return {
    ...{ index: seed, width: SIZE, height: SIZE, channels: 1, voxelType: 'uint8', role: 'corrected' },
    ...{ data: mask.map((value) => 100 * value), labels: mask, slope: 1, inter: 0, low: 0, high: 100 },
  }
}

async function train(onProgress: (progress: { step: number }) => void = () => undefined) {
  return await trainModel({
    ...{
      parent: null,
      architecture: { levels: 1, base: 4, normalization: 'none' as const },
      labels,
      samples: [sample(1), sample(2)],
    },
    ...{ steps: 4, seconds: 300, seed: 1, backend: 'webgpu', batch: 1, onProgress },
  })
}
