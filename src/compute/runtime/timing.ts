import * as tf from '@tensorflow/tfjs-core'
import { createRandom } from '../data/random.ts'
import { buildUNet } from '../models/unet.ts'
import { createAdam } from '../training/adam.ts'
import { trainingStep } from '../training/step.ts'
import type { Way } from '../../core/contract/schemas.ts'

/**
 * The network that rungs are compared with: the one that a first training makes, 4 levels from 8 channels with
 * instance normalization, 2 classes, on 2 images of 128 x 128, with Adam. Large enough that a graphics card is not
 * judged by what it costs to ask it, small enough for a second.
 */
const NETWORK = { levels: 4, base: 8, classes: 2, seed: 1, normalization: 'instance', upsampling: 'nearest' } as const
const COUNT = 2
const SIZE = 128
/** So many only where they are short: on a busy machine a few of them may all be disturbed. */
const STEPS = 16
/** The first step makes what later ones use again: memory, programs of the graphics card, code of V8. */
const WARM_UP = 2
/** From the end of the first step, which `native` spends on making its graphs: no further step but the second is begun after it. */
const PATIENCE_MS = 1000
/** `js` takes seconds for one step: it is timed on a small part of the pixels, to which the cost is proportional. */
const JS_SIZE = 32

/**
 * Milliseconds of one training step on the current backend: the shortest of up to 16 after 2 that do not count. What else
 * the computer does at the moment only makes steps longer, and not by the same on each way.
 */
export async function timeStep(way: Way): Promise<number> {
  if (way === 'js') return (await shortestStep(1, JS_SIZE, 1)) * ((COUNT * SIZE ** 2) / JS_SIZE ** 2)
  return await shortestStep(COUNT, SIZE, WARM_UP + STEPS)
}

async function shortestStep(count: number, size: number, steps: number): Promise<number> {
  const network = buildUNet(NETWORK)
  const variables = network.trainableWeights
    .map((weight) => weight.read())
    .filter((read) => read instanceof tf.Variable)
  const optimizer = createAdam(variables)
  try {
    const random = createRandom(5)
    const images = Float32Array.from({ length: count * size * size }, () => random())
    const classes = Uint8Array.from(images, (value) => (value > 0.5 ? 1 : 0))
    const times: number[] = []
    let begin = performance.now()
    while (times.length < Math.min(steps, 2) || (times.length < steps && performance.now() - begin < PATIENCE_MS)) {
      const start = performance.now()
      // Ends with the loss read back. The update that follows it is waited for by the next step.
      await trainingStep(network, variables, optimizer, { images, classes }, size, 1e-3)
      times.push(performance.now() - start)
      if (times.length === 1) begin = performance.now()
    }
    return Math.min(...times.slice(Math.min(WARM_UP, times.length - 1)))
  } finally {
    optimizer.dispose()
    network.dispose()
  }
}
