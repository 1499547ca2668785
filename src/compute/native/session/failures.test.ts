import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { forwardPass } from '../../inference/forwardPass.ts'
import { buildUNet } from '../../models/unet.ts'
import { isDeviceLost, isOutOfMemory } from '../../runtime/failures.ts'
import { isVariable } from '../../runtime/tensors.ts'
import { createAdam } from '../../training/adam.ts'
import { trainingRoom } from '../../training/room.ts'
import { trainingStep } from '../../training/step.ts'
import { startNative } from '../start.ts'
import { sessionFailure } from './failures.ts'
import type { NativeBackend } from '../backend.ts'
import type { Engine } from '../engine.ts'

/** As ONNX Runtime 1.30 and its providers say it. */
const OUT_OF_MEMORY = [
  "Non-zero status code returned while running Conv node. Name:'n0' Status Message: bfc_arena.cc:360 void* " +
    'onnxruntime::BFCArena::AllocateRawInternal(size_t) Failed to allocate memory for requested buffer of size 2621440000',
  'std::bad_alloc',
  'bad allocation',
  'WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid due to a previous error.',
  'Tile output tensor would require more than 4294967296 bytes, which exceeds the supported maximum of 4294967296 bytes.',
  'CUDA failure 2: out of memory ; GPU=0',
  'CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0',
  'MLOperatorAuthorImpl.cpp(2557) Exception(1) 8007000E Not enough memory resources are available',
]
const OTHERS = [
  "Non-zero status code returned while running Reshape node. Name:'n0' Status Message: The input tensor cannot be reshaped",
  'CUDA failure 700: an illegal memory access was encountered ; GPU=0',
  '887A0005 The GPU device instance has been suspended. Use GetDeviceRemovedReason to determine the appropriate action.',
  'WebGPU device lost (2): A valid external Instance reference no longer exists.',
]

describe('what ONNX Runtime throws', () => {
  it.each(OUT_OF_MEMORY)('is memory that ran out: %s', (message) => {
    const failure = sessionFailure(new Error(message), 'cpu')
    expect({ outOfMemory: isOutOfMemory(failure), lost: isDeviceLost(failure) }).toEqual({
      outOfMemory: true,
      lost: false,
    })
  })

  it.each(OTHERS)('is a rung that cannot go on: %s', (message) => {
    const failure = sessionFailure(new Error(message), 'cpu')
    expect({ outOfMemory: isOutOfMemory(failure), lost: isDeviceLost(failure) }).toEqual({
      outOfMemory: false,
      lost: true,
    })
    expect(failure).toMatchObject({ code: 'backend-lost', detail: expect.stringContaining(message) as unknown })
  })
})

describe('a session that fails in the middle', () => {
  const SIZE = 8
  let backend: NativeBackend

  beforeAll(async () => {
    backend = await startNative({ provider: 'cpu', threads: 1, packagesDir: null, stateDir: null })
  })

  afterEach(() => {
    vi.restoreAllMocks()
  })

  /** Runs whose first input has more elements than `most` fail with this message. */
  function failAbove(most: number, message: string): void {
    const compile: Engine['compile'] = backend.engine.compile.bind(backend.engine)
    vi.spyOn(backend.engine, 'compile').mockImplementation(async (graph, options) => {
      const compiled = await compile(graph, options)
      return {
        async run(inputs) {
          const results = await compiled.run(inputs)
          if ((inputs[0]?.elements?.length ?? 0) <= most) return results
          throw sessionFailure(new Error(message), 'cpu')
        },
      }
    })
  }

  function setup() {
    const network = buildUNet({ levels: 1, base: 4, classes: 2, seed: 1, normalization: 'none', upsampling: 'nearest' })
    const variables = network.trainableWeights.map((weight) => weight.read()).filter(isVariable)
    const optimizer = createAdam(variables)
    const step = (count: number) => {
      const images = Float32Array.from({ length: count * SIZE ** 2 }, (_, i) => Math.sin(i) ** 2)
      const classes = Uint8Array.from(images, (value) => Math.round(value))
      return trainingStep(network, variables, optimizer, { images, classes }, SIZE, 1e-2)
    }
    const dispose = () => {
      optimizer.dispose()
      network.dispose()
    }
    return { network, optimizer, step, dispose }
  }

  it('trains on fewer patches where memory runs out, and has changed nothing before', async () => {
    failAbove(2 * SIZE ** 2, OUT_OF_MEMORY[0] ?? '')
    const { network, optimizer, step, dispose } = setup()
    const before = await optimizer.snapshot()
    const tensors = tf.memory().numTensors
    await expect(step(4)).rejects.toMatchObject({ name: 'OutOfMemoryError' })
    expect(tf.memory().numTensors).toBe(tensors)
    expect(await optimizer.snapshot()).toEqual(before)
    const messages: string[] = []
    const room = await trainingRoom(network, 2, { count: 8, size: SIZE }, (message) => messages.push(message))
    const loss = await room.run(
      () => step(room.size.count),
      () => undefined,
    )
    expect(room.size).toEqual({ count: 2, size: SIZE })
    expect(messages.at(-1)).toContain('2 patches')
    expect(loss).toBeGreaterThan(0)
    expect(await optimizer.snapshot()).not.toEqual(before)
    dispose()
  })

  it('gives up for the next rung where the provider is gone', async () => {
    failAbove(0, OTHERS[3] ?? '')
    const { network, optimizer, step, dispose } = setup()
    const before = await optimizer.snapshot()
    await expect(step(2)).rejects.toMatchObject({ code: 'backend-lost' })
    const pass = forwardPass(network, new Float32Array(SIZE ** 2), [1, SIZE, SIZE, 1], () => Promise.resolve())
    await expect(pass).rejects.toMatchObject({ code: 'backend-lost' })
    expect(await optimizer.snapshot()).toEqual(before)
    dispose()
  })
})
