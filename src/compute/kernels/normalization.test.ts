import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { beforeAll, describe, expect, it } from 'vitest'
import { normalize, normalizeBatch, normalizeBy } from '../models/normalization.ts'
import { startWasm } from '../runtime/wasm.ts'
import { NORMALIZATION, registerJsKernels } from './index.ts'
import { backendWithout } from './testing/backends.ts'
import { checkGradients, expectClose } from './testing/checkGradients.ts'
import { normalizationOf } from './testing/normalizationReference.ts'
import { randomCases, randomValues } from './testing/random.ts'
import type { NormalizationCase } from './testing/normalizationReference.ts'

type Shape4 = [number, number, number, number]

interface Case extends NormalizationCase {
  readonly shape: Shape4
  readonly scaled: boolean
  readonly shifted: boolean
}

beforeAll(async () => {
  await startWasm(1)
  registerJsKernels()
})

const cases = randomCases(60, 11, (choice): Case => {
  const groups = choice.of([1, 1, 2, 3, 4, 5])
  const each = choice.of([1, 1, 2, 3, 4, 7])
  const over = choice.of<'image' | 'batch'>(['image', 'batch'])
  return {
    shape: [choice.whole(1, 3), choice.whole(1, 7), choice.whole(2, 7), groups * each],
    over,
    groups: over === 'image' ? groups : 1,
    epsilon: choice.of([1e-3, 1e-1]),
    relu: choice.of([true, false]),
    scaled: choice.of([true, false]),
    shifted: choice.of([true, false]),
  }
})

/** The tensors behind x are scale and shift, as far as there are any. */
function operationOf({ over, groups, epsilon, relu, scaled, shifted }: Case): (...inputs: tf.Tensor[]) => tf.Tensor {
  return (x, ...rest) => {
    const gamma = scaled ? (rest.shift() ?? null) : null
    const beta = shifted ? (rest.shift() ?? null) : null
    const common = { epsilon, relu, gamma, beta }
    if (over === 'image') return normalize(x, { over, groups, ...common })
    return normalizeBatch(x, common, ({ mean, variance }) => tf.dispose([mean, variance]))
  }
}

function referenceOf(given: Case): (...inputs: Float64Array[]) => Float64Array {
  return (x, ...rest) => {
    const gamma = given.scaled ? (rest.shift() ?? null) : null
    const beta = given.shifted ? (rest.shift() ?? null) : null
    return normalizationOf(x, given.shape, given, { gamma, beta })
  }
}

describe('normalization', () => {
  it.each(cases)('agrees with its definition, by kernels %s', async (_, given) => {
    const affine = [given.scaled, given.shifted].filter(Boolean).map(() => [given.shape[3]])
    await checkGradients({
      shapes: [given.shape, ...affine],
      operation: operationOf(given),
      reference: referenceOf(given),
      seed: 1,
      tolerance: 1e-3,
    })
  })

  it.each(cases.slice(0, 30))('agrees with its definition, by given moments %s', async (_, drawn) => {
    const channels = drawn.shape[3]
    const mean = randomValues([channels], 5)
    const variance = randomValues([channels], 6).map((value) => 1.5 + value)
    const given: Case = { ...drawn, over: 'given', groups: 1, scaled: true, shifted: true }
    await checkGradients({
      shapes: [given.shape, [channels], [channels]],
      operation: (x, gamma, beta) => {
        const moments = { mean: tf.tensor1d(mean), variance: tf.tensor1d(variance) }
        return normalizeBy(x, { epsilon: given.epsilon, relu: given.relu, gamma, beta, ...moments })
      },
      reference: (x, gamma, beta) => {
        return normalizationOf(x, given.shape, given, { gamma, beta, mean, variance })
      },
      seed: 2,
    })
  })

  it('hands over mean and variance of the batch', async () => {
    for (const backend of ['wasm', 'cpu']) {
      await tf.setBackend(backend)
      // Channel 0 holds 1, 3, 5, 7, channel 1 always 2.
      const x = tf.tensor4d([1, 2, 3, 2, 5, 2, 7, 2], [2, 1, 2, 2])
      let moments: readonly ArrayLike<number>[] = []
      const y = normalizeBatch(x, { epsilon: 0.001, relu: false, gamma: null, beta: null }, ({ mean, variance }) => {
        moments = [mean.dataSync(), variance.dataSync()]
        tf.dispose([mean, variance])
      })
      expect(moments.map((each) => Array.from(each))).toEqual([
        [4, 2],
        [5, 0],
      ])
      tf.dispose([x, y])
    }
  })

  it('keeps its accuracy far from zero and over large images', async () => {
    const shape: Shape4 = [1, 200, 150, 5]
    // Intensities around 1000 with a spread of one: sums of squares would lose all of it.
    const x = randomValues(shape, 3).map((value) => 1000 + value)
    await tf.setBackend('wasm')
    const input = tf.tensor4d(x, shape)
    const y = normalize(input, { over: 'image', groups: 5, epsilon: 1e-5, relu: false, gamma: null, beta: null })
    const means = Array.from({ length: 5 }, (_, c) => {
      const values = x.filter((_value, i) => i % 5 === c)
      return values.reduce((a, b) => a + b, 0) / values.length
    })
    const variances = means.map((mean, c) => {
      const values = x.filter((_value, i) => i % 5 === c)
      return values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length
    })
    const want = Float64Array.from(
      x,
      (value, i) => (value - (means[i % 5] ?? NaN)) / Math.sqrt((variances[i % 5] ?? NaN) + 1e-5),
    )
    expectClose(y.dataSync(), want, 1e-3)
    tf.dispose([input, y])
  })

  it('refuses groups that do not divide the channels', async () => {
    await tf.setBackend('wasm')
    const x = tf.zeros([1, 2, 2, 6])
    const options = { over: 'image', groups: 4, epsilon: 1e-3, relu: false, gamma: null, beta: null } as const
    expect(() => normalize(x, options)).toThrow('4 groups do not divide 6 channels')
    x.dispose()
  })
})

describe('normalization composed of operations, for backends without the kernels', () => {
  it.each(cases.slice(0, 30))('gives the same %s', async (_, given) => {
    const affine = [given.scaled, given.shifted].filter(Boolean).map(() => [given.shape[3]])
    const shapes = [given.shape, ...affine]
    const run = () =>
      tf.tidy(() => {
        const inputs = shapes.map((shape, i) => tf.tensor(randomValues(shape, i), shape))
        const y = operationOf(given)(...inputs)
        const dy = tf.tensor(randomValues(given.shape, 9), given.shape)
        const gradients = tf.grads((...at: tf.Tensor[]) => operationOf(given)(...at))(inputs, dy)
        return [y, ...gradients].map((tensor) => Array.from(tensor.dataSync()))
      })
    await tf.setBackend('cpu')
    const byKernels = run()
    await backendWithout([NORMALIZATION])
    const before = tf.memory().numTensors
    const composed = run()
    expect(tf.memory().numTensors).toBe(before)
    byKernels.forEach((values, i) => {
      expectClose(composed[i] ?? [], values, 1e-3)
    })
  })
})
