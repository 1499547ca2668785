import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, it } from 'vitest'
import { cleanUp, jobEnd, openBackend, openWithCase, rectangle, type TestBackend } from '../testing/fixtures.ts'
import { readModelFolder } from './folder.ts'

afterEach(cleanUp)

const TRAIN = { steps: 3, seconds: 10, seed: 1, show: null }

async function withModel(): Promise<TestBackend> {
  const test = await openWithCase()
  const delta = rectangle({ index: 1, at: [2, 1], size: [3, 3], after: 1 })
  await test.call('annotation.commit', { caseId: test.caseId, delta })
  const { id } = await test.call('train.start', TRAIN)
  expect((await jobEnd(test, id)).error).toBeNull()
  return test
}

const report = {
  ...{ slices: 1, steps: 3, seconds: 1, seed: 1, backend: 'wasm', curve: [{ step: 0, loss: 2, dice: 0 }] },
  ...{ lossBefore: 2, lossAfter: 1, diceBefore: 0, diceAfter: 0.5 },
}
/** A card as the first version wrote it. */
const firstFormat = (id: string) => ({
  ...{ format: 1, id, parentId: null, name: 'Old', createdAt: '2025-01-01T00:00:00.000Z' },
  labels: [{ value: 1, name: 'Liver' }],
  architecture: { name: 'unet-norm', levels: 4, base: 8, inputChannels: 1, step: 16 },
  ...{ parameters: 7, normalization: 'percentile', training: report },
})

describe('models of an earlier version', () => {
  it('are listed, activated and trained further, and their cards stay as they are', async () => {
    const test = await withModel()
    const { id = '' } = (await test.call('project.get', {})).models[0] ?? {}
    await test.backend.close()
    const text = JSON.stringify(firstFormat(id))
    const file = join(test.dir, 'models', '001', 'card.json')
    writeFileSync(file, text)
    const database = new DatabaseSync(join(test.dir, 'project.sqlite'))
    database.prepare('UPDATE models SET card = ?').run(text)
    database.close()

    const again = await openBackend(test.dir)
    const { models } = await again.call('project.get', {})
    const { seed: _, ...shown } = report
    expect(models).toMatchObject([{ id, name: 'Old', version: 1, parameters: 7, labels: [1], training: shown }])
    await again.call('models.activate', { modelId: id })
    await jobEnd(again, (await again.call('train.start', TRAIN)).id)
    expect((await again.call('project.get', {})).models).toHaveLength(2)
    expect(readFileSync(file, 'utf8')).toBe(text)
    await again.backend.close()
    const after = new DatabaseSync(join(test.dir, 'project.sqlite'))
    expect(after.prepare('SELECT card FROM models WHERE version = 1').get()?.card).toBe(text)
    after.close()
  })
})

describe('readModelFolder', () => {
  it('names the card that it cannot read, and says of a newer one that it is newer', async () => {
    const test = await withModel()
    const dir = join(test.dir, 'models', '001')
    const file = join(dir, 'card.json')
    for (const [text, said] of [
      ['no JSON', `${file} is not the card of a model that this version can read; choose another model.`],
      ['{"format":2}', `${file} is not the card of a model that this version can read; choose another model.`],
      [
        '{"format":9}',
        `${file} was made by a newer Maskwright (card format 9); update Maskwright or choose another model.`,
      ],
    ] as const) {
      writeFileSync(file, text)
      expect(() => readModelFolder(dir)).toThrow(expect.objectContaining({ code: 'bad-file', message: said }) as Error)
    }
    rmSync(file)
    const said = 'The model folder lacks "card.json"; train or import again.'
    expect(() => readModelFolder(dir)).toThrow(expect.objectContaining({ code: 'bad-file', message: said }) as Error)
  })
})

describe('what a training is told', () => {
  it('is how the slices lie and that a person asked for it', async () => {
    const test = await withModel()
    const { recipe, samples } = test.compute.trained[0] ?? {}
    expect(recipe).toBe('interactive')
    // The fixture's affine: LPS, 1 x 1 x 2 mm.
    expect(samples?.map(({ geometry }) => geometry)).toEqual([{ plane: 'axial', columns: 1, rows: 1, slices: 2 }])
  })
})
