import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../imaging/testing/folders.ts'
import { orderFor, volumeFolder } from '../data/testing/folders.ts'
import { createCaseHandlers } from './caseHandlers.ts'
import type { RecipeSettings } from '../../core/contract/recipes.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

const call = { signal: new AbortController().signal, onProgress: () => undefined, notify: () => undefined }

/** Volumes of nine slices, by whether they are learned. */
async function listed(name: string, count: number, split: Partial<RecipeSettings['split']>): Promise<boolean[]> {
  const dir = path.join(folder.path, name)
  await volumeFolder(dir, count)
  const { split: usual } = orderFor(dir).settings
  const order = orderFor(dir, { recipe: { classes: [] }, settings: { split: { ...usual, ...split } } })
  const { cases } = await createCaseHandlers().listCases(order, call)
  expect(cases.map(({ id }) => id)).toEqual(Array.from({ length: count }, (_, at) => `volume${at}`))
  return cases.map(({ learned }) => learned)
}

describe('the cases of a recipe', () => {
  it('are learned where only some of their slices are held out', async () => {
    expect(await listed('alone', 1, {})).toEqual([true])
    expect(await listed('sliced', 3, { by: 'slice' })).toEqual([true, true, true])
  })

  it('are not where all of them is', async () => {
    expect((await listed('whole', 3, { holdout: 3 })).filter((learned) => !learned)).toHaveLength(1)
    expect(await listed('none', 2, { holdout: 0 })).toEqual([true, true])
  })
})
