import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readMask } from '../index.ts'
import { temporaryFolder } from '../testing/folders.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

async function file(width: number, height: number, segmentations: readonly unknown[]): Promise<string> {
  const path = join(folder.path, 'coco.json')
  const annotations = segmentations.map((segmentation) => ({ image_id: 1, category_id: 3, segmentation }))
  await writeFile(path, JSON.stringify({ images: [{ id: 1, file_name: 'a.png', width, height }], annotations }))
  return path
}

describe('outlines', () => {
  it('of several parts are filled, each where the centres of pixels lie in it', async () => {
    const parts = [
      [0, 0, 2, 0, 2, 1, 0, 1],
      [3, 2, 4, 2, 4, 3, 3, 3],
    ]
    const { labels } = await readMask(await file(4, 3, [parts, []]))
    expect([...labels]).toEqual([3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3])
  })

  it('that were made to keep the computer busy are refused', async () => {
    const height = 2 ** 28
    const zigzag = Array.from({ length: 5000 }, (_, i) => [i % 2, (i % 2) * height]).flat()
    await expect(readMask(await file(1, height, [[zigzag]]))).rejects.toMatchObject({
      code: 'bad-file',
      message: expect.stringMatching(/^coco\.json has outlines that would take too long/) as string,
    })
  })
})
