import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Affine, Dims, MaskFormat } from '../../core/contract/schemas.ts'
import { readImage, readMask, writeMaskAs, writePng, writeVolume, type ImageVolume, type LabelArray } from '../index.ts'
import { temporaryFolder } from '../testing/folders.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
const at = (name: string): string => join(folder.path, name)
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

const DIMS: Dims = [7, 5, 4]
const OBLIQUE: Affine = [
  [-0.9, 0.1, 0, 12],
  [0.1, 0.9, 0.3, -7],
  [0, -0.2, 2.5, 31],
  [0, 0, 0, 1],
]

async function volume(name: string): Promise<ImageVolume> {
  const data = Int16Array.from({ length: 140 }, (_, i) => (i * 37) % 400)
  await writeVolume(at(name), { dims: DIMS, affine: OBLIQUE, data })
  return readImage(at(name))
}

async function picture(name: string): Promise<ImageVolume> {
  const data = Uint8Array.from({ length: 9 * 6 * 3 }, (_, i) => (i * 31) % 251)
  await writePng(at(name), { width: 9, height: 6, channels: 3, data })
  return readImage(at(name))
}

/** Blocks and single voxels of the given labels, some of which touch at corners. */
function pattern(length: number, values: readonly number[]): LabelArray {
  const largest = Math.max(...values)
  const labels =
    largest < 256 ? new Uint8Array(length) : largest < 65536 ? new Uint16Array(length) : new Uint32Array(length)
  for (let i = 0; i < length; i++) labels[i] = (i * i) % 11 < 4 ? (values[(i >> 1) % values.length] ?? 0) : 0
  return labels
}

const NAMES = [
  { value: 1, name: 'Liver', color: '#e41a1c' },
  { value: 2, name: 'Spleen', color: '#377eb8' },
  { value: 200, name: 'Background', color: '#4daf4a' },
]
const ENDINGS: Record<MaskFormat, [string, string]> = {
  nifti: ['.nii.gz', '.nii'],
  png: ['', '.png'],
  tiff: ['.tif', '.tif'],
  instances: ['', ''],
  coco: ['.json', '.json'],
  nnunet: ['', ''],
}

describe('a mask that is written and read again', () => {
  it.each(Object.keys(ENDINGS) as MaskFormat[])('is the same as %s', async (format) => {
    const cases: [ImageVolume, string][] = [
      [await volume(`v-${format}.nii.gz`), ENDINGS[format][0]],
      [await picture(`p-${format}.png`), ENDINGS[format][1]],
    ]
    for (const [image, ending] of cases) {
      const voxels = image.dims[0] * image.dims[1] * image.dims[2]
      for (const values of [[0], [1], [1, 2, 200], [3, 300, 65535], [70_000, 5]]) {
        const labels = pattern(voxels, values)
        const path = at(`${format}-${image.kind}-${Math.max(...values)}${ending}`)
        const written = await writeMaskAs(path, format, labels, image, { names: NAMES }).catch(
          (error: unknown) => error,
        )
        if (format === 'png' && values.includes(70_000)) {
          expect(written).toMatchObject({ code: 'bad-request' })
          continue
        }
        expect(written).toMatchObject({ path, verified: true })
        const read = await readMask(path, { image })
        expect(read.dims).toEqual(image.dims)
        expect([...read.labels]).toEqual([...labels])
        expect(read.labels.BYTES_PER_ELEMENT).toBe(labels.BYTES_PER_ELEMENT)
      }
    }
    expect((await readdir(folder.path)).filter((name) => name.startsWith('.'))).toEqual([])
  })
})

describe('a mask of an image that states two positions', () => {
  it('lies where the user said that the image does', async () => {
    const affine = [
      [-0.9, 0, 0, 12],
      [0, 0.9, 0, -7],
      [0, 0, 2.5, 31],
      [0, 0, 0, 1],
    ]
    await writeVolume(at('two.nii'), { dims: DIMS, affine, data: new Int16Array(140) })
    const bytes = await readFile(at('two.nii'))
    bytes.writeFloatLE(bytes.readFloatLE(292) + 5, 292) // srow_x[3], 5 mm to the right
    bytes.writeInt16LE(2, 254) // sform_code
    await writeFile(at('two.nii'), bytes)
    const labels = Uint8Array.from({ length: 140 }, (_, i) => i % 3)
    for (const form of ['sform', 'qform'] as const) {
      const image = await readImage(at('two.nii'), { selection: { affine: form } })
      expect(image.info.affineSource).toBe(form)
      await writeMaskAs(at(`of-${form}.nii`), 'nifti', labels, image)
      const { info } = await readImage(at(`of-${form}.nii`))
      expect(info.affine?.[0]?.[3]).toBeCloseTo(form === 'sform' ? 17 : 12, 4)
      expect(info.disagreement === null).toBe(form === 'qform')
      expect(await readMask(at(`of-${form}.nii`), { image })).toMatchObject({ labels })
    }
  })
})
