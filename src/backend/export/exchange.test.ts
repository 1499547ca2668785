import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { Affine, Dims } from '../../core/contract/schemas.ts'
import { readMask, writePng, writeVolume } from '../../imaging/index.ts'
import {
  addVolume,
  cleanUp,
  DIMS,
  emptyProject,
  jobEnd,
  LPS,
  openBackend,
  openWithCase,
  readMaskOf,
  rectangle,
  temporaryFolder,
  type TestBackend,
} from '../testing/fixtures.ts'

afterEach(cleanUp)

const VOXELS = DIMS[0] * DIMS[1] * DIMS[2]

/** A mask file on the grid of the test volume, or another one. */
async function maskFile(
  test: TestBackend,
  labels: Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Float32Array<ArrayBuffer>,
  { dims = DIMS, affine = LPS }: { dims?: Dims; affine?: Affine } = {},
): Promise<string> {
  const path = join(temporaryFolder(), 'mask.nii.gz')
  await writeVolume(path, { dims, affine, data: labels })
  return test.backend.registerFile(path, 'open').id
}

function blocks(values: readonly number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: VOXELS }, (_, i) => (i % 7 < 3 ? (values[i % values.length] ?? 0) : 0))
}

const save = (test: TestBackend, path: string): string => test.backend.registerFile(path, 'save').id

