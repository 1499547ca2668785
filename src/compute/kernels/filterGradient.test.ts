import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '../data/random.ts'
import { startWasm } from '../runtime/wasm.ts'
import { randomValues } from './testing/random.ts'

type Shape4 = [number, number, number, number]

interface Case {
  readonly name: string
  readonly shape: Shape4
  readonly size: number
  readonly outputs: number
  readonly pad: 'same' | 'valid'
}

/** Images so large that 3 x 3 filters go by way of Winograd's transformation where the channels allow it. */
const cases: Case[] = [
  { name: 'even size', shape: [2, 32, 24, 8], size: 3, outputs: 8, pad: 'same' },
  { name: 'odd size', shape: [1, 35, 37, 12], size: 3, outputs: 20, pad: 'same' },
  { name: 'valid', shape: [3, 21, 24, 8], size: 3, outputs: 12, pad: 'valid' },
  { name: 'channels for several slots', shape: [1, 32, 32, 64], size: 3, outputs: 40, pad: 'same' },
  { name: 'channels for one slot', shape: [4, 16, 16, 96], size: 3, outputs: 128, pad: 'same' },
  { name: 'a row of tiles', shape: [1, 2, 600, 8], size: 3, outputs: 8, pad: 'same' },
  { name: 'a column of pixels', shape: [1, 600, 1, 8], size: 3, outputs: 8, pad: 'same' },
  { name: 'channels that are no fours', shape: [1, 33, 40, 9], size: 3, outputs: 10, pad: 'same' },
  { name: 'one channel', shape: [1, 40, 40, 1], size: 3, outputs: 8, pad: 'same' },
  { name: 'another size of filter', shape: [1, 40, 40, 8], size: 5, outputs: 8, pad: 'same' },
]
const SAMPLES = 100

beforeAll(async () => {
  await startWasm(1)
})

describe('the filter gradient over many pixels is the sum of products that defines it', () => {
  it.each(cases)('$name', ({ shape, size, outputs, pad }) => {
    const [count, height, width, channels] = shape
    const before = pad === 'same' ? (size - 1) / 2 : 0
    const [outHeight, outWidth] = [height + 2 * before - size + 1, width + 2 * before - size + 1]
    const x = randomValues(shape, 1)
    const dy = randomValues([count, outHeight, outWidth, outputs], 2)
    const filterShape: Shape4 = [size, size, channels, outputs]
    const got = tf.tidy(() => {
      const attrs: object = { strides: 1, pad, dataFormat: 'NHWC', dimRoundingMode: null, filterShape }
      const inputs = { x: tf.tensor(x, shape), dy: tf.tensor(dy, [count, outHeight, outWidth, outputs]) }
      return tf.engine().runKernel<tf.Tensor>(tf.Conv2DBackpropFilter, inputs, { ...attrs })
    })
    expect(got.shape).toEqual(filterShape)
    const values = got.dataSync()
    got.dispose()

    const definition = (i: number, j: number, c: number, o: number): number => {
      let sum = 0
      for (let n = 0; n < count; n++) {
        for (let oy = 0; oy < outHeight; oy++) {
          for (let ox = 0; ox < outWidth; ox++) {
            const [row, column] = [oy + i - before, ox + j - before]
            if (row < 0 || row >= height || column < 0 || column >= width) continue
            const pixel = x[((n * height + row) * width + column) * channels + c] ?? NaN
            sum += pixel * (dy[((n * outHeight + oy) * outWidth + ox) * outputs + o] ?? NaN)
          }
        }
      }
      return sum
    }
    const random = createRandom(3)
    const any = (below: number) => Math.floor(random() * below)
    // Sums of so many products of values between -1 and 1 are about as large as the root of their number, over three.
    const scale = Math.sqrt(count * outHeight * outWidth) / 3
    for (let sample = 0; sample < SAMPLES; sample++) {
      const [i, j, c, o] = [any(size), any(size), any(channels), any(outputs)]
      const value = values[((i * size + j) * channels + c) * outputs + o] ?? NaN
      expect(Math.abs(value - definition(i, j, c, o)) / scale).toBeLessThan(2e-5)
    }
  })
})
