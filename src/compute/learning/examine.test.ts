import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { inferenceSettingsSchema } from '../../core/contract/recipes.ts'
import { pointwise, threshold } from '../inference/testing/pointwise.ts'
import { modelCard } from '../models/card.ts'
import { buildUNet } from '../models/unet.ts'
import { startRuntime } from '../runtime/start.ts'
import { examineSlices } from './examine.ts'
import type { ComputeSlice } from '../../core/contract/compute.ts'
import type { LoadedModel } from '../models/files.ts'

beforeAll(async () => {
  await startRuntime({ backend: 'wasm', threads: 1 })
}, 60_000)

function slice(index: number, width: number, data: ArrayLike<number>): ComputeSlice {
  const bytes = Uint8Array.from(data)
  const height = bytes.length / width
  return { index, width, height, channels: 1, voxelType: 'uint8', data: bytes, slope: 1, inter: 0, low: 0, high: 255 }
}

/** Shannon's entropy in bits of a label that has this logit above background. */
function bits(logit: number): number {
  const p = 1 / (1 + Math.exp(-logit))
  return -(p * Math.log2(p) + (1 - p) * Math.log2(1 - p))
}

/** One level down, labels 3 and 9, random weights. */
function unet(normalization: 'none' | 'batch' = 'none'): LoadedModel {
  const network = buildUNet({ levels: 1, base: 4, classes: 3, seed: 5, normalization, upsampling: 'nearest' })
  const architecture = { name: 'unet', levels: 1, base: 4, inputChannels: 1, step: 2, normalization } as const
  const labels = [3, 9].map((value) => ({ value, name: `Label ${value}` }))
  const identity = { id: 'u', parentId: null, name: 'U', createdAt: 'now', labels }
  return { network, card: modelCard(identity, { network, architecture, training: null }) }
}

const noise = (seed: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => ((i + 1) * 7919 * seed + ((i * i) % 97) * 31) % 256)

