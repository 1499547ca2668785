import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { temporaryFolder } from '../../imaging/testing/folders.ts'
import { readWeights } from './weightFiles.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
  for (const [name, bytes] of Object.entries({ a: [1, 2, 3, 4], b: [5, 6, 7, 8], c: [9, 9, 9, 9] })) {
    await writeFile(path.join(folder.path, name), Uint8Array.from(bytes))
  }
})
afterAll(() => folder.remove())

it('weights are those of all files in their order', async () => {
  const read = await readWeights(folder.path, [
    { files: ['b', 'a'], bytes: 8 },
    { files: ['c'], bytes: 4 },
  ])
  expect([...new Uint8Array(read)]).toEqual([5, 6, 7, 8, 1, 2, 3, 4, 9, 9, 9, 9])
})

it.each([12, 2 ** 40, Number.MAX_SAFE_INTEGER])('files that lack bytes are refused: %i', async (bytes) => {
  const groups = [{ files: ['a', 'b'], bytes }]
  await expect(readWeights(folder.path, groups)).rejects.toMatchObject({ code: 'bad-file' })
})