describe('a mask from a file', () => {
  it('is looked at without a change', async () => {
    const test = await openWithCase()
    const { caseId } = test
    const fileId = await maskFile(test, blocks([1, 9]))
    const look = await test.call('mask.look', { caseId, fileId })
    expect(look).toMatchObject({ format: 'nifti', dims: DIMS, fit: 'same', difference: null, canResample: true })
    expect(look.labels.map(({ value }) => value)).toEqual([1, 9])
    const moved: Affine = [[-1, 0, 0, 12.5], ...LPS.slice(1)]
    const other = await maskFile(test, blocks([1]), { affine: moved })
    expect(await test.call('mask.look', { caseId, fileId: other })).toMatchObject({
      fit: 'moved',
      difference: expect.stringContaining('2.5 mm') as string,
    })
    expect((await test.call('annotation.history', { caseId })).canUndo).toBe(false)
    expect(await test.call('project.get', {})).toMatchObject({ labels: test.labels })
  })

  it('becomes the mask in one undoable stroke, with labels of its own', async () => {
    const test = await openWithCase()
    const { caseId } = test
    const before = rectangle({ index: 0, at: [0, 0], size: [8, 2], after: 2 })
    await test.call('annotation.commit', { caseId, delta: before })
    const start = await readMaskOf(test, caseId)
    const labels = blocks([1, 9, 0, 200])
    const result = await test.call('mask.import', {
      ...{ caseId, fileId: await maskFile(test, labels), resample: false, labels: 'keep' },
    })
    expect(await readMaskOf(test, caseId)).toEqual(labels)
    expect(result.newLabels.map(({ value, name }) => [value, name])).toEqual([
      [9, 'Label 9'],
      [200, 'Label 200'],
    ])
    expect(result.changedVoxels).toBe(labels.filter((label, i) => label !== start[i]).length)
    expect(result.history.undoName).toBe('import mask')
    expect(test.told('labels.changed').at(-1)?.labels).toHaveLength(4)
    const { corrected } = await test.call('case.open', { caseId })
    expect(corrected).toEqual([0, 1, 2, 3, 4])
    await test.call('annotation.undo', { caseId })
    expect(await readMaskOf(test, caseId)).toEqual(start)
    await test.call('annotation.redo', { caseId })
    expect(await readMaskOf(test, caseId)).toEqual(labels)
    // The same again is no change.
    const again = await test.call('mask.import', {
      ...{ caseId, fileId: await maskFile(test, labels), resample: false, labels: 'keep' },
    })
    expect(again).toMatchObject({ delta: null, changedVoxels: 0, newLabels: [] })
    await test.backend.close()
    const later = await openBackend(test.dir)
    expect(await later.call('annotation.undo', { caseId })).toMatchObject({ history: { redoName: 'import mask' } })
    expect(await readMaskOf(later, caseId)).toEqual(start)
    expect((await later.call('case.open', { caseId })).corrected).toEqual([0])
    await later.call('annotation.redo', { caseId })
    expect(await readMaskOf(later, caseId)).toEqual(labels)
  })

  it('is told from one that a person worked on', async () => {
    const test = await openWithCase()
    const { caseId } = test
    const status = async () => (await test.call('case.open', { caseId })).status
    const labels = blocks([1]).fill(0, 0, DIMS[0] * DIMS[1])
    const asked = { caseId, fileId: await maskFile(test, labels), resample: false, labels: 'keep' } as const
    const { revision } = await test.call('mask.import', asked)
    expect(await status()).toBe('imported')
    const delta = rectangle({ index: 0, at: [0, 0], size: [8, 2], after: 2 })
    await test.call('annotation.commit', { caseId, delta: { ...delta, baseRevision: revision } })
    expect(await status()).toBe('corrected')
    await test.call('annotation.undo', { caseId })
    expect(await status()).toBe('imported')
    await test.call('annotation.undo', { caseId })
    expect(await status()).toBe('untouched')
    await test.call('annotation.redo', { caseId })
    expect(await status()).toBe('imported')
  })

  it('leaves locked labels alone, both ways', async () => {
    const test = await openWithCase()
    const { caseId } = test
    await test.call('annotation.commit', {
      caseId,
      delta: rectangle({ index: 2, at: [0, 0], size: [8, 6], after: 2 }),
    })
    await test.call('labels.update', { value: 2, change: { locked: true } })
    const labels = new Uint8Array(VOXELS).fill(1)
    labels[0] = 2
    const result = await test.call('mask.import', {
      ...{ caseId, fileId: await maskFile(test, labels), resample: false, labels: 'keep' },
    })
    expect(result.keptLockedVoxels).toBe(48 + 1)
    const mask = await readMaskOf(test, caseId)
    expect(mask[0]).toBe(0)
    expect([...mask.subarray(96, 144)]).toEqual(new Array(48).fill(2))
    expect(mask[1]).toBe(1)
    // A new label that would only take voxels of locked ones is not added.
    await test.call('labels.update', { value: 1, change: { locked: true } })
    const onLocked = Uint8Array.from(mask, (label) => (label === 1 ? 9 : label))
    const kept = await test.call('mask.import', {
      ...{ caseId, fileId: await maskFile(test, onLocked), resample: false, labels: 'keep' },
    })
    expect(kept).toMatchObject({
      changedVoxels: 0,
      newLabels: [],
      keptLockedVoxels: mask.filter((v) => v === 1).length,
    })
    onLocked[0] = 7
    const half = await test.call('mask.import', {
      ...{ caseId, fileId: await maskFile(test, onLocked), resample: false, labels: 'keep' },
    })
    expect(half.newLabels.map(({ value }) => value)).toEqual([7])
  })

  it('can bring the largest label there is, and others can still be added', async () => {
    const test = await openWithCase()
    const fileId = await maskFile(test, blocks([255]))
    await test.call('mask.import', { caseId: test.caseId, fileId, resample: false, labels: 'keep' })
    const add = async (name: string) => (await test.call('labels.add', { name, color: null })).value
    expect([await add('Kidney'), await add('Vessel')]).toEqual([3, 4])
    for (let value = 5; value <= 254; value++) await add(`Number ${value}`)
    await expect(add('One more')).rejects.toThrow(/255 labels at most/)
  })

  it('becomes one label where that is asked for, beside what is there', async () => {
    const test = await openWithCase()
    const { caseId } = test
    await test.call('annotation.commit', {
      caseId,
      delta: rectangle({ index: 0, at: [0, 0], size: [8, 6], after: 2 }),
    })
    const labels = Uint16Array.from({ length: VOXELS }, (_, i) => (i >= 40 && i < 60 ? 1000 + i : 0))
    const fileId = await maskFile(test, labels)
    const params = { caseId, fileId, resample: false }
    await expect(test.call('mask.import', { ...params, labels: 'keep' })).rejects.toThrow(
      /20 different numbers.*one label/,
    )
    await expect(test.call('mask.import', { ...params, labels: 77 })).rejects.toMatchObject({ code: 'not-found' })
    await test.call('mask.import', { ...params, labels: 1 })
    const mask = await readMaskOf(test, caseId)
    expect([...mask]).toEqual(Array.from({ length: VOXELS }, (_, i) => (i >= 40 && i < 60 ? 1 : i < 48 ? 2 : 0)))
    expect((await test.call('case.open', { caseId })).corrected).toEqual([0])
  })

  it('is put where it lies: other order exactly, other place only when asked', async () => {
    const test = await openWithCase()
    const { caseId } = test
    // Stored with x and y exchanged and z upside down.
    const [nx, ny, nz] = DIMS
    const labels = blocks([1, 2, 2])
    const turned = new Uint8Array(VOXELS)
    for (let z = 0; z < nz; z++) {
      for (let y = 0; y < ny; y++) {
        for (let x = 0; x < nx; x++) turned[y + ny * (x + nx * (nz - 1 - z))] = labels[x + nx * (y + ny * z)] ?? 0
      }
    }
    const affine: Affine = [
      [0, -1, 0, 10],
      [-1, 0, 0, 20],
      [0, 0, -2, -30 + 2 * (nz - 1)],
      [0, 0, 0, 1],
    ]
    const fileId = await maskFile(test, turned, { dims: [ny, nx, nz], affine })
    const look = await test.call('mask.look', { caseId, fileId })
    expect(look).toMatchObject({ fit: 'same', dims: [ny, nx, nz] })
    expect(look.difference).toMatch(/axis order/)
    await test.call('mask.import', { caseId, fileId, resample: false, labels: 'keep' })
    expect(await readMaskOf(test, caseId)).toEqual(labels)
    // One voxel farther to the left.
    const moved = await maskFile(test, labels, { affine: [[-1, 0, 0, 9], ...LPS.slice(1)] })
    const refused = test.call('mask.import', { caseId, fileId: moved, resample: false, labels: 'keep' })
    await expect(refused).rejects.toMatchObject({
      code: 'bad-request',
      message: expect.stringMatching(/1\.0 mm.*resampled/) as string,
    })
    await test.call('mask.import', { caseId, fileId: moved, resample: true, labels: 'keep' })
    const shifted = Uint8Array.from(labels, (_, i) => (i % nx === 0 ? 0 : (labels[i - 1] ?? 0)))
    expect(await readMaskOf(test, caseId)).toEqual(shifted)
    // Half a metre away: it would wipe the mask out.
    const away = await maskFile(test, labels, { affine: [[-1, 0, 0, 510], ...LPS.slice(1)] })
    const beside = test.call('mask.import', { caseId, fileId: away, resample: true, labels: 'keep' })
    await expect(beside).rejects.toThrow('Nothing of the mask lies on the image')
    expect(await readMaskOf(test, caseId)).toEqual(shifted)
  })

  it('is refused where it holds no labels or another extent', async () => {
    const test = await openWithCase()
    const { caseId } = test
    const halves = Float32Array.from({ length: VOXELS }, (_, i) => (i === 13 ? 0.5 : 1))
    await expect(test.call('mask.look', { caseId, fileId: await maskFile(test, halves) })).rejects.toThrow(
      'mask.nii.gz holds 0.5 at voxel (5, 1, 0)',
    )
    const small = join(temporaryFolder(), 'small.png')
    await writePng(small, { width: 3, height: 2, channels: 1, data: new Uint8Array(6).fill(1) })
    const fileId = test.backend.registerFile(small, 'open').id
    expect(await test.call('mask.look', { caseId, fileId })).toMatchObject({ fit: 'shape', canResample: false })
    await expect(test.call('mask.import', { caseId, fileId, resample: true, labels: 'keep' })).rejects.toThrow(/3 x 2/)
  })
})

