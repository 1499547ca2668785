import * as tf from '@tensorflow/tfjs-core'
import { createRandom } from '../data/random.ts'
import { forwardOf } from '../models/forward.ts'
import { buildUNet } from '../models/unet.ts'
import { createAdam } from '../training/adam.ts'
import { trainingStep } from '../training/step.ts'
import { readFloats } from './tensors.ts'
import { SELF_TEST_REFERENCE } from './selfTestReference.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'

/** What a small training step gives: enough to notice a wrong kernel in forward, loss, gradients or optimizer. */
export interface SelfTestNumbers {
  /** Of the first step and, with the updated weights, of the second. */
  readonly losses: readonly [number, number]
  /** Sum and sum of squares of the logits before the first step. */
  readonly logits: readonly [number, number]
  /** Sum of absolute weight values of each variable after the second step, in the network's order. */
  readonly weights: readonly number[]
}

export interface SelfTestResult {
  readonly ok: boolean
  readonly ms: number
  /** What differs, as a sentence; null when nothing does. */
  readonly difference: string | null
}

/** Relative; kernels add in other orders, and Adam's first step follows the sign of each gradient alone. */
const TOLERANCE = 1e-3

/**
 * Runs a small U-Net (2 levels, base 4, odd batch, 3 classes) forward, with loss, gradients and two optimizer steps on the
 * current backend and compares with numbers stored from the `js` backend, whose kernels are plain loops.
 */
export async function selfTest(): Promise<SelfTestResult> {
  const start = performance.now()
  try {
    const difference =
      compare(await selfTestNumbers(false), SELF_TEST_REFERENCE.plain) ??
      compare(await selfTestNumbers(true), SELF_TEST_REFERENCE.normalized)
    return { ok: difference === null, ms: performance.now() - start, difference }
  } catch (error) {
    return { ok: false, ms: performance.now() - start, difference: `It stopped with: ${String(error)}` }
  }
}

export async function selfTestNumbers(normalized: boolean): Promise<SelfTestNumbers> {
  const size = 24
  const count = 3
  const network = buildUNet({ levels: 2, base: 4, classes: 3, seed: 1, normalization: normalized ? 'instance' : 'none', upsampling: 'nearest' })
  try {
    fillWeights(network)
    const random = createRandom(7)
    const images = Float32Array.from({ length: count * size * size }, () => random())
    const classes = Uint8Array.from(images, (value) => (value > 0.8 ? 2 : value > 0.5 ? 1 : 0))
    const variables = network.trainableWeights
      .map((weight) => weight.read())
      .filter((read) => read instanceof tf.Variable)
    const optimizer = createAdam(variables)
    const logits = await twoNumbers(() => {
      const output = forwardOf(network)(tf.tensor4d(images, [count, size, size, 1]), false)
      return [tf.sum(output), tf.sum(tf.square(output))]
    })
    const step = () => trainingStep(network, variables, optimizer, { images, classes }, size, 1e-2)
    const losses: [number, number] = [await step(), await step()]
    const weights: number[] = []
    for (const variable of variables) weights.push(await number(() => tf.sum(tf.abs(variable))))
    return { losses, logits, weights }
  } finally {
    network.dispose()
  }
}

/** The same weights on every machine and with every version of the initializers. */
function fillWeights(network: LayersModel): void {
  const random = createRandom(3)
  for (const layer of network.layers) {
    const filled = layer.getWeights().map((weight) => {
      const fanIn = weight.shape.slice(0, -1).reduce((a, b) => a * b, 1)
      const bound = weight.rank === 1 ? 0.1 : Math.sqrt(6 / fanIn)
      return tf.tensor(
        Float32Array.from({ length: weight.size }, () => bound * (2 * random() - 1)),
        weight.shape,
      )
    })
    if (filled.length > 0) layer.setWeights(filled)
    tf.dispose(filled)
  }
}

async function number(compute: () => tf.Tensor): Promise<number> {
  const tensor = tf.tidy(compute)
  try {
    return (await readFloats(tensor))[0] ?? NaN
  } finally {
    tensor.dispose()
  }
}

async function twoNumbers(compute: () => [tf.Tensor, tf.Tensor]): Promise<[number, number]> {
  const [a, b] = tf.tidy(compute)
  return [await number(() => a), await number(() => b)]
}

function compare(got: SelfTestNumbers, want: SelfTestNumbers): string | null {
  const pairs: [string, readonly number[], readonly number[]][] = [
    ['forward pass', got.logits, want.logits],
    ['loss', got.losses, want.losses],
    ['weights after two steps', got.weights, want.weights],
  ]
  for (const [name, values, reference] of pairs) {
    for (const [i, expected] of reference.entries()) {
      const value = values[i] ?? NaN
      if (!(Math.abs(value - expected) <= TOLERANCE * Math.max(1, Math.abs(expected)))) {
        return `The ${name} gave ${value} instead of ${expected}.`
      }
    }
  }
  return null
}
