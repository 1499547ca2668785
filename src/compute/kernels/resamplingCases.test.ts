import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { beforeAll, describe, expect, it } from 'vitest'
import { startWasm } from '../runtime/wasm.ts'
import { registerJsKernels } from './index.ts'
import { checkGradients, expectClose } from './testing/checkGradients.ts'
import { randomCases, randomValues } from './testing/random.ts'
import { averagePooling, bilinearResizing, maxPooling, nearestResizing } from './testing/reference.ts'
import type { Choice } from './testing/random.ts'
import type { Padding } from './testing/reference.ts'

type Shape4 = [number, number, number, number]

beforeAll(async () => {
  await startWasm(1)
  registerJsKernels()
})

function randomImage(choice: Choice): Shape4 {
  return [choice.whole(1, 3), choice.whole(1, 8), choice.whole(1, 8), choice.of([1, 2, 3, 4, 5, 7, 8])]
}

function asFour(tensor: tf.Tensor): tf.Tensor4D {
  const [a = 1, b = 1, c = 1, d = 1] = tensor.shape
  return tf.reshape(tensor, [a, b, c, d])
}

describe('resizing', () => {
  const cases = randomCases(30, 21, (choice) => {
    const shape = randomImage(choice)
    const doubled = choice.of([true, false])
    const to = (size: number) => (doubled ? 2 * size : choice.whole(1, 12))
    return { shape, to: [to(shape[1]), to(shape[2])] as [number, number] }
  })

  it.each(cases)('bilinear %s', async (_, { shape, to }) => {
    await checkGradients({
      shapes: [shape],
      operation: (x) => tf.image.resizeBilinear(asFour(x), to),
      reference: (x) => bilinearResizing(x, shape, to),
      seed: 1,
    })
  })

  it.each(cases)('nearest %s', async (_, { shape, to }) => {
    await checkGradients({
      shapes: [shape],
      operation: (x) => tf.image.resizeNearestNeighbor(asFour(x), to),
      reference: (x) => nearestResizing(x, shape, to),
      seed: 2,
    })
  })

  it.each(cases.slice(0, 16))(
    'bilinear with corners aligned, or by the centers of pixels %s',
    async (_, { shape, to }) => {
      const outShape: Shape4 = [shape[0], ...to, shape[3]]
      const [values, outer] = [randomValues(shape, 3), randomValues(outShape, 4)]
      for (const [aligned, centers] of [
        [true, false],
        [false, true],
      ] as const) {
        const resize = (x: tf.Tensor) => tf.image.resizeBilinear(asFour(x), to, aligned, centers)
        const run = () => {
          const [y, dx] = tf.tidy(() => {
            const [x, dy] = [tf.tensor4d(values, shape), tf.tensor4d(outer, outShape)]
            return [resize(x), tf.grad(resize)(x, dy)]
          })
          const results = [y.dataSync(), dx.dataSync()] as const
          tf.dispose([y, dx])
          return results
        }
        await tf.setBackend('cpu')
        const [y, dx] = run()
        // A linear operation R and its gradient R*: <R x, dy> = <x, R* dy>, with the forward kernel of `js` as it ships.
        expect(product(y, outer)).toBeCloseTo(product(values, dx), 3)
        await tf.setBackend('wasm')
        expectClose(run()[1], dx, 1e-4)
      }
    },
  )
})

function product(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a, (value, i) => value * (b[i] ?? NaN)).reduce((sum, value) => sum + value, 0)
}

describe('pooling', () => {
  const cases = randomCases(30, 22, (choice) => {
    const shape = randomImage(choice)
    const halving = choice.of([true, false])
    const size = halving ? 2 : choice.whole(1, 3)
    const fits = shape[1] >= size && shape[2] >= size
    const padding = fits ? choice.of<Padding>(['same', 'valid']) : 'same'
    return { shape, size, stride: halving ? 2 : choice.whole(1, 3), padding }
  })

  it.each(cases)('by the maximum %s', async (_, given) => {
    await checkGradients({
      shapes: [given.shape],
      operation: (x) => tf.maxPool(asFour(x), given.size, given.stride, given.padding),
      reference: (x) => maxPooling(x, given),
      seed: 3,
    })
  })

  it.each(cases)('by the mean %s', async (_, given) => {
    await checkGradients({
      shapes: [given.shape],
      operation: (x) => tf.avgPool(asFour(x), given.size, given.stride, given.padding),
      reference: (x) => averagePooling(x, given),
      seed: 4,
    })
  })
})