describe('examining slices', () => {
  it('tells the mean entropy of its pixels', async () => {
    // Logits of the label from -4 to 4 by the intensity: 8 x - 4.
    const model = threshold()
    const data = [0, 0, 96, 128, 255, 0, 0, 0, 0, 0, 0, 0]
    const [found] = await examineSlices(model, [slice(3, 4, data)])
    const logits = data.map((value) => (8 * value) / 255 - 4)
    const sum = logits.reduce((total, logit) => total + bits(logit), 0)
    expect(found?.score).toBeCloseTo(sum / 12, 2)
    expect(found?.index).toBe(3)
    expect([...(found?.labels ?? [])]).toEqual([0, 0, 0, 7, 7, 0, 0, 0, 0, 0, 0, 0])
    expect(found?.entropy[3]).toBe(255)
    expect(found?.entropy[0]).toBe(Math.round(255 * bits(-4)))
    expect(found?.disagreement).toBeNull()
    model.network.dispose()
  })

  it('counts labels for themselves by the least sure', async () => {
    // Two labels, each with its own probability; the second is as unsure as can be.
    const model = pointwise([[0, 0]], [-9, 0], [1, 2], { output: 'sigmoid' })
    const [found] = await examineSlices(model, [slice(0, 2, [255, 255])])
    expect(found?.score).toBe(1)
    model.network.dispose()
  })

  it('disagrees where a label hangs on how light the picture is', async () => {
    // Labelled above 127.5 of 255. Lighter, by a power of 0.75, from 102 on (0.4 ^ 0.75 = 0.503); darker, by 1.33, from 152.
    const model = threshold()
    const row = [0, 110, 140, 255, 0, 0, 0, 0]
    const [found] = await examineSlices(model, [slice(0, 8, Array.from({ length: 8 }, () => row).flat())], {
      disagreement: true,
    })
    // Moved by 3 both ways, 5 x 5 of 8 x 8 pixels are in both: right and down columns 0 to 4 of the slice, in which only 110 becomes
    // a label; left and up columns 3 to 7, in which neither 110 nor 140 is.
    expect(found?.disagreement).toBeCloseTo((5 / 25 + 0) / 2, 12)
    const [calm] = await examineSlices(model, [slice(0, 4, new Array<number>(16).fill(40))], { disagreement: true })
    expect(calm?.disagreement).toBe(0)
    model.network.dispose()
  })

  it('disagreement is that of the moved pictures, each predicted for itself', async () => {
    const model = unet()
    const [width, height] = [12, 10]
    const data = noise(3, width * height)
    const at = (x: number, y: number): number =>
      data[Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x))] ?? NaN
    const moved = (by: number, gamma: number): ComputeSlice => {
      const shown = data.map((_, i) => at((i % width) - by, Math.floor(i / width) - by))
      const [low, high] = [Math.min(...shown), Math.max(...shown)]
      const values = shown.map((value) => (low + (high - low) * ((value - low) / (high - low)) ** gamma) / 255)
      const bytes = new Uint8Array(Float32Array.from(values).buffer)
      return { ...slice(0, width, data), voxelType: 'float32', data: bytes, high: 1 }
    }
    const [plain, one, other] = await examineSlices(model, [slice(0, width, data), moved(3, 0.75), moved(-3, 1.33)])
    const shares = ([[one, 3], [other, -3]] as const).map(([found, by]) => {
      const pixels = data.flatMap((_, i) => {
        const [x, y] = [(i % width) - by, Math.floor(i / width) - by]
        if (x < Math.max(0, -by) || y < Math.max(0, -by) || x >= width - Math.max(0, by) || y >= height - Math.max(0, by)) return []
        return [found?.labels[i] !== plain?.labels[y * width + x] ? 1 : 0]
      })
      expect(pixels).toHaveLength((width - 3) * (height - 3))
      return pixels.reduce<number>((sum, value) => sum + value, 0) / pixels.length
    }) // prettier-ignore
    const { numTensors } = tf.memory()
    const told: number[] = []
    const square = slice(1, 8, noise(2, 64))
    const found = await examineSlices(model, [square, slice(0, width, data)], {
      disagreement: true,
      onProgress: (share) => told.push(share),
    })
    expect(found[1]?.disagreement).toBeGreaterThan(0)
    expect(found[1]?.disagreement).toBeCloseTo(((shares[0] ?? NaN) + (shares[1] ?? NaN)) / 2, 12)
    expect(found.map(({ labels }) => labels.length)).toEqual([64, 120])
    expect(told.at(-1)).toBe(1)
    expect(told).toEqual([...told].sort((a, b) => a - b))
    expect(tf.memory().numTensors).toBe(numTensors)
    model.network.dispose()
  })

  it('describes a slice by the mean of the deepest layer, at length 1', async () => {
    for (const normalization of ['none', 'batch'] as const) {
      const model = unet(normalization)
      const data = noise(4, 64)
      const [found] = await examineSlices(model, [slice(0, 8, data)])
      // The same by TensorFlow.js itself: what the layer before the up-sampling gives.
      const means = tf.tidy(() => {
        const images = tf.tensor4d(
          data.map((value) => value / 255),
          [1, 8, 8, 1],
        )
        let x: tf.Tensor = images
        for (const layer of model.network.layers.slice(1)) {
          if (layer.name.startsWith('upsample')) break
          x = layer.apply(x) as tf.Tensor
        }
        expect(x.shape).toEqual([1, 4, 4, 8])
        return [...tf.mean(x, [1, 2]).dataSync()]
      })
      const length = Math.hypot(...means)
      expect(found?.features).toHaveLength(8)
      found?.features.forEach((value, i) => expect(value).toBeCloseTo((means[i] ?? NaN) / length, 4))
      model.network.dispose()
    }
  })

  it('alike slices are described alike', async () => {
    const model = unet()
    const base = noise(5, 256)
    const [one, alike, other] = await examineSlices(model, [
      slice(0, 16, base),
      slice(1, 16, base.map((value) => Math.min(255, value + 1))),
      slice(2, 16, base.map((_, i) => (i % 16 < 8 ? 250 : 5))),
    ]) // prettier-ignore
    const distance = (a?: Float32Array, b?: Float32Array): number =>
      Math.hypot(...Array.from(a ?? [], (value, i) => value - (b?.[i] ?? NaN)))
    expect(distance(one?.features, alike?.features)).toBeLessThan(distance(one?.features, other?.features) / 3)
    model.network.dispose()
  })

  it('does as the card says and stops when it is cancelled', async () => {
    const inference = inferenceSettingsSchema.parse({ flips: 'both', smallest: 2 })
    const model = threshold({ inference }, 4)
    const alone = [0, 255, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255]
    const [found] = await examineSlices(model, [slice(0, 4, alone)])
    expect([...(found?.labels ?? [])]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 7])
    const stop = new AbortController()
    const examined = examineSlices(model, [slice(0, 4, alone)], {
      disagreement: true,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    })
    await expect(examined).rejects.toMatchObject({ code: 'cancelled' })
    model.network.dispose()
  })
})