async function annotated(): Promise<TestBackend & { caseId: string; mask: Uint8Array }> {
  const test = await openWithCase()
  const { caseId } = test
  await test.call('annotation.commit', { caseId, delta: rectangle({ index: 1, at: [2, 1], size: [3, 3], after: 1 }) })
  await test.call('annotation.commit', { caseId, delta: rectangle({ index: 3, at: [0, 0], size: [2, 6], after: 2 }) })
  return { ...test, mask: await readMaskOf(test, caseId) }
}

describe('a mask to a file', () => {
  it('has the format that is asked for, and reads back as it was', async () => {
    const test = await annotated()
    const { caseId, mask } = test
    for (const format of ['nifti', 'png', 'instances', 'coco', 'nnunet'] as const) {
      const written = await test.call('export.mask', { caseId, fileId: null, format })
      expect(written).toMatchObject({ voxels: 21, labels: [1, 2], verified: true })
      expect((await readMask(written.path)).labels).toEqual(mask)
    }
    expect((await test.call('project.get', {})).cases[0]?.status).toBe('saved')
    expect(readdirSync(join(test.dir, 'exports')).sort()).toEqual([
      ...['volume-0-mask.json', 'volume-0-mask.nii.gz', 'volume-0-masks', 'volume-0-masks-2', 'volume-0-masks-3'],
    ])
  })

  it('goes where it is asked to, and nowhere else', async () => {
    const test = await annotated()
    const { caseId } = test
    const folder = temporaryFolder()
    const plain = await test.call('export.mask', { caseId, fileId: save(test, join(folder, 'mine')), format: 'coco' })
    expect(plain.path).toBe(join(folder, 'mine.json'))
    const refused = async (path: string, format: 'nifti' | 'instances', words: RegExp): Promise<void> => {
      await expect(test.call('export.mask', { caseId, fileId: save(test, path), format })).rejects.toThrow(words)
    }
    await refused(join(folder, 'mask.png'), 'nifti', /must end in .nii.gz/)
    await refused(folder, 'instances', /not empty/)
    await refused(test.dir, 'instances', /own files/)
    await refused(join(test.dir, 'masks', 'x'), 'instances', /own files/)
    symlinkSync(test.dir, join(folder, 'link'))
    await refused(join(folder, 'link', 'masks', 'volume-0.nii.gz'), 'nifti', /own files in "masks"/)
    mkdirSync(join(folder, 'empty'))
    const inside = await test.call('export.mask', {
      ...{ caseId, fileId: save(test, join(folder, 'empty')), format: 'instances' },
    })
    expect(readdirSync(inside.path).sort()).toEqual(['images', 'labels.json', 'masks'])
  })
})

