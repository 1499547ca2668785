import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { beforeAll, describe, expect, it } from 'vitest'
import { createRandom, randomInt } from '../data/random.ts'
import { IGNORED } from '../data/trainingImage.ts'
import { registerJsKernels } from '../kernels/index.ts'
import { startForTests } from '../native/testing/compare.ts'
import { startWasm } from '../runtime/wasm.ts'
import { composedLoss, segmentationLoss } from './loss.ts'
import { lossGradientReference, lossReference } from './testing/lossReference.ts'

interface Values {
  readonly loss: number
  readonly gradient: Float32Array
}

type Compute = (logits: tf.Tensor, classes: tf.Tensor) => { loss: tf.Tensor; gradient: tf.Tensor }

const ways: Record<string, Compute> = {
  operation: (logits, classes) => {
    const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => segmentationLoss(x, classes))(logits)
    return { loss: value, gradient: grad }
  },
  composed: composedLoss,
}

async function valuesOf(way: Compute, logits: Float32Array, classes: readonly number[], n: number): Promise<Values> {
  const { loss, gradient } = tf.tidy(() =>
    way(tf.tensor(logits, [1, 1, classes.length, n]), tf.tensor([...classes], [1, 1, classes.length], 'int32')),
  )
  expect(gradient.shape).toEqual([1, 1, classes.length, n])
  const [value] = await loss.data()
  const values = Float32Array.from(await gradient.data())
  tf.dispose([loss, gradient])
  return { loss: value ?? NaN, gradient: values }
}

function noise(count: number, seed: number, width = 4): Float32Array {
  const random = createRandom(seed)
  return Float32Array.from({ length: count }, () => width * (random() - 0.5))
}

function randomClasses(pixels: number, n: number, seed: number, ignored = 0.1): number[] {
  const random = createRandom(seed)
  return Array.from({ length: pixels }, () => (random() < ignored ? IGNORED : randomInt(random, n)))
}

const cases: [name: string, n: number, classes: number[], width?: number][] = [
  ['two classes', 2, [0, 1, 1, 0, 1]],
  ['several labels', 4, [0, 1, 2, 1, 0, 0, 3]],
  ['a number of pixels that four divides', 4, [0, 1, 2, 1, 0, 0, 3, 1]],
  ['ignored pixels and a label that does not occur', 4, [0, IGNORED, 2, 2, 0, IGNORED, 2, 0]],
  ['background alone', 4, [0, 0, 0, 0, 0, 0, 0, 0]],
  ['one label alone', 3, [2, 2, 2, 2]],
  ['one pixel', 5, [3]],
  ['one pixel among ignored ones', 5, [IGNORED, IGNORED, IGNORED, 4]],
  ['many classes', 23, randomClasses(24, 23, 3)],
  ['logits that saturate', 3, [0, 1, 2, 1, 0, IGNORED, 2, 2], 60],
]

describe.each(['wasm', 'cpu', 'native'])('segmentationLoss on %s', (backend) => {
  beforeAll(async () => {
    if (backend === 'wasm') await startWasm(1)
    if (backend === 'native') await startForTests()
    await tf.setBackend(backend)
    if (backend === 'cpu') registerJsKernels()
  })

  describe.each(Object.entries(ways))('as %s', (_, way) => {
    it.each(cases)('agrees with its definition and with numeric differentiation: %s', async (_, n, classes, width) => {
      const logits = noise(n * classes.length, n + classes.length, width)
      const { loss, gradient } = await valuesOf(way, logits, classes, n)
      const wanted = lossReference(Float64Array.from(logits), classes, n)
      expect(Math.abs(loss - wanted)).toBeLessThan(1e-6 * Math.max(1, wanted))
      lossGradientReference(logits, classes, n).forEach((value, i) => {
        expect(Math.abs((gradient[i] ?? NaN) - value)).toBeLessThan(1e-6)
      })
    })

    it('is zero where every pixel is ignored', async () => {
      const { loss, gradient } = await valuesOf(way, noise(32, 1), new Array<number>(8).fill(IGNORED), 4)
      expect(loss).toBe(0)
      expect(gradient.every((value) => value === 0)).toBe(true)
    })

    it.each([NaN, Infinity])('is no number where a logit is %s', async (value) => {
      const logits = noise(32, 1)
      logits[9] = value
      expect((await valuesOf(way, logits, [0, 1, 2, 3, 0, 1, 2, 3], 4)).loss).toBeNaN()
    })
  })

  // Threads share blocks of pixels where four divides their number.
  it.each([9001, 9004])('gives the same by the kernel as composed, over %i pixels', async (pixels) => {
    const n = 6
    const logits = noise(n * pixels, 5)
    const classes = randomClasses(pixels, n, 6)
    const fused = await valuesOf((x, y) => ways.operation?.(x, y) ?? composedLoss(x, y), logits, classes, n)
    const composed = await valuesOf(composedLoss, logits, classes, n)
    expect(Math.abs(fused.loss - composed.loss)).toBeLessThan(2e-5)
    const largest = composed.gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    const worst = composed.gradient.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - (fused.gradient[i] ?? NaN))),
      0,
    )
    expect(worst).toBeLessThan(1e-4 * largest)
    expect(Math.abs(fused.loss - lossReference(Float64Array.from(logits), classes, n))).toBeLessThan(2e-6)
  })
})
