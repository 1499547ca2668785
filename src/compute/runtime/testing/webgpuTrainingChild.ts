/**
 * Trains a small network of the kind `NORMALIZATION UPSAMPLING` for 20 steps from one seed on wasm and on webgpu, and
 * sends how far apart the losses, weights and logits are: { losses, weights, logits }, each relative to the largest value.
 */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { createRandom } from '../../data/random.ts'
import { forwardOf } from '../../models/forward.ts'
import { buildUNet } from '../../models/unet.ts'
import { createAdam } from '../../training/adam.ts'
import { trainingStep } from '../../training/step.ts'
import { isVariable, readFloats } from '../tensors.ts'
import { startWasm } from '../wasm.ts'
import { startWebgpu } from '../webgpu.ts'
import type { UNetOptions } from '../../models/unet.ts'

const STEPS = 20
const SIZE = 16
const COUNT = 2
const CLASSES = 3

interface Result {
  readonly losses: Float32Array
  readonly weights: Float32Array
  readonly logits: Float32Array
  /** Of the engine, what the training left behind. */
  readonly tensors: number
}

const [normalization = 'none', upsampling = 'nearest'] = process.argv.slice(2)
tf.enableProdMode()
await startWasm(1)
const wanted = await train()
await startWebgpu()
const got = await train()
process.send?.({
  losses: difference(got.losses, wanted.losses),
  weights: difference(got.weights, wanted.weights),
  logits: difference(got.logits, wanted.logits),
  fell: (wanted.losses.at(-1) ?? NaN) / (wanted.losses[0] ?? NaN),
  tensors: got.tensors,
})
process.disconnect()

async function train(): Promise<Result> {
  const network = buildUNet({ levels: 2, base: 4, classes: CLASSES, seed: 5, ...kind() })
  const variables = network.trainableWeights.map((weight) => weight.read()).filter(isVariable)
  const random = createRandom(11)
  const optimizer = createAdam(variables)
  const losses: number[] = []
  let before = 0
  for (let step = 0; step < STEPS; step++) {
    const images = Float32Array.from({ length: COUNT * SIZE * SIZE }, () => random())
    // Squares of other brightness.
    const classes = Uint8Array.from(images, (_, at) => (at % SIZE < 6 ? (at % (SIZE * SIZE) < 80 ? 2 : 1) : 0))
    classes.forEach((value, at) => (images[at] = 0.4 * (images[at] ?? 0) + 0.3 * value))
    losses.push(await trainingStep(network, variables, optimizer, { images, classes }, SIZE, 3e-3))
    if (step === 0) before = tf.memory().numTensors
  }
  const tensors = tf.memory().numTensors - before
  const image = Float32Array.from({ length: 24 * 40 }, () => random())
  const logits = tf.tidy(() => forwardOf(network)(tf.tensor4d(image, [1, 24, 40, 1]), false))
  const weights = await Promise.all(variables.map((variable) => readFloats(variable)))
  return {
    losses: Float32Array.from(losses),
    weights: Float32Array.from(weights.flatMap((values) => [...values])),
    logits: await readFloats(logits),
    tensors,
  }
}

function kind(): Pick<UNetOptions, 'normalization' | 'upsampling'> {
  const normalizations = ['none', 'instance', 'group', 'batch'] as const
  const upsamplings = ['nearest', 'transposed'] as const
  const chosen = normalizations.find((name) => name === normalization)
  const up = upsamplings.find((name) => name === upsampling)
  if (chosen === undefined || up === undefined) throw new Error('There is no such kind of network.')
  return { normalization: chosen, upsampling: up }
}

function difference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Infinity
  const scale = b.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
  return a.reduce((most, value, at) => Math.max(most, Math.abs(value - (b[at] ?? NaN))), 0) / scale
}
