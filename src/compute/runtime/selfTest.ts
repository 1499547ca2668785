import * as tf from '@tensorflow/tfjs-core'
import { CodedError } from '../../core/contract/errors.ts'
import { createRandom } from '../data/random.ts'
import { forwardOf } from '../models/forward.ts'
import { buildUNet } from '../models/unet.ts'
import { createAdam } from '../training/adam.ts'
import { createMomentum } from '../training/momentum.ts'
import { trainingStep } from '../training/step.ts'
import { SELF_TEST_REFERENCE } from './selfTestReference.ts'
import { compare, summary } from './selfTestNumbers.ts'
import { isVariable, readFloats } from './tensors.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { Optimizer } from '../training/optimizer.ts'
import type { UNetOptions } from '../models/unet.ts'
import type { SelfTestNumbers, Summary } from './selfTestNumbers.ts'
import type { Refusal } from './unavailable.ts'

export interface SelfTestResult {
  readonly ok: boolean
  readonly ms: number
  /** What differs, as a sentence; null when nothing does. */
  readonly difference: string | null
}

/** Why a rung that did not pass cannot be used. */
export function selfTestRefusal({ difference }: SelfTestResult): Refusal {
  const stopped = difference?.startsWith(STOPPED) === true
  const how = stopped ? 'stops in the middle of the self-test' : 'computes wrong numbers, as the self-test shows'
  return { reason: `It starts, but ${how}.`, remedy: null, detail: difference }
}

const STOPPED = 'It stopped with: '

/**
 * The small networks that are tried: each kind of normalization and of up-sampling, channels that fill groups of four
 * and such that do not, an odd number of images and as many as fill a group; and both optimizers, of which Adam does not
 * care how long a gradient is while the other one shows whether it was shortened rightly.
 */
export const SELF_TEST_NETWORKS = {
  plain: {
    count: 4,
    levels: 2,
    base: 4,
    normalization: 'none',
    upsampling: 'nearest',
    optimizer: 'momentum',
    rate: 0.1,
  },
  instance: {
    count: 3,
    levels: 2,
    base: 6,
    normalization: 'instance',
    upsampling: 'nearest',
    optimizer: 'adam',
    rate: 1e-2,
  },
  batch: {
    count: 3,
    levels: 1,
    base: 4,
    normalization: 'batch',
    upsampling: 'transposed',
    optimizer: 'adam',
    rate: 1e-2,
  },
  group: {
    count: 3,
    levels: 1,
    base: 6,
    normalization: 'group',
    upsampling: 'nearest',
    optimizer: 'momentum',
    rate: 0.1,
  },
} as const satisfies Record<
  string,
  Omit<UNetOptions, 'classes' | 'seed'> & { count: number; optimizer: string; rate: number }
>
export type SelfTestNetwork = keyof typeof SELF_TEST_NETWORKS

const NAMES = ['plain', 'instance', 'batch', 'group'] as const satisfies readonly SelfTestNetwork[]
const SIZE = 16
const CLASSES = 3
const OPTIMIZERS = { adam: createAdam, momentum: createMomentum } as const

/**
 * Runs small U-Nets forward, with loss, gradients and two optimizer steps on the current backend, and compares with
 * numbers stored from the `js` backend, whose kernels are plain loops (tolerances: selfTestNumbers.ts).
 */
export async function selfTest(): Promise<SelfTestResult> {
  const start = performance.now()
  const result = (difference: string | null): SelfTestResult => {
    return { ok: difference === null, ms: performance.now() - start, difference }
  }
  try {
    for (const name of NAMES) {
      const difference = compare(await selfTestNumbers(name), SELF_TEST_REFERENCE[name])
      if (difference !== null) return result(difference)
    }
    return result(null)
  } catch (error) {
    const detail = error instanceof CodedError && error.detail !== undefined ? `\n${error.detail}` : ''
    return result(`${STOPPED}${String(error)}${detail}`)
  }
}

