import * as tf from '@tensorflow/tfjs-core'
import { createRandom } from '../../../data/random.ts'

type Shape4 = [number, number, number, number]

const CASES: { shape: Shape4; to: [number, number] }[] = [
  { shape: [2, 3, 2, 3], to: [6, 4] },
  { shape: [1, 1, 1, 4], to: [2, 2] },
  { shape: [1, 3, 1, 2], to: [7, 5] },
  { shape: [1, 6, 7, 1], to: [4, 3] },
  { shape: [2, 4, 4, 1], to: [1, 1] },
  { shape: [1, 5, 3, 2], to: [5, 9] },
]

/**
 * Bilinear resizing f is linear, so its gradient g is right when <f(x), w> = <x, g(w)> for all x and w; f by the js
 * backend, for the unit vectors x.
 */
export async function bilinearDifference(): Promise<{ name: string; difference: number }[]> {
  const results: { name: string; difference: number }[] = []
  for (const { shape, to } of CASES) {
    for (const [aligned, halved] of [
      [false, false],
      [true, false],
      [false, true],
    ] as const) {
      const size = shape.reduce((a, b) => a * b, 1)
      const random = createRandom(5)
      const weights = Float32Array.from({ length: shape[0] * to[0] * to[1] * shape[3] }, () => 2 * random() - 1)
      const resized = (x: tf.Tensor4D) => tf.image.resizeBilinear(x, to, aligned, halved)
      const weighted = (x: tf.Tensor) =>
        tf.sum(tf.mul(tf.reshape(resized(tf.reshape(x, shape)), [-1]), tf.tensor1d(weights)))
      await tf.setBackend('cpu')
      const wanted = await Promise.all(
        Array.from({ length: size }, async (_, at) => {
          const unit = new Float32Array(size)
          unit[at] = 1
          return (await tf.tidy(() => weighted(tf.tensor1d(unit))).data())[0] ?? NaN
        }),
      )
      await tf.setBackend('webgpu')
      const gradient = await tf.tidy(() => tf.grad(weighted)(tf.zeros([size]))).data()
      const off = wanted.map((value, at) => Math.abs(value - (gradient[at] ?? NaN)))
      const name = `gradient of bilinear [${shape.join(',')}] to ${to.join('x')}, aligned ${aligned}, halved ${halved}`
      results.push({ name, difference: off.some(Number.isNaN) ? Infinity : Math.max(...off) })
    }
  }
  return results
}
