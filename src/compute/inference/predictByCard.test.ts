import { beforeAll, describe, expect, it } from 'vitest'
import { inferenceSettingsSchema } from '../../core/contract/recipes.ts'
import { startRuntime } from '../runtime/start.ts'
import { predictSlices } from './predict.ts'
import { pointwise, threshold } from './testing/pointwise.ts'
import type { ComputeSlice } from '../../core/contract/compute.ts'

beforeAll(async () => {
  await startRuntime({ backend: 'wasm', threads: 1 })
}, 60_000)

function slice(index: number, width: number, data: Uint8Array<ArrayBuffer>, channels: 1 | 3 = 1): ComputeSlice {
  const height = data.length / width / channels
  return { index, width, height, channels, voxelType: 'uint8', data, slope: 1, inter: 0, low: 0, high: 1 }
}

describe('slices by the card of a recipe', () => {
  it('are labelled in order, mirrored and in colour, with small parts left out and holes filled', async () => {
    const inference = inferenceSettingsSchema.parse({ flips: 'both', smallest: 2, fillHoles: true })
    const model = threshold({ inference }, 4)
    const data = Uint8Array.from('1000011101010111'.slice(0, 16), (digit) => 255 * Number(digit))
    const plain = slice(4, 4, data)
    const wide = slice(2, 7, new Uint8Array(21).fill(255))
    const found = await predictSlices(model, [plain, wide])
    expect(found.map(({ index }) => index)).toEqual([4, 2])
    // 1000 0111 0101 0111: the corner touches the ring, whose hole is filled.
    expect([...(found[0]?.labels ?? [])].map((label) => label / 7).join('')).toBe('1000011101110111')
    expect(found[1]?.labels.every((label) => label === 7)).toBe(true)
    expect(found[0]?.entropy).toBeUndefined()
    model.network.dispose()
    const colour = pointwise([[0, 0], [0, 8], [0, 0]], [0, -4], [7]) // prettier-ignore
    const [green] = await predictSlices(colour, [slice(0, 2, Uint8Array.of(255, 0, 255, 0, 255, 0), 3)])
    expect([...(green?.labels ?? [])]).toEqual([0, 7])
    colour.network.dispose()
  })

  it('tell how unsure they are, from 0 to 255', async () => {
    const model = threshold()
    const [found] = await predictSlices(model, [slice(0, 3, Uint8Array.of(0, 127, 255))], { entropy: true })
    const p = 1 / (1 + Math.exp(4))
    const sure = -(p * Math.log2(p) + (1 - p) * Math.log2(1 - p))
    expect(found?.entropy?.[0]).toBe(Math.round(255 * sure))
    expect(found?.entropy?.[1]).toBe(255)
    model.network.dispose()
  })
})
