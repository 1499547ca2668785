import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildUNet } from '../models/unet.ts'
import { startRuntime } from '../runtime/start.ts'
import { isVariable } from '../runtime/tensors.ts'
import { wasmHeap } from '../runtime/wasmHeap.ts'
import { createAdam } from './adam.ts'
import { trainingStep } from './step.ts'

const SIZE = 32
const COUNT = 2

describe('a training step that runs out of memory', () => {
  beforeAll(async () => {
    await startRuntime({ backend: 'wasm', threads: 1 })
  }, 60_000)

  afterAll(() => {
    wasmHeap()?.limit(Infinity)
  })

  it.each([
    ['none', 'nearest'],
    ['instance', 'transposed'],
    ['batch', 'nearest'],
  ] as const)(
    'leaves nothing behind, wherever it stops: %s, %s',
    async (normalization, upsampling) => {
      const heap = wasmHeap()
      if (heap === null) throw new Error('The wasm backend runs.')
      const network = buildUNet({ levels: 2, base: 8, classes: 3, seed: 1, normalization, upsampling })
      const variables = network.trainableWeights.map((weight) => weight.read()).filter(isVariable)
      const optimizer = createAdam(variables)
      const batch = {
        images: Float32Array.from({ length: COUNT * SIZE ** 2 }, (_, i) => (i % 7) / 7),
        classes: Uint8Array.from({ length: COUNT * SIZE ** 2 }, (_, i) => i % 3),
      }
      const step = () => trainingStep(network, variables, optimizer, batch, SIZE, 1e-3)
      await step()
      const before = { bytes: heap.live(), tensors: tf.memory().numTensors }
      const weights = await optimizer.snapshot()
      heap.takePeak()
      await step()
      const needed = heap.takePeak() - before.bytes
      optimizer.restore(weights)
      for (let share = 0.05; share < 1; share += 0.1) {
        heap.limit(before.bytes + Math.floor(needed * share))
        await expect(step(), `with ${share} of what it needs`).rejects.toThrow('Out of memory')
        heap.limit(Infinity)
        expect({ bytes: heap.live(), tensors: tf.memory().numTensors }).toEqual(before)
      }
      expect(await optimizer.snapshot()).toEqual(weights)
      expect(await step()).toBeGreaterThan(0)
      optimizer.dispose()
      network.dispose()
    },
    60_000,
  )
})
