import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { recipeSettingsSchema } from '../../core/contract/recipes.ts'
import { temporaryFolder } from '../../imaging/testing/folders.ts'
import { orderFor } from '../data/testing/folders.ts'
import { trainRecipe } from './trainRecipe.ts'
import type { Machine, TrainRecipeOrder } from './order.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

const machine = { backend: 'none', threads: 1, device: { name: 'none' }, versions: {} } as unknown as Machine

it('a loss that does not go with its output is refused before anything is read, and nothing is left', async () => {
  const { settings, ...rest } = orderFor(path.join(folder.path, 'nowhere'))
  const loss = { kind: 'cross-entropy', output: 'relu' }
  const order: TrainRecipeOrder = {
    ...rest,
    settings: recipeSettingsSchema.parse({ ...settings, loss }),
    outDir: path.join(folder.path, 'model'),
    ...{ modelId: 'm', name: 'm', createdAt: '2026-01-01T00:00:00.000Z' },
    ...{ resume: false, pictures: false, compare: [] },
  }
  const call = { signal: new AbortController().signal, onProgress: () => undefined, notify: () => undefined }
  await expect(trainRecipe(order, machine, call)).rejects.toMatchObject({ code: 'bad-request' })
  expect(existsSync(order.outDir)).toBe(false)
  expect(await readdir(folder.path)).toEqual([])
})
