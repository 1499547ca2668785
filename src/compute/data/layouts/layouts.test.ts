import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CodedError } from '../../../core/contract/errors.ts'
import { temporaryFolder } from '../../../imaging/testing/folders.ts'
import { findCases, spreadOver } from './index.ts'
import type { Recipe } from '../../../core/contract/recipes.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

/** A folder with files of these names; layouts go by names alone. */
async function laidOut(name: string, files: readonly string[]): Promise<string> {
  const dir = path.join(folder.path, name)
  await rm(dir, { recursive: true, force: true })
  for (const file of files) {
    await mkdir(path.dirname(path.join(dir, file)), { recursive: true })
    await writeFile(path.join(dir, file), '')
  }
  return dir
}

async function found(layouts: Recipe['layouts'], dir: string) {
  const data = await findCases({ layouts }, dir)
  const short = (file: string): string => path.relative(dir, file).replaceAll(path.sep, '/')
  return {
    cases: data.cases.map(({ id, image, masks }) => [id, short(image), ...masks.map(short)]),
    left: data.left.map(({ file, reason }) => `${short(file)} ${reason}`),
    heldOut: data.cases.filter(({ heldOut }) => heldOut).map(({ id }) => id),
    patients: data.cases.map(({ patient }) => patient),
  }
}

