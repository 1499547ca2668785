import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { lossSettingsSchema, modelSettingsSchema, optimizerSettingsSchema } from '../../core/contract/recipes.ts'
import { createRandom, randomInt } from '../data/random.ts'
import { registerJsKernels } from '../kernels/index.ts'
import { buildRecipeNetwork } from '../models/recipeNetwork.ts'
import { marginOf } from '../models/sizes.ts'
import { startForTests } from '../native/testing/compare.ts'
import { startWasm } from '../runtime/wasm.ts'
import { createRecipeStep } from './recipeStep.ts'
import type { RecipeBatch } from '../recipes/types.ts'
import type { RecipeStep } from './recipeStep.ts'

const COUNT = 2

function settings(change: { model?: object; loss?: object; optimizer?: object } = {}) {
  return {
    model: modelSettingsSchema.parse({
      ...{ kind: 'unet', levels: 1, base: 4, normalization: 'batch', upsampling: 'nearest' },
      ...change.model,
    }),
    loss: lossSettingsSchema.parse({ kind: 'dice-cross-entropy', output: 'softmax', ...change.loss }),
    optimizer: optimizerSettingsSchema.parse({
      ...{ kind: 'adamw', rate: 1e-2, decay: 0.01, schedule: 'constant' },
      ...change.optimizer,
    }),
  }
}

function start({ model, loss, optimizer }: ReturnType<typeof settings>, seed = 5) {
  const outputs = loss.output === 'softmax' ? 3 : 2
  const { network, architecture } = buildRecipeNetwork(model, { channels: 3, outputs, seed: 1 })
  const steps = createRecipeStep(network, { loss, optimizer, seed })
  const margin = marginOf(architecture)
  const dispose = () => {
    steps.dispose()
    network.dispose()
  }
  return { network, steps, margin, dispose }
}

function batch(number: number, margin = 0, weighted = false): RecipeBatch {
  const random = createRandom(100 + number)
  const [width, height] = [12 + 2 * margin, 8 + 2 * margin]
  return {
    ...{ count: COUNT, channels: 3, width, height, outWidth: 12, outHeight: 8 },
    images: Float32Array.from({ length: COUNT * width * height * 3 }, random),
    classes: Uint8Array.from({ length: COUNT * 12 * 8 }, () => (random() < 0.1 ? 255 : randomInt(random, 3))),
    weights: weighted ? Float32Array.from({ length: COUNT * 12 * 8 }, () => 2 * random()) : null,
  }
}

async function run(steps: RecipeStep, from: number, to: number, margin = 0, weighted = false): Promise<number[]> {
  const losses: number[] = []
  for (let k = from; k < to; k++) losses.push(await steps.step(batch(k, margin, weighted), 1e-2))
  return losses
}

const kinds: [string, ReturnType<typeof settings>, boolean?][] = [
  ['AdamW', settings()],
  ['SGD without clipping', settings({ optimizer: { kind: 'sgd', momentum: 0.99, clip: 0 } })],
  [
    'valid convolutions, dropout and weights',
    settings({
      model: { convolutions: 'valid', upsampling: 'transposed', normalization: 'none', dropout: 0.5 },
      loss: { kind: 'cross-entropy' },
    }),
    true,
  ],
  ['Inception blocks and sigmoid', settings({ model: { kind: 'unet-inception' }, loss: { output: 'sigmoid' } })],
  [
    'squared error of values cut at 0',
    settings({
      model: { normalization: 'none', dropout: 0.3 },
      loss: { kind: 'mean-squared-error', output: 'relu' },
      optimizer: { kind: 'adam' },
    }),
  ],
]

describe.each(['cpu', 'wasm', 'native'])('steps of a recipe on %s', (backend) => {
  let tensors = 0

  beforeAll(async () => {
    if (backend === 'wasm') await startWasm(1)
    if (backend === 'native') await startForTests()
    await tf.setBackend(backend)
    if (backend === 'cpu') registerJsKernels()
  })

  beforeEach(() => {
    tensors = tf.memory().numTensors
  })

  afterEach(() => {
    expect(tf.memory().numTensors).toBe(tensors)
  })

  it.each(kinds)(
    'learn, hold no more memory from step to step, and go on from a state to the same bits: %s',
    async (_, given, weighted = false) => {
      const whole = start(given)
      const losses = await run(whole.steps, 0, 3, whole.margin, weighted)
      const state = { weights: await whole.steps.optimizer.snapshot(), optimizer: await whole.steps.optimizer.state() }
      const held = tf.memory().numTensors
      losses.push(...(await run(whole.steps, 3, 6, whole.margin, weighted)))
      expect(tf.memory().numTensors).toBe(held)
      expect(losses.every(Number.isFinite)).toBe(true)
      const wanted = await whole.steps.optimizer.snapshot()
      const wantedState = await whole.steps.optimizer.state()
      whole.dispose()

      const resumed = start(given)
      await run(resumed.steps, 7, 8, resumed.margin, weighted)
      resumed.steps.optimizer.restore(state.weights)
      resumed.steps.optimizer.restoreState(state.optimizer)
      expect(resumed.steps.optimizer.steps()).toBe(3)
      expect(await run(resumed.steps, 3, 6, resumed.margin, weighted)).toEqual(losses.slice(3))
      expect(await resumed.steps.optimizer.snapshot()).toEqual(wanted)
      expect(await resumed.steps.optimizer.state()).toEqual(wantedState)
      resumed.dispose()
    },
  )

  it('drop other values at each step and for each seed, and the same for the same', async () => {
    const given = settings({ model: { normalization: 'none', dropout: 0.5 }, optimizer: { kind: 'sgd', momentum: 0 } })
    const lossesOf = async (seed: number) => {
      const { steps, dispose } = start(given, seed)
      // At a rate of 0 nothing is learned, so that what is dropped alone differs.
      const losses = [await steps.step(batch(0), 0), await steps.step(batch(0), 0)]
      dispose()
      return losses
    }
    const [first, again, other] = [await lossesOf(1), await lossesOf(1), await lossesOf(2)]
    expect(again).toEqual(first)
    expect(new Set([...first, ...other]).size).toBe(4)
  })

  it('change nothing where the loss is not finite', async () => {
    const { steps, dispose } = start(settings({ model: { normalization: 'none' } }))
    await run(steps, 0, 1)
    const before = [await steps.optimizer.snapshot(), await steps.optimizer.state()]
    const broken = batch(1)
    broken.images[7] = NaN
    expect(await steps.step(broken, 1e-2)).not.toSatisfy(Number.isFinite)
    expect([await steps.optimizer.snapshot(), await steps.optimizer.state()]).toEqual(before)
    dispose()
  })
})

describe('steps of a recipe', () => {
  it.each(kinds)('come to the same on every backend: %s', async (_, given, weighted = false) => {
    const results: number[][] = []
    for (const backend of ['cpu', 'wasm', 'native']) {
      await tf.setBackend(backend)
      const { steps, margin, dispose } = start(given)
      results.push(await run(steps, 0, 4, margin, weighted))
      dispose()
    }
    const [wanted, ...others] = results
    for (const losses of others) {
      losses.forEach((loss, k) => {
        expect(Math.abs(loss - (wanted?.[k] ?? NaN))).toBeLessThan(2e-4)
      })
    }
  })
})
