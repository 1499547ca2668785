import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildUNet } from '../models/unet.ts'
import { mirrorIndex } from '../data/padding.ts'
import { startRuntime } from '../runtime/start.ts'
import { extentsOf, resultExtent } from './extents.ts'
import { forwardPass } from './forwardPass.ts'
import { predictPictures } from './pictures.ts'
import { predictPrepared } from './prepared.ts'
import { reachOf } from './receptiveField.ts'
import { runnableOf } from './runnable.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { Averaging } from './pictures.ts'
import type { Budget } from '../runtime/memory.ts'

const MINUTES = 60_000

beforeAll(async () => {
  await startRuntime({ backend: 'wasm', threads: 1 })
}, MINUTES)

function picture(width: number, height: number, channels = 1): Float32Array {
  return Float32Array.from({ length: channels * width * height }, (_, i) => ((i * 7919) % 1013) / 1013)
}

/** Of one level: 8 pixels less at each side. */
function validNetwork(inputChannels: 1 | 3): LayersModel {
  const options = { levels: 1, base: 4, classes: 2, seed: 1, normalization: 'none', upsampling: 'nearest' } as const
  return buildUNet({ ...options, inputChannels, convolutions: 'valid' })
}

const few = (pixels: number): Budget => ({ tensors: pixels, process: 1e9, largest: Infinity, heapLive: null })

const plain: Averaging = { activation: 'none', flips: 'none', quarterTurns: false, overlap: 0.25 }

async function run(
  network: LayersModel,
  step: number,
  size: { width: number; height: number; channels: number },
  averaging: Averaging = plain,
  memory?: Budget,
): Promise<{ values: Float32Array; passes: number[][] }> {
  const passes: number[][] = []
  let result = new Float32Array()
  await predictPictures(
    runnableOf(network, (...args) => {
      passes.push(args[2])
      return forwardPass(...args)
    }),
    step,
    { sizes: [size], channels: size.channels, image: () => picture(size.width, size.height, size.channels) },
    (_, values) => (result = values.slice()),
    averaging,
    memory === undefined ? {} : { memory },
  )
  return { values: result, passes }
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length)
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? NaN))), 0)
}

describe('extents of a network', () => {
  it('are those of the paper for valid convolutions', () => {
    const network = validNetwork(1)
    // 4 off before the pooling, 8 (of the image) below it, 4 after it.
    expect(extentsOf(network, 2)).toEqual({ margin: 8, least: 2, step: 2 })
    // Nothing in it looks at the whole picture, cut skips included.
    expect(reachOf(network).pixels).toBeLessThan(12)
    expect(resultExtent(network, 40)).toBe(24)
    expect(resultExtent(network, 41)).toBeNull()
    network.dispose()
  })

  it('are multiples of the step without a margin for same-size ones', () => {
    const network = buildUNet({ levels: 2, base: 2, classes: 2, seed: 1, normalization: 'none', upsampling: 'nearest' })
    expect(extentsOf(network, 4)).toEqual({ margin: 0, least: 4, step: 4 })
    network.dispose()
  })
})

describe('overlap tiles with valid convolutions', () => {
  it.each([
    [50, 37],
    [5, 3],
    [1, 40],
  ])('give every pixel of %i x %i what the mirrored picture gives', async (width, height) => {
    const network = validNetwork(3)
    const { values } = await run(network, 2, { width, height, channels: 3 })
    const image = picture(width, height, 3)
    // The picture mirrored by hand, far enough on all sides and of an even size.
    const border = 10
    const [W, H] = [width + 2 * border + (width % 2), height + 2 * border + (height % 2)]
    // Tiles begin where half of what is missing to an even result lies before the picture: nothing of one pixel.
    const input = tf.tidy(() => {
      const data = new Float32Array(W * H * 3)
      for (let y = 0; y < H; y++) {
        for (let x = 0; x < W; x++) {
          const at = mirrorIndex(y - border, height) * width + mirrorIndex(x - border, width)
          for (let c = 0; c < 3; c++) data[(y * W + x) * 3 + c] = image[c * width * height + at] ?? 0
        }
      }
      return tf.tensor4d(data, [1, H, W, 3])
    })
    const output = network.predict(input) as tf.Tensor4D
    const wanted = await output.data()
    const across = output.shape[2]
    const expected = Float32Array.from({ length: 2 * width * height }, (_, i) => {
      const [c, at] = [Math.floor(i / (width * height)), i % (width * height)]
      const [x, y] = [at % width, Math.floor(at / width)]
      return wanted[((y + border - 8) * across + x + border - 8) * 2 + c] ?? NaN
    })
    tf.dispose([input, output])
    network.dispose()
    expect(largestDifference(values, expected)).toBeLessThan(1e-5)
  })

  it('give the same in small pieces as in one', async () => {
    const network = validNetwork(1)
    const size = { width: 75, height: 121, channels: 1 }
    const whole = await run(network, 2, size)
    expect(whole.passes).toEqual([[1, 138, 92, 1]])
    const pieces = await run(network, 2, size, plain, few(400_000))
    expect(pieces.passes.length).toBeGreaterThan(1)
    expect(largestDifference(pieces.values, whole.values)).toBeLessThan(1e-5)
    network.dispose()
  })
})

