import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { modelCard } from '../models/card.ts'
import { buildUNet } from '../models/unet.ts'
import { startRuntime } from '../runtime/start.ts'
import { argmax, predictSlices } from './predict.ts'
import type { ComputeSlice } from '../../core/contract/compute.ts'
import type { LoadedModel } from '../models/files.ts'

const MINUTES = 60_000

describe('argmax', () => {
  it('takes the first of equal values', () => {
    expect(argmax(Float32Array.of(9, 1, 3, 3), 1, 3)).toBe(1)
    expect(argmax(Float32Array.of(2, 2), 0, 2)).toBe(0)
  })
})

describe('predictSlices', () => {
  let model: LoadedModel

  beforeAll(async () => {
    await startRuntime({ backend: 'wasm', threads: 1 })
    model = thresholdModel()
  }, MINUTES)

  afterAll(() => {
    model.network.dispose()
  })

  /** Says label 7 where the intensity is above 0.5: one 1 x 1 convolution, so that every pixel's label is known. */
  function thresholdModel(): LoadedModel {
    const network = layers.sequential({
      layers: [layers.layers.conv2d({ inputShape: [null, null, 1], filters: 2, kernelSize: 1 })],
    })
    const kernel = tf.tensor4d([0, 1], [1, 1, 1, 2])
    const bias = tf.tensor1d([0, -0.5])
    network.setWeights([kernel, bias])
    tf.dispose([kernel, bias])
    const architecture = { name: 'threshold', levels: 4, base: 1, inputChannels: 1, step: 16 } as const
    const identity = { id: 't', parentId: null, name: 'T', createdAt: 'now', labels: [{ value: 7, name: 'Bright' }] }
    return { network, card: modelCard(identity, { network, architecture, training: null }) }
  }

  function slice(index: number, width: number, height: number): ComputeSlice {
    // Neither regular in x nor in y, so that a shifted or swapped result shows.
    const data = Uint8Array.from({ length: width * height }, (_, i) => (((i * 7919) % 31) * 255) / 31)
    return {
      ...{ index, width, height, channels: 1, voxelType: 'uint8', data },
      ...{ slope: 1, inter: 0, low: 0, high: 255 },
    }
  }

  function expected({ data }: ComputeSlice): number[] {
    return Array.from(data, (value) => (value / 255 > 0.5 ? 7 : 0))
  }

  it.each([
    [1, 1],
    [16, 16],
    [35, 50],
    [1, 40],
    [200, 3],
    [1100, 700],
  ])(
    'labels every pixel in its place, of %i x %i',
    async (width, height) => {
      const asked = slice(3, width, height)
      const [result] = await predictSlices(model, [asked])
      expect(result?.index).toBe(3)
      expect(Array.from(result?.labels ?? [])).toEqual(expected(asked))
    },
    MINUTES,
  )

  it('keeps the order of slices of several sizes and tells how far it is', async () => {
    const slices = [slice(9, 20, 20), slice(2, 20, 20), slice(5, 33, 18), slice(1, 20, 20)]
    const done: number[] = []
    const results = await predictSlices(model, slices, { onProgress: (share) => done.push(share) })
    expect(results.map(({ index }) => index)).toEqual([9, 2, 5, 1])
    results.forEach(({ labels }, i) => {
      const asked = slices[i]
      if (asked !== undefined) expect(Array.from(labels)).toEqual(expected(asked))
    })
    expect(done).toEqual([800 / 1794, 1394 / 1794, 1])
  })

  it('gives a slice the same labels alone and in a batch', async () => {
    const network = buildUNet({
      levels: 2,
      base: 4,
      classes: 2,
      seed: 1,
      normalization: 'instance',
      upsampling: 'nearest',
    })
    const architecture = { name: 'unet-norm', levels: 2, base: 4, inputChannels: 1, step: 4 } as const
    const unet = { network, card: { ...model.card, architecture } }
    const slices = [slice(0, 37, 21), slice(1, 37, 21), slice(2, 37, 21)].map((each, i) => ({
      ...each,
      high: 255 + 90 * i,
    }))
    const together = await predictSlices(unet, slices)
    const tensors = tf.memory().numTensors
    for (const [i, each] of slices.entries()) expect(await predictSlices(unet, [each])).toEqual([together[i]])
    expect(tf.memory().numTensors).toBe(tensors)
    network.dispose()
  })

  it('stops between batches when it is cancelled', async () => {
    const cancel = new AbortController()
    const slices = Array.from({ length: 6 }, (_, i) => slice(i, 400, 400))
    const done: number[] = []
    const running = predictSlices(model, slices, {
      signal: cancel.signal,
      onProgress: (share) => {
        done.push(share)
        cancel.abort()
      },
    })
    await expect(running).rejects.toMatchObject({ code: 'cancelled' })
    expect(done).toHaveLength(1)
  })
})
