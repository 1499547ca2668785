import { beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '../data/random.ts'
import { modelCard } from '../models/card.ts'
import { buildUNet } from '../models/unet.ts'
import { startRuntime } from '../runtime/start.ts'
import { doubtOfLogits, doubtOfShares } from './doubt.ts'
import { entropyOf, outputMeaning } from './meaning.ts'
import { predictSlices } from './predict.ts'
import { pointwise } from './testing/pointwise.ts'
import type { ComputeSlice } from '../../core/contract/compute.ts'
import type { LoadedModel } from '../models/files.ts'

beforeAll(async () => {
  await startRuntime({ backend: 'wasm', threads: 1 })
}, 60_000)

function slice(width: number, data: ArrayLike<number>): ComputeSlice {
  const bytes = Uint8Array.from(data)
  const height = bytes.length / width
  return {
    index: 3,
    width,
    height,
    channels: 1,
    voxelType: 'uint8',
    data: bytes,
    slope: 1,
    inter: 0,
    low: 0,
    high: 255,
  }
}

/** Shannon's entropy of softmax as a share of its maximum, by its definition. */
function shareOf(logits: readonly number[]): number {
  const sum = logits.reduce((total, value) => total + Math.exp(value), 0)
  const found = logits.reduce((total, value) => total - (Math.exp(value) / sum) * Math.log(Math.exp(value) / sum), 0)
  return found / Math.log(logits.length)
}

/** Without what a recipe's card says. */
function withoutHandling({ network, card: { handling: _, ...card } }: LoadedModel): LoadedModel {
  return { network, card }
}

describe('how unsure labels are, without probabilities', () => {
  it('is the entropy of softmax, within a step of a byte', () => {
    const doubt = (logits: readonly number[]) =>
      doubtOfLogits(logits.length)(Float32Array.of(99, ...logits), 1, Math.max(...logits))
    expect(doubt([4, 4, 4])).toBe(255)
    expect(doubt([800, -800])).toBe(0)
    expect(doubt([1e30, -1e30, 0])).toBe(0)
    expect(doubt([3])).toBe(0)
    const random = createRandom(4)
    for (let k = 0; k < 3000; k++) {
      const logits = Array.from({ length: 2 + (k % 7) }, () => (k % 20) * (random() - 0.5))
      expect(Math.abs(doubt(logits) - 255 * shareOf(logits))).toBeLessThan(1)
    }
  })

  it('is that of probabilities too, of labels for themselves that of the least sure one', () => {
    const meaning = outputMeaning(pointwise([[0, 0, 0]], [0, 0, 0], [4, 6]))
    const random = createRandom(5)
    const pixels = 1000
    const shares = new Float32Array(3 * pixels)
    for (let i = 0; i < pixels; i++) {
      const powers = [0, 1, 2].map(() => random() ** (i % 9))
      const sum = powers.reduce((a, b) => a + b)
      powers.forEach((power, c) => (shares[c * pixels + i] = power / sum))
    }
    for (const [exclusive, classes] of [
      [true, 3],
      [false, 2],
    ] as const) {
      const kind = { ...meaning, exclusive }
      const wanted = entropyOf(shares.subarray(0, classes * pixels), pixels, kind)
      const given = doubtOfShares(shares, pixels, kind)
      given.forEach((value, i) => {
        expect(Math.abs(value - 255 * (wanted[i] ?? NaN))).toBeLessThan(0.6)
      })
    }
  })

  it('comes with the same labels as without, tile by tile', async () => {
    const network = buildUNet({ levels: 1, base: 4, classes: 3, seed: 5, normalization: 'none', upsampling: 'nearest' })
    const architecture = { name: 'unet', levels: 1, base: 4, inputChannels: 1, step: 2, normalization: 'none' } as const
    const labels = [3, 9].map((value) => ({ value, name: `Label ${value}` }))
    const identity = { id: 'u', parentId: null, name: 'U', createdAt: 'now', labels }
    const model: LoadedModel = { network, card: modelCard(identity, { network, architecture, training: null }) }
    const picture = slice(
      37,
      Array.from({ length: 37 * 23 }, (_, i) => ((i + 1) * 7919 + ((i * i) % 97) * 31) % 256),
    )
    const [plain] = await predictSlices(model, [picture])
    const [both] = await predictSlices(model, [picture], { entropy: true })
    expect(both?.labels).toEqual(plain?.labels)
    expect(plain?.entropy).toBeUndefined()
    // By way of probabilities, as a card asks for.
    const inference = { ...model.card, handling: pointwise([[0, 0]], [0, 0], [1]).card.handling }
    const [folded] = await predictSlices({ network, card: inference as LoadedModel['card'] }, [picture], {
      entropy: true,
    })
    const apart = [...(both?.entropy ?? [])].map((value, i) => Math.abs(value - (folded?.entropy?.[i] ?? 0)))
    expect(apart).toHaveLength(37 * 23)
    expect(Math.max(...apart)).toBeLessThanOrEqual(1)
    network.dispose()
  })

  it('is told for each pixel', async () => {
    // Logits of labels 4 and 6: 8 x - 4 and -1, beside 0 of background.
    const model = withoutHandling(pointwise([[0, 8, 0]], [0, -4, -1], [4, 6]))
    const data = [0, 64, 128, 255]
    const [found] = await predictSlices(model, [slice(2, data)], { entropy: true })
    expect([...(found?.entropy ?? [])]).toEqual(
      data.map((value) => Math.round(255 * shareOf([0, (8 * value) / 255 - 4, -1]))),
    )
    expect([...(found?.labels ?? [])]).toEqual([0, 0, 4, 4])
    model.network.dispose()
  })
})
