/**
 * Prints, as JSON, the milliseconds of training steps and predictions of the reference U-Net on the `wasm` backend.
 * Arguments: size, base, batch, threads. A process of its own, because a backend starts once a process.
 */
import * as tf from '@tensorflow/tfjs-core'
import { forwardOf } from '../../src/compute/models/forward.ts'
import { buildUNet } from '../../src/compute/models/unet.ts'
import { startWasm } from '../../src/compute/runtime/wasm.ts'
import { createAdam } from '../../src/compute/training/adam.ts'
import { trainingStep } from '../../src/compute/training/step.ts'
import { timed } from './report.ts'

const [size = 128, base = 8, batch = 4, threads = 2] = process.argv.slice(2).map(Number)
const started = await startWasm(threads)
if (started !== threads) throw new Error(`${started} threads started instead of ${threads}.`)

// Two classes through softmax do the work of the reference's one through a sigmoid, and nine parameters more.
const network = buildUNet({ levels: 4, base, classes: 2, seed: 1, normalized: false })
const variables = network.trainableWeights
  .map((weight) => weight.read())
  .filter((weight) => weight instanceof tf.Variable)
const optimizer = createAdam(variables)
const pixels = batch * size * size
const images = Float32Array.from({ length: pixels }, (_, i) => ((i * 7919) % 251) / 251)
const classes = Uint8Array.from({ length: pixels }, (_, i) => Number(i % size > size / 2))

const train = await timed(20, 5, () => trainingStep(network, variables, optimizer, { images, classes }, size, 1e-3))
const forward = forwardOf(network)
const input = tf.tensor4d(images, [batch, size, size, 1])
const infer = await timed(20, 5, () => {
  tf.tidy(() => forward(input, false).dataSync())
})
console.log(JSON.stringify({ train, infer }))
process.exit(0)
