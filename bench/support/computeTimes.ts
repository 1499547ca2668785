/**
 * Prints, as JSON, the milliseconds of training steps and predictions of a U-Net of four levels on a backend, and what
 * its kernels took of them. Arguments: backend, kind (plain or norm-transposed), size, base, batch, threads, seconds. A
 * process of its own, because a backend starts once a process.
 */
import * as tf from '@tensorflow/tfjs-core'
import { forwardOf } from '../../src/compute/models/forward.ts'
import { buildUNet } from '../../src/compute/models/unet.ts'
import { isUsable } from '../../src/compute/runtime/rungs.ts'
import { startRung } from '../../src/compute/runtime/rung.ts'
import { createAdam } from '../../src/compute/training/adam.ts'
import { trainingStep } from '../../src/compute/training/step.ts'
import { profile } from './kernelProfile.ts'
import { measured } from './report.ts'

const [backend = 'wasm', kind = 'plain', ...numbers] = process.argv.slice(2)
const [size = 128, base = 8, batch = 4, threads = 2, seconds = 10] = numbers.map(Number)
if (!isUsable(backend)) throw new Error(`There is no rung ${backend}.`)
const started = await startRung(backend, threads)
if (started.threads !== threads) throw new Error(`${started.threads} threads started instead of ${threads}.`)

// Two classes through softmax do the work of the reference's one through a sigmoid, and nine parameters more.
const normalization = kind === 'plain' ? 'none' : 'instance'
const upsampling = kind === 'plain' ? 'nearest' : 'transposed'
const network = buildUNet({ levels: 4, base, classes: 2, seed: 1, normalization, upsampling })
const variables = network.trainableWeights
  .map((weight) => weight.read())
  .filter((weight) => weight instanceof tf.Variable)
const optimizer = createAdam(variables)
const pixels = batch * size * size
const images = Float32Array.from({ length: pixels }, (_, i) => ((i * 7919) % 251) / 251)
const classes = Uint8Array.from({ length: pixels }, (_, i) => Number(i % size > size / 2))

const step = (): Promise<number> => trainingStep(network, variables, optimizer, { images, classes }, size, 1e-3)
const forward = forwardOf(network)
const input = tf.tensor4d(images, [batch, size, size, 1])
const predict = async (): Promise<void> => {
  const output = tf.tidy(() => forward(input, false))
  await output.data()
  output.dispose()
}
const train = await measured(seconds, step)
const infer = await measured(seconds / 2, predict)
console.log(
  JSON.stringify({
    device: started.device.name,
    train,
    infer,
    trainProfile: await profile(step),
    inferProfile: await profile(predict),
  }),
)
process.exit(0)