describe('a data set', () => {
  async function two(): Promise<TestBackend & { masks: Map<string, Uint8Array> }> {
    const test = await annotated()
    const { id } = await addVolume(test, { seed: 1 })
    await test.call('annotation.commit', {
      caseId: id,
      delta: rectangle({ index: 0, at: [1, 1], size: [2, 2], after: 2 }),
    })
    await addVolume(test, { seed: 2 })
    const masks = new Map([
      ['volume-0', test.mask],
      ['volume-1', await readMaskOf(test, id)],
    ])
    return { ...test, masks }
  }

  it.each(['nnunet', 'coco', 'instances'] as const)('is written as %s, of all cases with a mask', async (format) => {
    const test = await two()
    const { id } = await test.call('export.dataset', { format, caseIds: null, fileId: null })
    const job = await jobEnd(test, id)
    const folder = join(test.dir, 'exports', format)
    expect(job).toMatchObject({ kind: 'export', state: 'done', progress: 1, message: `2 masks in ${folder}` })
    for (const [stem, mask] of test.masks) {
      expect((await readMask(folder, { stems: [stem] })).labels).toEqual(mask)
    }
    await expect(readMask(folder)).rejects.toThrow(/holds 2/)
    expect((await test.call('project.get', {})).cases.map(({ status }) => status)).toEqual([
      'saved',
      'saved',
      'untouched',
    ])
    if (format !== 'nnunet') return
    const dataset: unknown = JSON.parse(readFileSync(join(folder, 'dataset.json'), 'utf8'))
    expect(dataset).toMatchObject({
      numTraining: 2,
      file_ending: '.nii.gz',
      labels: { background: 0, Liver: 1, Spleen: 2 },
    })
    expect(readdirSync(join(folder, 'imagesTr'))).toEqual(['volume-0_0000.nii.gz', 'volume-1_0000.nii.gz'])
  })

  it('is refused where there is nothing, or the folder is not empty, and can be cancelled', async () => {
    const empty = await openBackend(emptyProject())
    await expect(empty.call('export.dataset', { format: 'coco', caseIds: null, fileId: null })).rejects.toThrow(
      /No case has a mask/,
    )
    const test = await two()
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'there.txt'), 'x')
    const start = () => test.call('export.dataset', { format: 'nnunet', caseIds: null, fileId: save(test, folder) })
    const { id } = await start()
    await expect(start()).rejects.toMatchObject({ code: 'busy' })
    expect(await jobEnd(test, id)).toMatchObject({ state: 'failed', error: { code: 'bad-request' } })
    expect(readdirSync(folder)).toEqual(['there.txt'])
    const target = join(folder, 'new')
    const second = await test.call('export.dataset', { format: 'instances', caseIds: null, fileId: save(test, target) })
    await test.call('job.cancel', { jobId: second.id })
    expect(await jobEnd(test, second.id)).toMatchObject({ state: 'cancelled' })
    expect(readdirSync(folder)).toEqual(['there.txt'])
  })
})
