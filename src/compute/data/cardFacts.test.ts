import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeVolume } from '../../imaging/index.ts'
import type { TrainingData } from '../recipes/types.ts'
import { temporaryFolder } from '../../imaging/testing/folders.ts'
import { openTrainingData } from './index.ts'
import { diskFolder, orderFor, picture } from './testing/folders.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
const at = (...names: string[]): string => path.join(folder.path, ...names)
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

/** That the first channel's mean and deviation are those of `values`, to so many digits. */
function expectMoments({ input }: TrainingData, values: readonly number[], digits: number): void {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length
  expect(input.standardize?.mean[0]).toBeCloseTo(mean, digits)
  expect(input.standardize?.deviation[0]).toBeCloseTo(Math.sqrt(variance), digits)
}

describe('what a card says', () => {
  it('is fitted on the training part alone', async () => {
    const dir = at('fitted')
    for (let n = 0; n < 9; n++) {
      await picture(path.join(dir, 'images', `${n}.png`), 8, 8, 20 * n)
      await picture(path.join(dir, 'masks', `${n}.png`), 8, 8, (x) => (x < 4 ? 255 : 0))
    }
    const order = orderFor(dir)
    order.settings.input = { ...order.settings.input, normalization: { kind: 'fitted' } }
    const data = await openTrainingData(order)
    const learned = data.cases.flatMap(({ id, part }) => (part === 'train' ? [20 * Number(id)] : []))
    expectMoments(data, learned, 9)
    await data.close()
  })

  it('is fitted on the slices of the training part alone where one volume is parted', async () => {
    const dir = at('fitted-slices')
    const dims: [number, number, number] = [6, 5, 12]
    const voxels = { length: 6 * 5 * 12 }
    const slice = (i: number): number => Math.floor(i / 30)
    for (const part of ['images', 'masks']) await mkdir(path.join(dir, part), { recursive: true })
    // Samples that are no numbers count for nothing.
    const image = Float32Array.from(voxels, (_, i) => (i % 30 === 7 ? NaN : 10 * slice(i) ** 2 + (i % 2)))
    const affine = [0, 1, 2, 3].map((row) => [0, 1, 2, 3].map((column) => (row === column ? 1 : 0)))
    await writeVolume(path.join(dir, 'images', 'a.nii.gz'), { dims, affine, data: image })
    const labels = Uint8Array.from(voxels, (_, i) => (i % 6 < 3 ? 1 : 0))
    await writeVolume(path.join(dir, 'masks', 'a.nii.gz'), { dims, affine, data: labels })
    const order = orderFor(dir)
    order.settings.input = { ...order.settings.input, normalization: { kind: 'fitted' } }
    const data = await openTrainingData(order, { workers: 0 })
    const learned = new Set(data.cases.find(({ part }) => part === 'train')?.only?.indices)
    expect(learned.size).toBeGreaterThan(4)
    expect(learned.size).toBeLessThan(9)
    const values = [...image].filter((value, i) => learned.has(slice(i)) && !Number.isNaN(value))
    expectMoments(data, values, 6)
    await data.close()
  })

  it('names the bytes that were learned from', async () => {
    await diskFolder(at('disks'), 12)
    const data = await openTrainingData(orderFor(at('disks')))
    const sha = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
    const hashes = await Promise.all(
      data.cases
        .filter(({ part }) => part === 'train')
        .map(async ({ image, masks }) => {
          const files = await Promise.all([image, ...masks].map((file) => readFile(file)))
          return sha(files.map((bytes) => `${sha(bytes)}\n`).join(''))
        }),
    )
    expect(data.data.sha256).toBe(
      sha(
        hashes
          .sort()
          .map((hash) => `${hash}\n`)
          .join(''),
      ),
    )
    await data.close()
  })
})
