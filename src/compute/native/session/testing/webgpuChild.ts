import '@tensorflow/tfjs-layers'
import * as tf from '@tensorflow/tfjs-core'
import { buildUNet } from '../../../models/unet.ts'
import { deviceMemory } from '../../../runtime/deviceMemory.ts'
import { isDeviceLost, isOutOfMemory } from '../../../runtime/failures.ts'
import { isVariable } from '../../../runtime/tensors.ts'
import { createAdam } from '../../../training/adam.ts'
import { trainingStep } from '../../../training/step.ts'
import { startNative } from '../../start.ts'

/** Of a training on one provider. */
export interface Trained {
  readonly losses: readonly number[]
  /** Bytes on the device after each step; null where the provider has none of its own. */
  readonly onDevice: readonly (number | null)[]
  readonly afterwards: number | null
  /** Of the weights that are trained, and what the optimizer remembers of each: bytes. */
  readonly weights: number
}

/** What became of work that is too much for the device, and of work after it. */
export interface Overfull {
  readonly outOfMemory: boolean
  readonly lost: boolean
  readonly message: string
  readonly then: number
}

const SIZE = 16
const STEPS = 5

async function train(): Promise<Trained> {
  const network = buildUNet({ levels: 1, base: 4, classes: 2, seed: 1, normalization: 'none', upsampling: 'nearest' })
  const variables = network.trainableWeights.map((weight) => weight.read()).filter(isVariable)
  const optimizer = createAdam(variables)
  const images = Float32Array.from({ length: SIZE ** 2 }, (_, i) => Math.sin(i) ** 2)
  const classes = Uint8Array.from(images, (value) => Math.round(value))
  const losses: number[] = []
  const onDevice: (number | null)[] = []
  for (let i = 0; i < STEPS; i++) {
    losses.push(await trainingStep(network, variables, optimizer, { images, classes }, SIZE, 1e-2))
    onDevice.push(deviceMemory()?.held ?? null)
  }
  const weights = variables.reduce((sum, { size }) => sum + 4 * size, 0)
  // Values of the device are read, given back, and given anew.
  const snapshot = await optimizer.snapshot()
  optimizer.restore(snapshot)
  losses.push(await trainingStep(network, variables, optimizer, { images, classes }, SIZE, 1e-2))
  optimizer.dispose()
  network.dispose()
  await settled()
  return { losses, onDevice, afterwards: deviceMemory()?.held ?? null, weights }
}

/** What was disposed is given back after the next work. */
async function settled(): Promise<void> {
  const sum = tf.tidy(() => tf.add(tf.scalar(1), tf.scalar(2)))
  await sum.data()
  sum.dispose()
}

/** So many gigabytes in one piece. */
async function overfill(gigabytes: number): Promise<Overfull> {
  const total = (rows: number) =>
    tf.tidy(() => tf.max(tf.exp(tf.add(tf.broadcastTo(tf.tensor2d([[1]]), [rows, 2 ** 16]), tf.tensor2d([[1]])))))
  const read = async (rows: number): Promise<number> => {
    const tensor = total(rows)
    try {
      return (await tensor.data())[0] ?? NaN
    } finally {
      tensor.dispose()
    }
  }
  try {
    const value = await read(gigabytes * 2 ** 12)
    return { outOfMemory: false, lost: false, message: `It gave ${value}.`, then: NaN }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { outOfMemory: isOutOfMemory(error), lost: isDeviceLost(error), message, then: await read(2) }
  }
}

const [provider = 'cpu', what] = process.argv.slice(2)
await startNative({ provider, threads: 1, packagesDir: null, stateDir: null })
process.send?.(what === 'overfill' ? [await overfill(2), await overfill(8)] : await train())
