/**
 * Prints, as JSON, the milliseconds of training steps and predictions of a U-Net of four levels on a backend, what the
 * first ones took (on `native` they are recorded and compiled then), the memory, and what kernels or nodes took. Arguments:
 * backend, kind (plain, norm or norm-transposed), size, base, batch, threads, seconds. A process of its own, because a
 * backend starts once a process. MASKWRIGHT_STATE names the folder of the cache of compiled graphs.
 */
import * as tf from '@tensorflow/tfjs-core'
import { forwardPass } from '../../src/compute/inference/forwardPass.ts'
import { buildUNet } from '../../src/compute/models/unet.ts'
import { isUsable } from '../../src/compute/runtime/rungs.ts'
import { startRung } from '../../src/compute/runtime/rung.ts'
import { createAdam } from '../../src/compute/training/adam.ts'
import { trainingStep } from '../../src/compute/training/step.ts'
import { profile } from './kernelProfile.ts'
import { nodeProfile } from './nodeProfile.ts'
import { measured, timed } from './report.ts'

const [backend = 'wasm', kind = 'plain', ...numbers] = process.argv.slice(2)
const [size = 128, base = 8, batch = 4, threads = 2, seconds = 10] = numbers.map(Number)
if (!isUsable(backend)) throw new Error(`There is no rung ${backend}.`)
const started = await startRung(backend, threads)
if (started.threads !== threads) throw new Error(`${started.threads} threads started instead of ${threads}.`)

// Two classes through softmax do the work of the reference's one through a sigmoid, and nine parameters more.
const normalization = kind === 'plain' ? 'none' : 'instance'
const upsampling = kind === 'norm-transposed' ? 'transposed' : 'nearest'
const network = buildUNet({ levels: 4, base, classes: 2, seed: 1, normalization, upsampling })
const variables = network.trainableWeights
  .map((weight) => weight.read())
  .filter((weight) => weight instanceof tf.Variable)
const optimizer = createAdam(variables)
const imagesOf = (count: number) => Float32Array.from({ length: count * size ** 2 }, (_, i) => ((i * 7919) % 251) / 251)
const images = imagesOf(batch)
const classes = Uint8Array.from(images, (_, i) => Number(i % size > size / 2))

const peakMB = (): number => process.resourceUsage().maxRSS / 1024
const first = async (work: () => Promise<unknown>): Promise<number> => (await timed(1, 0, work))[0] ?? NaN
const step = (): Promise<number> => trainingStep(network, variables, optimizer, { images, classes }, size, 1e-3)
const predict = (input: Float32Array, count: number): Promise<unknown> =>
  forwardPass(network, input, [count, size, size, 1], () => Promise.resolve())
const predictAll = (): Promise<unknown> => predict(images, batch)

const startMB = peakMB()
const firstStep = await first(step)
const train = await measured(seconds, step)
const trainMB = peakMB()
const firstPrediction = await first(predictAll)
const infer = await measured(seconds / 2, predictAll)
const another = imagesOf(batch + 1)
const otherBatch = await first(() => predict(another, batch + 1))
console.log(
  JSON.stringify({
    device: started.device.name,
    train,
    infer,
    first: { step: firstStep, prediction: firstPrediction, otherBatch },
    memory: { startMB, trainMB },
    trainProfile: (await nodeProfile(step)) ?? (await profile(step)),
    inferProfile: (await nodeProfile(predictAll)) ?? (await profile(predictAll)),
  }),
)
process.exit(0)
