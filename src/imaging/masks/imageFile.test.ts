import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Affine } from '../../core/contract/schemas.ts'
import { Mismatch } from '../mismatch.ts'
import { readImage, writeMaskAs, writeVolume } from '../index.ts'
import { temporaryFolder } from '../testing/folders.ts'
import type { VoxelArray } from '../types.ts'
import { choosePart } from './choose.ts'
import { writeImageFile } from './imageFile.ts'
import { beginNnunet, planLabels } from './nnunet.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
const at = (name: string): string => join(folder.path, name)
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

const affine: Affine = [
  [0, -2, 0, 10],
  [1, 0, 0, -20],
  [0, 0, 3, 30],
  [0, 0, 0, 1],
]
const moved = affine.map((row, r) => (r === 0 ? [0, -2, 0, 10.1] : row))
const geometry = { dims: [3, 2, 2], affine, slope: 0.5, inter: -7 } as const
const data = Int16Array.from({ length: 12 }, (_, i) => i * 100 - 5)

describe('the image beside a mask', () => {
  const faults: [string, (path: string, pieces: AsyncIterable<VoxelArray>) => Promise<unknown>, RegExp | null][] = [
    ['is as it was', (path, pieces) => writeVolume(path, { ...volume, data: pieces, voxelType: 'int16' }), null],
    [
      'has another value',
      (path) => writeVolume(path, { ...volume, data: data.with(11, 0) }),
      /voxels that were written/,
    ],
    ['lies elsewhere', (path) => writeVolume(path, { ...volume, affine: moved, data }), /away from its place/],
    ['is scaled otherwise', (path) => writeVolume(path, { ...volume, slope: 0.25, data }), /scaling 0\.25/],
    ['has another type', (path) => writeVolume(path, { ...volume, data: Float32Array.from(data) }), /float32/],
    [
      'is cut off',
      async (path) => {
        await writeVolume(path, { ...volume, data })
        await writeFile(path, (await readFile(path)).subarray(0, 360))
      },
      /could not be read again/,
    ],
  ]
  const volume = { ...geometry, dims: [3, 2, 2] as [number, number, number] }

  it.each(faults)('%s', async (name, write, wanted) => {
    await writeVolume(at('image.nii'), { ...volume, data })
    const image = await readImage(at('image.nii'))
    const path = at(`${name}.nii`)
    const written = writeImageFile(path, image, { affine }, async (pieces) => {
      const kept: VoxelArray[] = []
      for await (const piece of pieces) kept.push(piece)
      async function* again(): AsyncGenerator<VoxelArray> {
        yield* await Promise.resolve(kept)
      }
      await write(path, again())
    })
    if (wanted === null) await expect(written).resolves.toBeUndefined()
    else {
      const error: unknown = await written.catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(Mismatch)
      expect(String(error)).toMatch(wanted)
    }
    await image.voxels.close()
  })
})

describe('a picture beside masks', () => {
  it('is a PNG where that holds its values, and left out where they are scaled', async () => {
    const flat = { dims: [3, 2, 1] as [number, number, number], affine, data: Uint8Array.of(0, 9, 1, 1, 200, 5) }
    for (const slope of [1, 2]) {
      const path = at(`flat-${slope}.nii`)
      await writeVolume(path, { ...flat, slope })
      const image = await readImage(path)
      const masks = at(`flat-${slope}`)
      await writeMaskAs(masks, 'instances', Uint8Array.of(0, 1, 0, 0, 0, 2), image)
      expect(await readdir(join(masks, 'images'))).toEqual(slope === 1 ? ['flat-1.png'] : [])
      await image.voxels.close()
    }
    const picture = await readImage(at('flat-1/images/flat-1.png'))
    expect(await picture.voxels.all()).toEqual(flat.data)
  })
})

describe('names', () => {
  it('of labels stand in the description of a data set, whatever they are', async () => {
    const plan = planLabels(
      [2, 9],
      [
        { value: 2, name: '__proto__' },
        { value: 9, name: 'Background' },
      ],
    )
    await beginNnunet(at('set'), 'volumes', plan, 1)
    const text = await readFile(at('set/dataset.json'), 'utf8')
    expect(text).toMatch(/"labels": \{\s*"background": 0,\s*"__proto__": 1,\s*"Background \(2\)": 2\s*\}/)
  })

  it('of cases are the same with an accent in one sign or in two', () => {
    expect(choosePart('x', ['a', 'Cr\u00e2ne'], ['cra\u0302ne'], 'cases')).toBe('Cr\u00e2ne')
    expect(() => choosePart('x', ['a', 'Crane'], ['cra\u0302ne'], 'cases')).toThrow(/none of them/)
  })
})
