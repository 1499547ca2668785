import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'vitest'
import { createRandom } from '../../data/random.ts'
import { numericGradientAt } from './reference.ts'
import { randomValues } from './random.ts'

/** An operation, its definition in double precision, and the shapes of its inputs. */
export interface Checked {
  readonly shapes: readonly (readonly number[])[]
  readonly operation: (...inputs: tf.Tensor[]) => tf.Tensor
  readonly reference: (...inputs: Float64Array[]) => Float64Array
  readonly seed: number
  /** Of the largest value that is compared, or of one where all are smaller. */
  readonly tolerance?: number
}

interface Result {
  readonly output: Float32Array
  readonly gradients: readonly Float32Array[]
}

/** Gradients are differentiated numerically at so many places of each input. */
const PLACES = 10
const BACKENDS = ['wasm', 'cpu'] as const

/**
 * Expects of both backends the output that the reference gives, the gradients by all inputs that numeric differentiation of
 * the reference gives, and of one backend the gradients of the other, everywhere. Leaves no tensor behind.
 */
export async function checkGradients({ shapes, operation, reference, seed, tolerance = 2e-4 }: Checked): Promise<void> {
  const inputs = shapes.map((shape, i) => randomValues(shape, 100 * seed + i))
  const exact = inputs.map((each) => Float64Array.from(each))
  const want = reference(...exact)
  const weights = randomValues([want.length], 100 * seed + 99)
  const results: Result[] = []
  for (const backend of BACKENDS) {
    await tf.setBackend(backend)
    const before = tf.memory().numTensors
    const result = differentiate(operation, inputs, shapes, weights)
    expect(tf.memory().numTensors).toBe(before)
    expectClose(result.output, want, tolerance)
    results.push(result)
  }
  const random = createRandom(seed)
  inputs.forEach((input, which) => {
    const places = Array.from({ length: Math.min(PLACES, input.length) }, () => Math.floor(random() * input.length))
    const f = (at: Float64Array) => reference(...exact.map((each, i) => (i === which ? at : each)))
    const slopes = numericGradientAt(places, f, input, weights)
    const [first, second] = results.map(({ gradients }) => gradients[which] ?? new Float32Array())
    if (first === undefined || second === undefined) throw new Error('There are two backends.')
    for (const gradient of [first, second]) {
      expectClose(
        places.map((place) => gradient[place] ?? NaN),
        slopes,
        tolerance,
      )
    }
    expectClose(first, second, tolerance)
  })
}

function differentiate(
  operation: Checked['operation'],
  inputs: readonly Float32Array[],
  shapes: Checked['shapes'],
  weights: Float32Array,
): Result {
  return tf.tidy(() => {
    const tensors = inputs.map((values, i) => tf.tensor(values, [...(shapes[i] ?? [])]))
    const output = operation(...tensors)
    const gradients = tf.grads((...at: tf.Tensor[]) => operation(...at))(tensors, tf.tensor(weights, output.shape))
    return { output: floatsOf(output), gradients: gradients.map(floatsOf) }
  })
}

function floatsOf(tensor: tf.Tensor): Float32Array {
  const values = tensor.dataSync()
  if (values instanceof Float32Array) return values
  throw new Error('float32 expected')
}

export function expectClose(got: ArrayLike<number>, want: ArrayLike<number>, tolerance: number): void {
  expect(got.length).toBe(want.length)
  let [scale, worst] = [1, 0]
  for (let i = 0; i < want.length; i++) {
    scale = Math.max(scale, Math.abs(want[i] ?? NaN))
    worst = Math.max(worst, Math.abs((want[i] ?? NaN) - (got[i] ?? NaN)))
  }
  expect(worst / scale).toBeLessThan(tolerance)
}