describe('layouts', () => {
  it('stage1: a folder for each image, a file for each nucleus', async () => {
    const files = [
      ...['a/images/a.png', 'a/masks/1.png', 'a/masks/2.png', 'b/images/b.png', 'b/masks/9.png'],
      ...['empty/images/empty.png', 'two/images/1.png', 'two/images/2.png', 'two/masks/1.png', 'a/.hidden/x.png'],
    ]
    for (const top of ['', 'stage1_train/']) {
      const dir = await laidOut(
        'stage1',
        files.map((file) => top + file),
      )
      const { cases, left } = await found(['stage1'], dir)
      expect(cases).toEqual([
        ['a', `${top}a/images/a.png`, `${top}a/masks/1.png`, `${top}a/masks/2.png`],
        ['b', `${top}b/images/b.png`, `${top}b/masks/9.png`],
      ])
      expect(left).toEqual([`${top}empty/images/empty.png has no masks`, `${top}two holds more than one image`])
    }
  })

  it('nerve: the mask beside its picture', async () => {
    const dir = await laidOut('nerve', ['train/1_2.tif', 'train/1_2_mask.tif', 'train/1_10.tif', 'train/3_1_mask.tif'])
    const { cases, left } = await found(['nerve'], dir)
    expect(cases).toEqual([['1_2', 'train/1_2.tif', 'train/1_2_mask.tif']])
    expect(left).toEqual([
      'train/3_1_mask.tif is a mask without an image of its name',
      'train/1_10.tif has no mask of its name',
    ])
  })

  it('liver: exams in raw/train and raw/test, which is held out', async () => {
    const dir = await laidOut('liver', [
      ...['raw/train/ircad_e01_orig.nii.gz', 'raw/train/ircad_e01_liver.nii.gz'],
      ...['raw/train/ircad_e02_orig.nii', 'raw/train/ircad_e02_liver.nii'],
      ...['raw/test/ircad_e09_orig.nii.gz', 'raw/test/ircad_e09_liver.nii.gz'],
    ])
    const { cases, heldOut } = await found(['liver'], dir)
    expect(cases[0]).toEqual(['ircad_e01_orig', 'raw/train/ircad_e01_orig.nii.gz', 'raw/train/ircad_e01_liver.nii.gz'])
    expect(cases).toHaveLength(3)
    expect(heldOut).toEqual(['ircad_e09_orig'])
    const numbered = await laidOut('lits', ['train/volume-3.nii', 'train/segmentation-3.nii', 'train/volume-12.nii'])
    expect((await found(['liver'], numbered)).cases).toEqual([
      ['volume-3', 'train/volume-3.nii', 'train/segmentation-3.nii'],
    ])
    const decathlon = await laidOut('msd', ['imagesTr/liver_1.nii.gz', 'labelsTr/liver_1.nii.gz'])
    expect((await found(['liver'], decathlon)).cases).toHaveLength(1)
    const one = await laidOut('one', ['example_ct_sm.nii.gz', 'example_seg.nii.gz', 'dicom/CT.1.2'])
    expect((await found(['liver'], one)).cases).toEqual([
      ['example_ct_sm', 'example_ct_sm.nii.gz', 'example_seg.nii.gz'],
    ])
  })

  it('membrane: image and label, or stacks', async () => {
    const dir = await laidOut('membrane', ['train/image/0.png', 'train/label/0.png', 'train/aug/x.png', 'test/1.png'])
    expect((await found(['membrane'], dir)).cases).toEqual([['0', 'train/image/0.png', 'train/label/0.png']])
    const stacks = await laidOut('isbi', ['train-volume.tif', 'train-labels.tif', 'test-volume.tif'])
    expect((await found(['membrane'], stacks)).cases).toEqual([
      ['train-volume', 'train-volume.tif', 'train-labels.tif'],
    ])
  })

  it('cell-tracking: annotated frames, one patient for each sequence', async () => {
    const dir = await laidOut('ctc', [
      ...['01/t000.tif', '01/t001.tif', '01_GT/SEG/man_seg001.tif', '01_GT/TRA/man_track000.tif'],
      ...['02/t007.tif', '02_GT/SEG/man_seg007.tif', '02_GT/SEG/man_seg009.tif'],
    ])
    const { cases, left, patients } = await found(['membrane', 'cell-tracking'], dir)
    expect(cases).toEqual([
      ['01-t001', '01/t001.tif', '01_GT/SEG/man_seg001.tif'],
      ['02-t007', '02/t007.tif', '02_GT/SEG/man_seg007.tif'],
    ])
    expect(patients).toEqual(['01', '02'])
    expect(left).toEqual(['02_GT/SEG/man_seg009.tif is a mask without a frame'])
  })

  it('wbc: a bitmap with a PNG of its name, in one folder or several', async () => {
    const dir = await laidOut('wbc', [
      'Dataset 1/001.bmp',
      'Dataset 1/001.png',
      'Dataset 2/001.bmp',
      'Dataset 2/001.png',
    ])
    const { cases } = await found(['wbc'], dir)
    expect(cases.map(([id]) => id)).toEqual(['001', 'Dataset 2-001'])
    expect((await found(['wbc'], path.join(dir, 'Dataset 1'))).cases).toEqual([['001', '001.bmp', '001.png']])
  })

  it('plain: images and masks, whatever the recipe, with or without what says mask', async () => {
    const dir = await laidOut('plain', [
      ...['images/a.jpg', 'images/b.jpg', 'images/b.png', 'images/c.jpg', 'images/notes.txt'],
      ...['masks/a.png', 'masks/b_mask.jpg', 'masks/d.png'],
    ])
    for (const layouts of [[], ['stage1'], ['nerve'], ['liver'], ['membrane', 'cell-tracking'], ['wbc']] as const) {
      const { cases, left } = await found([...layouts], dir)
      expect(cases).toEqual([
        ['a', 'images/a.jpg', 'masks/a.png'],
        ['b', 'images/b.jpg', 'masks/b_mask.jpg'],
      ])
      expect(left.sort()).toEqual([
        'images/b.png has the same name as b.jpg, which is used',
        'images/c.jpg has no mask of its name',
        'masks/d.png is a mask without an image of its name',
      ])
    }
  })

  it('says what to do where nothing pairs, or no folder is there', async () => {
    const nothing = await laidOut('nothing', ['images/a.png', 'masks/b.png'])
    await expect(findCases({ layouts: ['wbc'] }, nothing)).rejects.toMatchObject({ code: 'nothing-to-train' })
    const alone = await laidOut('alone', ['images/a.png', 'images/b.png'])
    await expect(findCases({ layouts: ['wbc'] }, alone)).rejects.toThrow(
      /alone.images holds 2 images, none with a mask; put masks of the same names into .*alone.masks\.$/,
    )
    const missing = findCases({ layouts: [] }, path.join(folder.path, 'nowhere'))
    await expect(missing).rejects.toBeInstanceOf(CodedError)
    await expect(missing).rejects.toMatchObject({ code: 'file-missing' })
  })
})

describe('spreadOver', () => {
  it('takes evenly', async () => {
    const dir = await laidOut(
      'many',
      Array.from({ length: 10 }, (_, i) => [`images/${i}.png`, `masks/${i}.png`]).flat(),
    )
    const { cases } = await findCases({ layouts: [] }, dir)
    expect(spreadOver(cases, 3).map(({ id }) => id)).toEqual(['0', '3', '6'])
    expect(spreadOver(cases, null)).toHaveLength(10)
    expect(spreadOver(cases, 99)).toHaveLength(10)
  })
})