describe('blended tiles', () => {
  it('give what the whole picture gives, where the network looks no farther than they overlap', async () => {
    const network = buildUNet({ levels: 1, base: 4, classes: 3, seed: 2, normalization: 'none', upsampling: 'nearest' })
    const size = { width: 333, height: 201, channels: 1 }
    const whole = await run(network, 2, size)
    expect(whole.passes).toHaveLength(1)
    const pieces = await run(network, 2, size, { ...plain, overlap: 0.5 }, few(1_500_000))
    expect(pieces.passes.length).toBeGreaterThan(3)
    expect(largestDifference(pieces.values, whole.values)).toBeLessThan(1e-4)
    network.dispose()
  })
})

describe('mirrored and turned copies', () => {
  /** Nine different weights: what it gives for a turned picture is not what it gives for the picture, turned. */
  function lopsided(): LayersModel {
    const network = layers.sequential({
      layers: [layers.layers.conv2d({ inputShape: [null, null, 1], filters: 2, kernelSize: 3, padding: 'same' })],
    })
    const kernel = tf.tensor4d(
      Array.from({ length: 18 }, (_, i) => ((i * 5) % 7) - 3),
      [3, 3, 1, 2],
    )
    const bias = tf.tensor1d([0.5, -0.5])
    network.setWeights([kernel, bias])
    tf.dispose([kernel, bias])
    return network
  }

  it.each([
    ['none', false, 1],
    ['horizontal', false, 2],
    ['vertical', false, 2],
    ['both', false, 4],
    ['none', true, 4],
    ['horizontal', true, 8],
    ['both', true, 8],
  ] as const)(
    'flips %s, quarter turns %s: the mean of %i copies, each in its place',
    async (flips, quarterTurns, count) => {
      const network = lopsided()
      const [width, height] = [7, 5]
      const { values, passes } = await run(
        network,
        1,
        { width, height, channels: 1 },
        { ...plain, flips, quarterTurns },
      )
      expect(passes.reduce((sum, [n = 0]) => sum + n, 0)).toBe(count)
      const turns = quarterTurns ? [0, 1, 2, 3] : [0]
      const across = flips === 'horizontal' || flips === 'both'
      const down = flips === 'vertical' || flips === 'both'
      // With all turns one mirror is enough.
      const mirrors = [
        { y: false, x: false },
        ...(across ? [{ y: false, x: true }] : []),
        ...(down && !quarterTurns ? [{ y: true, x: false }] : []),
        ...(across && down && !quarterTurns ? [{ y: true, x: true }] : []),
      ]
      const mean = tf.tidy(() => {
        const image = tf.tensor4d(picture(width, height), [1, height, width, 1])
        const turned = (x: tf.Tensor4D, times: number): tf.Tensor4D =>
          times === 0 ? x : turned(tf.reverse(tf.transpose(x, [0, 2, 1, 3]), 1), times - 1)
        const mirrored = (x: tf.Tensor4D, by: { y: boolean; x: boolean }): tf.Tensor4D => {
          const axes = [...(by.y ? [1] : []), ...(by.x ? [2] : [])]
          return axes.length === 0 ? x : tf.reverse(x, axes)
        }
        const results = turns.flatMap((times) =>
          mirrors.map((by) => {
            const result = network.predict(mirrored(turned(image, times), by)) as tf.Tensor4D
            return turned(mirrored(result, by), (4 - times) % 4)
          }),
        )
        expect(results).toHaveLength(count)
        return tf.transpose(tf.mean(tf.stack(results), 0), [0, 3, 1, 2]).dataSync() as Float32Array
      })
      network.dispose()
      expect(largestDifference(values, mean)).toBeLessThan(1e-5)
    },
  )
})

describe('predictPrepared', () => {
  it('gives probabilities of the slices in order, and leaves nothing behind', async () => {
    const network = buildUNet({
      levels: 1,
      base: 2,
      classes: 3,
      seed: 3,
      normalization: 'batch',
      upsampling: 'nearest',
    })
    const slices = [
      { width: 9, height: 6, channels: 1, image: picture(9, 6) },
      { width: 5, height: 12, channels: 1, image: picture(5, 12) },
    ]
    const logits = await predictPrepared(network, 2, slices, { activation: 'none', training: true })
    const tensors = tf.memory().numTensors
    const results = await predictPrepared(network, 2, slices, { activation: 'softmax' })
    expect(tf.memory().numTensors).toBe(tensors)
    results.forEach(({ width, height, channels, values }, i) => {
      expect([width, height, channels]).toEqual([slices[i]?.width, slices[i]?.height, 3])
      const given = logits[i]?.values ?? new Float32Array()
      const pixels = width * height
      for (let p = 0; p < pixels; p++) {
        const powers = [0, 1, 2].map((c) => Math.exp(given[c * pixels + p] ?? NaN))
        const sum = powers.reduce((a, b) => a + b, 0)
        powers.forEach((power, c) => expect(values[c * pixels + p]).toBeCloseTo(power / sum, 5))
      }
    })
    network.dispose()
  })
})
