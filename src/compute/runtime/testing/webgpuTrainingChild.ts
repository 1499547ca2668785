/**
 * Trains small networks of each kind for 20 steps from one seed on wasm and on webgpu, and sends for each how far apart
 * the losses, weights and logits are, relative to the largest value; then the result of the self-test on webgpu.
 */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { createRandom } from '../../data/random.ts'
import { forwardOf } from '../../models/forward.ts'
import { buildUNet } from '../../models/unet.ts'
import { createAdam } from '../../training/adam.ts'
import { trainingStep } from '../../training/step.ts'
import { selfTest } from '../selfTest.ts'
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

type Kind = Pick<UNetOptions, 'normalization' | 'upsampling' | 'levels'>

const kinds: Kind[] = [
  { normalization: 'none', upsampling: 'nearest', levels: 1 },
  { normalization: 'instance', upsampling: 'transposed', levels: 2 },
  { normalization: 'group', upsampling: 'nearest', levels: 1 },
  { normalization: 'batch', upsampling: 'nearest', levels: 1 },
]

tf.enableProdMode()
await startWasm(1)
const wanted: Result[] = []
for (const kind of kinds) wanted.push(await train(kind))
await startWebgpu()
for (const [at, kind] of kinds.entries()) {
  const got = await train(kind)
  const want = wanted[at] ?? got
  process.send?.({
    kind,
    losses: difference(got.losses, want.losses),
    weights: difference(got.weights, want.weights),
    logits: difference(got.logits, want.logits),
    fell: (want.losses.at(-1) ?? NaN) / (want.losses[0] ?? NaN),
    tensors: got.tensors,
  })
}
process.send?.(await selfTest())
process.disconnect()

async function train(kind: Kind): Promise<Result> {
  const network = buildUNet({ base: 4, classes: CLASSES, seed: 5, ...kind })
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
  const result = {
    losses: Float32Array.from(losses),
    weights: Float32Array.from(weights.flatMap((values) => [...values])),
    logits: await readFloats(logits),
    tensors,
  }
  logits.dispose()
  optimizer.dispose()
  network.dispose()
  return result
}

function difference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Infinity
  const scale = b.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
  return a.reduce((most, value, at) => Math.max(most, Math.abs(value - (b[at] ?? NaN))), 0) / scale
}