export async function selfTestNumbers(name: SelfTestNetwork): Promise<SelfTestNumbers> {
  const { count, optimizer: kind, rate, ...options } = SELF_TEST_NETWORKS[name]
  const network = buildUNet({ ...options, classes: CLASSES, seed: 1 })
  let optimizer: RecordingOptimizer | null = null
  try {
    fillWeights(network)
    const random = createRandom(7)
    const images = Float32Array.from({ length: count * SIZE * SIZE }, () => random())
    const classes = Uint8Array.from(images, (value) => (value > 0.8 ? 2 : value > 0.5 ? 1 : 0))
    const variables = network.trainableWeights.map((weight) => weight.read()).filter(isVariable)
    const recording = (optimizer = recordGradients(variables, OPTIMIZERS[kind](variables)))
    const logits = tf.tidy(() => forwardOf(network)(tf.tensor4d(images, [count, SIZE, SIZE, 1]), false))
    const sizes = variables.map(({ size }) => size)
    const step = async () => {
      const loss = await trainingStep(network, variables, recording, { images, classes }, SIZE, rate)
      return { loss, gradients: await summaries(recording.takeGradients(), sizes) }
    }
    const [forward] = await summaries(logits, [logits.size])
    const steps = [await step(), await step()]
    const all = network.weights.map((weight) => weight.read()).filter(isVariable)
    const weights = await summaries(
      joined(all),
      all.map(({ size }) => size),
    )
    if (forward === undefined) throw new Error('The forward pass gave nothing.')
    return {
      forward,
      losses: steps.map(({ loss }) => loss),
      gradients: steps.map(({ gradients }) => gradients),
      weights,
    }
  } finally {
    optimizer?.dispose()
    network.dispose()
  }
}

/** The same weights on every machine and with every version of the initializers. */
function fillWeights(network: LayersModel): void {
  const random = createRandom(3)
  for (const layer of network.layers) {
    const filled = layer.getWeights().map((weight, place) => {
      const fanIn = weight.shape.slice(0, -1).reduce((a, b) => a * b, 1)
      // Of a normalization: scale, shift, mean, variance. Of a convolution: filter and bias, the second.
      const middle = weight.rank === 1 && place % 3 === 0 ? 1 : 0
      const bound = weight.rank === 1 ? 0.1 : Math.sqrt(6 / fanIn)
      return tf.tensor(
        Float32Array.from({ length: weight.size }, () => middle + bound * (2 * random() - 1)),
        weight.shape,
      )
    })
    if (filled.length > 0) layer.setWeights(filled)
    tf.dispose(filled)
  }
}

interface RecordingOptimizer extends Optimizer {
  /** All gradients of the last step one after the other, in the order of the variables; the caller's to dispose. */
  takeGradients(): tf.Tensor
}

/** An optimizer that also keeps what it is given: the first steps of Adam hide how large gradients are. */
function recordGradients(variables: readonly tf.Variable[], inner: Optimizer): RecordingOptimizer {
  // A variable, so that it is known to a recorded step.
  const kept = tf.tidy(() => tf.variable(joined(variables.map(({ shape }) => tf.zeros(shape))), false))
  let made = false
  const keep = (given: tf.NamedTensorMap) => {
    tf.tidy(() => {
      kept.assign(joined(variables.map(({ name, shape }) => given[name] ?? tf.zeros(shape))))
    })
  }
  return {
    ...inner,
    update(given, rate) {
      keep(given)
      made = true
      inner.update(given, rate)
    },
    apply(given, rates) {
      keep(given)
      inner.apply(given, rates)
    },
    stepped() {
      made = true
      inner.stepped()
    },
    takeGradients() {
      if (!made) throw new Error('No step was made, since the loss is not a number.')
      made = false
      return tf.clone(kept)
    },
    dispose() {
      kept.dispose()
      inner.dispose()
    },
  }
}

function joined(tensors: readonly tf.Tensor[]): tf.Tensor {
  return tf.tidy(() => tf.concat(tensors.map((tensor) => tf.reshape(tensor, [-1]))))
}

/** Of the parts of a tensor, which have these sizes; disposes it. One read: a graphics card answers each with a delay. */
async function summaries(tensor: tf.Tensor, sizes: readonly number[]): Promise<Summary[]> {
  try {
    const values = await readFloats(tensor)
    let begin = 0
    return sizes.map((size) => {
      begin += size
      return summary(values.subarray(begin - size, begin))
    })
  } finally {
    tensor.dispose()
  }
}
