import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'vitest'
import { createRandom } from '../../data/random.ts'
import { expectClose } from '../../kernels/testing/checkGradients.ts'
import { randomValues } from '../../kernels/testing/random.ts'
import { numericGradientAt } from '../../kernels/testing/reference.ts'
import { asImage } from '../kernels/testing/images.ts'
import type { Checked } from '../../kernels/testing/checkGradients.ts'

/** Gradients are differentiated numerically at so many places of each input. */
const PLACES = 10

/**
 * Expects of the recorder the output that the reference gives, and the gradients by all inputs that numeric
 * differentiation of the reference (in double precision) gives. Images come channels first. Leaves no tensor behind.
 */
export async function expectGradients({
  shapes,
  operation,
  reference,
  seed,
  tolerance = 2e-4,
}: Checked): Promise<void> {
  await tf.setBackend('native')
  const inputs = shapes.map((shape, i) => randomValues(shape, 100 * seed + i))
  const exact = inputs.map((each) => Float64Array.from(each))
  const want = reference(...exact)
  const weights = randomValues([want.length], 100 * seed + 99)
  const before = tf.memory().numTensors
  const results = tf.tidy(() => {
    const tensors = inputs.map((values, i) => asImage(tf.tensor(values, [...(shapes[i] ?? [])])))
    const output = operation(...tensors)
    const gradients = tf.grads((...at: tf.Tensor[]) => operation(...at))
    return [output, ...gradients(tensors, asImage(tf.tensor(weights, output.shape)))]
  })
  const [output, ...gradients] = await Promise.all(results.map((tensor) => tensor.data()))
  tf.dispose(results)
  expect(tf.memory().numTensors).toBe(before)
  expectClose(output ?? [], want, tolerance)
  const random = createRandom(seed)
  inputs.forEach((input, which) => {
    const places = Array.from({ length: Math.min(PLACES, input.length) }, () => Math.floor(random() * input.length))
    const f = (at: Float64Array) => reference(...exact.map((each, i) => (i === which ? at : each)))
    const got = places.map((place) => gradients[which]?.[place] ?? NaN)
    expectClose(got, numericGradientAt(places, f, input, weights), tolerance)
  })
}
