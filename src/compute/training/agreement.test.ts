import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '../data/random.ts'
import { registerJsKernels } from '../kernels/index.ts'
import { buildUNet } from '../models/unet.ts'
import { isVariable } from '../runtime/tensors.ts'
import { startWasm } from '../runtime/wasm.ts'
import { createAdam } from './adam.ts'
import { trainingStep } from './step.ts'
import type { Normalization, Upsampling } from '../models/unet.ts'

const STEPS = 20
const SIZE = 12
const COUNT = 2

interface Trained {
  readonly losses: number[]
  readonly weights: Record<string, Float32Array>
}

/** Twenty steps on the backend that is named, on noise with brighter and darker pixels to tell apart. */
async function train(
  backend: string,
  kind: { normalization: Normalization; upsampling: Upsampling },
): Promise<Trained> {
  await tf.setBackend(backend)
  const network = buildUNet({ levels: 1, base: 4, classes: 3, seed: 1, ...kind })
  const variables = network.trainableWeights.map((weight) => weight.read()).filter(isVariable)
  const optimizer = createAdam(variables, { decay: 0.01 })
  const random = createRandom(5)
  const losses: number[] = []
  for (let step = 0; step < STEPS; step++) {
    const images = Float32Array.from({ length: COUNT * SIZE * SIZE }, random)
    const classes = Uint8Array.from(images, (value) => (value > 0.95 ? 255 : Math.floor(3 * value)))
    losses.push(await trainingStep(network, variables, optimizer, { images, classes }, SIZE, 3e-3))
  }
  const weights: Record<string, Float32Array> = {}
  for (const weight of network.weights) weights[weight.originalName] = Float32Array.from(await weight.read().data())
  optimizer.dispose()
  network.dispose()
  return { losses, weights }
}

function furthest(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  return Math.max(...Array.from(wanted, (value, i) => Math.abs(value - (got[i] ?? NaN))))
}

describe('training on wasm and on js', () => {
  beforeAll(async () => {
    await startWasm(1)
    await tf.setBackend('cpu')
    registerJsKernels()
  })

  it.each([
    ['plain', 'none', 'nearest'],
    ['instance normalization', 'instance', 'nearest'],
    ['group normalization', 'group', 'nearest'],
    ['batch normalization', 'batch', 'nearest'],
    ['transposed convolutions', 'none', 'transposed'],
    ['instance normalization and transposed convolutions', 'instance', 'transposed'],
  ] as const)('gives the same after twenty steps: %s', async (_, normalization, upsampling) => {
    const kind = { normalization, upsampling }
    const [wasm, js] = [await train('wasm', kind), await train('cpu', kind)]
    expect(furthest(wasm.losses, js.losses)).toBeLessThan(1e-4)
    for (const [name, values] of Object.entries(js.weights)) {
      // Rounding alone gives some 1e-6; where it decides which of two equal pixels a pooling takes, a hundred times that.
      expect(furthest(wasm.weights[name] ?? [], values)).toBeLessThan(1e-3)
    }
    expect(js.losses.at(-1)).toBeLessThan(js.losses[0] ?? NaN)
  })
})
