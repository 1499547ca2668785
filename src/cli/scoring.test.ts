import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FakeCompute } from '../backend/testing/fakeCompute.ts'
import { writePng } from '../imaging/index.ts'
import { scoreModels } from './scoring.ts'

let dir = ''
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'maskwright-scoring-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

describe('scoreModels', () => {
  it('counts a label that is rightly absent as right, and one that is made up as wrong', async () => {
    const [image, mask] = [join(dir, 'image.png'), join(dir, 'mask.png')]
    const picture = { width: 4, height: 1, channels: 1 as const }
    await writePng(image, { ...picture, data: Uint8Array.of(0, 100, 200, 250) })
    await writePng(mask, { ...picture, data: Uint8Array.of(0, 1, 1, 0) })
    const compute = new FakeCompute()
    // The second model finds the same of label 1, and calls the first pixel label 2.
    compute.label = (value, model) => (value > 50 ? 1 : model === 'b' ? 2 : 0)
    const options = { signal: new AbortController().signal, onProgress: () => undefined }
    const { scores, held } = await scoreModels(compute, ['a', 'b'], [{ id: 'image', image, mask }], options)
    // Label 1: two voxels in the mask, three predicted, two shared.
    expect(scores).toEqual([
      { 1: 0.8, 2: 1, mean: 0.9 },
      { 1: 0.8, 2: 0, mean: 0.4 },
    ])
    const first = { label: 1, truth: 2, predicted: 3, both: 2 }
    const [slice] = held[0]?.slices ?? []
    expect(slice?.before).toEqual([first])
    expect(slice?.after).toEqual([first, { label: 2, truth: 0, predicted: 1, both: 0 }])
  })
})
