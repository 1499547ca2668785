import { beforeAll, describe, expect, it } from 'vitest'
import { inferenceSettingsSchema } from '../../core/contract/recipes.ts'
import { threshold } from '../inference/testing/pointwise.ts'
import { startRuntime } from '../runtime/start.ts'
import { scoreSlices } from './score.ts'
import type { TrainingSample } from '../../core/contract/compute.ts'

beforeAll(async () => {
  await startRuntime({ backend: 'wasm', threads: 1 })
}, 60_000)

/** Pixels of 0 or 255 and their labels, written as digits. */
function sample(width: number, bright: string, labels: string, trusted?: string): TrainingSample {
  const bytes = (digits: string, factor = 1) => Uint8Array.from(digits, (digit) => factor * Number(digit))
  const data = bytes(bright, 255)
  return {
    ...{ index: 0, width, height: data.length / width, channels: 1, voxelType: 'uint8', data, role: 'corrected' },
    ...{ slope: 1, inter: 0, low: 0, high: 255, labels: bytes(labels) },
    ...(trusted === undefined ? {} : { trusted: bytes(trusted) }),
  }
}

describe('scoring slices', () => {
  it('counts labels, background too, and what would have to be changed', async () => {
    // Label 7 is predicted where it is bright.
    const model = threshold()
    const scored = await scoreSlices(model, [sample(4, '01110000', '07700400'), sample(2, '0000', '0000')])
    expect(scored).toEqual([
      {
        overlaps: [
          { label: 0, both: 4, predicted: 5, truth: 5 },
          { label: 4, both: 0, predicted: 0, truth: 1 },
          { label: 7, both: 2, predicted: 3, truth: 2 },
        ],
        changed: 2,
      },
      { overlaps: [{ label: 0, both: 4, predicted: 4, truth: 4 }], changed: 0 },
    ])
    expect(await scoreSlices(model, [])).toEqual([])
    model.network.dispose()
  })

  it('leaves out what nobody answers for', async () => {
    const model = threshold()
    const [scored] = await scoreSlices(model, [sample(4, '01110000', '07700400', '11100000')])
    expect(scored).toEqual({
      overlaps: [
        { label: 0, both: 1, predicted: 1, truth: 1 },
        { label: 7, both: 2, predicted: 2, truth: 2 },
      ],
      changed: 0,
    })
    const [nothing] = await scoreSlices(model, [sample(2, '11', '00', '00')])
    expect(nothing).toEqual({ overlaps: [], changed: 0 })
    model.network.dispose()
  })

  it('scores what is shown: with small parts left out as the card says', async () => {
    const model = threshold({ inference: inferenceSettingsSchema.parse({ smallest: 2 }) }, 1)
    const [scored] = await scoreSlices(model, [sample(4, '00011100', '00007700')])
    expect(scored?.changed).toBe(0)
    model.network.dispose()
  })

  it('refuses labels that do not fit, and stops when it is cancelled', async () => {
    const model = threshold()
    const short = { ...sample(4, '01110000', '07700400'), labels: new Uint8Array(7) }
    await expect(scoreSlices(model, [short])).rejects.toMatchObject({ code: 'bad-request' })
    const odd = sample(4, '01110000', '07700400', '111')
    await expect(scoreSlices(model, [odd])).rejects.toMatchObject({ code: 'bad-request' })
    const signal = AbortSignal.abort()
    await expect(scoreSlices(model, [sample(1, '1', '1')], { signal })).rejects.toMatchObject({ code: 'cancelled' })
    model.network.dispose()
  })
})
