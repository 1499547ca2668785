import {
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { readImage, readLabelMap, writePng, writeVolume } from '../../imaging/index.ts'
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
  volumeData,
  type TestBackend,
} from '../testing/fixtures.ts'

afterEach(cleanUp)

async function volumeFile(name = 'scan.nii.gz', seed = 3): Promise<string> {
  const path = join(temporaryFolder(), name)
  await writeVolume(path, { dims: DIMS, affine: LPS, data: volumeData(DIMS, seed) })
  return path
}

const add = (test: TestBackend, path: string) =>
  test.call('case.add', { fileId: test.backend.registerFile(path, 'open').id })
const fileOf = async (test: TestBackend, caseId: string): Promise<string> =>
  (await test.call('case.open', { caseId })).sourcePath

describe('case.add', () => {
  it('reads geometry, range and name', async () => {
    const test = await openBackend(emptyProject())
    const added = await add(test, await volumeFile('Scan 1.nii.gz'))
    expect(added).toMatchObject({ name: 'Scan 1', kind: 'volume', dims: DIMS, channels: 1, status: 'untouched' })
    const detail = await test.call('case.open', { caseId: added.id })
    expect(detail).toMatchObject({ orientation: 'LPS', voxelType: 'int16', trainingAxis: 2, revision: 0 })
    expect(detail.affine).toEqual(LPS)
    expect(detail.spacing).toEqual([1, 1, 2])
    expect(detail.range).toEqual({ min: 0, max: 100 })
    expect(detail.window.center).toBeCloseTo(50, 0)
    const slice = await test.call('volume.slice', { caseId: added.id, axis: 1, index: 2 })
    expect([slice.width, slice.height, slice.voxelType]).toEqual([8, 5, 'int16'])
    const samples = new Int16Array(slice.data.slice().buffer)
    const data = volumeData(DIMS, 3)
    for (let z = 0; z < 5; z++) for (let x = 0; x < 8; x++) expect(samples[x + 8 * z]).toBe(data[x + 8 * (2 + 6 * z)])
  })

  it('makes one case of the same bytes, and brings a removed case back with its mask', async () => {
    const test = await openWithCase()
    const path = await fileOf(test, test.caseId)
    const copy = join(temporaryFolder(), 'copy.nii.gz')
    copyFileSync(path, copy)
    const [first, second] = await Promise.all([add(test, path), add(test, copy)])
    expect([first.id, second.id]).toEqual([test.caseId, test.caseId])
    const delta = rectangle({ index: 0, at: [0, 0], size: [2, 2], after: 1 })
    await test.call('annotation.commit', { caseId: test.caseId, delta })
    await test.call('case.remove', { caseId: test.caseId })
    expect((await test.call('project.get', {})).cases).toEqual([])
    await expect(test.call('case.open', { caseId: test.caseId })).rejects.toMatchObject({ code: 'not-found' })
    expect((await add(test, copy)).id).toBe(test.caseId)
    expect((await readMaskOf(test, test.caseId)).filter((label) => label === 1)).toHaveLength(4)
  })

  it('stays set aside off the worklist, by name, until it is back', async () => {
    const test = await openWithCase()
    const path = await fileOf(test, test.caseId)
    const frozen = await test.call('holdout.set', { caseIds: [test.caseId], chosenBy: 'user' })
    expect(frozen.off).toBeUndefined()
    await test.call('case.remove', { caseId: test.caseId })
    expect(await test.call('holdout.get', {})).toMatchObject({ id: null, cases: [], off: ['volume-0'] })
    await add(test, path)
    expect(await test.call('holdout.get', {})).toEqual(frozen)
  })

  it('stays set aside off the worklist while others are chosen, until all of it is given up', async () => {
    const test = await openWithCase()
    const path = await fileOf(test, test.caseId)
    const others = [await add(test, await volumeFile('b.nii.gz', 5)), await add(test, await volumeFile('c.nii.gz', 6))]
    const [second = '', third = ''] = others.map(({ id }) => id)
    await test.call('holdout.set', { caseIds: [test.caseId, second], chosenBy: 'user' })
    await test.call('case.remove', { caseId: test.caseId })
    const changed = await test.call('holdout.set', { caseIds: [third, second], chosenBy: 'user' })
    expect(changed.cases.map(({ caseId }) => caseId)).toEqual([third, second])
    expect(changed.off).toEqual(['volume-0'])
    await add(test, path)
    const back = await test.call('holdout.get', {})
    expect(back.cases.map(({ caseId }) => caseId)).toEqual([third, second, test.caseId])
    await test.call('case.remove', { caseId: test.caseId })
    expect(await test.call('holdout.set', { caseIds: [], chosenBy: 'user' })).toMatchObject({ id: null, cases: [] })
    await add(test, path)
    expect(await test.call('holdout.get', {})).toMatchObject({ id: null, cases: [] })
  })

  it('is looked at without becoming the one that was open last', async () => {
    const test = await openBackend(emptyProject())
    const first = await add(test, await volumeFile('first.nii.gz'))
    const second = await add(test, await volumeFile('second.nii.gz', 5))
    const opened = await test.call('case.open', { caseId: first.id })
    expect(await test.call('case.detail', { caseId: first.id })).toEqual(opened)
    expect((await test.call('case.detail', { caseId: second.id })).id).toBe(second.id)
    expect((await test.call('project.get', {})).lastCaseId).toBe(first.id)
  })

  it('says in a sentence what is wrong with a file, and goes on', async () => {
    const test = await openBackend(emptyProject())
    const folder = temporaryFolder()
    const good = await volumeFile()
    const bytes = await import('node:fs/promises').then(({ readFile }) => readFile(good))
    const bad = (name: string, content: Uint8Array | string): string => {
      writeFileSync(join(folder, name), content)
      return join(folder, name)
    }
    for (const path of [
      bad('truncated.nii.gz', bytes.subarray(0, bytes.length / 2)),
      bad('empty.nii', ''),
      bad('noise.png', 'not a picture'),
      bad('notes.txt', 'hello'),
      temporaryFolder(),
    ]) {
      await expect(add(test, path)).rejects.toMatchObject({ code: 'bad-file' })
      await expect(add(test, path)).rejects.toThrow(basename(path))
    }
    await expect(add(test, join(folder, 'gone.nii'))).rejects.toMatchObject({ code: 'file-missing' })
    await expect(test.call('case.add', { fileId: 'unknown' })).rejects.toMatchObject({ code: 'not-found' })
    expect((await test.call('project.get', {})).cases).toEqual([])
    await add(test, good)
  })

  it('draws a thumbnail in true proportions, upright', async () => {
    const test = await openWithCase()
    const { width, height, rgba } = await test.call('case.thumbnail', { caseId: test.caseId })
    expect([width, height]).toEqual([8, 6])
    const grey = (x: number, y: number): number => rgba[4 * (x + width * y)] ?? 0
    expect(grey(3, 2)).toBe(255)
    expect(grey(7, 5)).toBeLessThan(128)
    expect(rgba[3]).toBe(255)
  })
})

describe('a moved image', () => {
  it('is found under another name in its folder and in the project, and asked for elsewhere', async () => {
    const test = await openWithCase()
    const { caseId, dir } = test
    const path = await fileOf(test, caseId)
    await test.backend.close()
    const renamed = join(path, '..', 'renamed.nii.gz')
    renameSync(path, renamed)
    const second = await openBackend(dir)
    expect(await fileOf(second, caseId)).toBe(renamed)
    await second.backend.close()
    renameSync(renamed, join(dir, 'images', 'inside.nii.gz'))
    const third = await openBackend(dir)
    expect(await fileOf(third, caseId)).toBe(join(dir, 'images', 'inside.nii.gz'))
    await third.backend.close()

    const elsewhere = join(temporaryFolder(), 'elsewhere.nii.gz')
    renameSync(join(dir, 'images', 'inside.nii.gz'), elsewhere)
    const fourth = await openBackend(dir)
    expect((await fourth.call('project.get', {})).cases[0]).toMatchObject({ missing: true })
    await expect(fourth.call('case.open', { caseId })).rejects.toMatchObject({ code: 'file-missing' })
    const wrong = await volumeFile('wrong.nii.gz', 9)
    const relocate = (file: string) =>
      fourth.call('case.relocate', { caseId, fileId: fourth.backend.registerFile(file, 'open').id })
    await expect(relocate(wrong)).rejects.toMatchObject({ code: 'conflict' })
    expect(await relocate(elsewhere)).toMatchObject({ missing: false })
    expect(await fileOf(fourth, caseId)).toBe(elsewhere)
  })

  it('is not mistaken for one whose voxels were changed, and is trusted after a mere touch', async () => {
    const test = await openWithCase()
    const { caseId, dir } = test
    const path = await fileOf(test, caseId)
    await test.backend.close()
    utimesSync(path, new Date(), new Date())
    const touched = await openBackend(dir)
    expect(await fileOf(touched, caseId)).toBe(path)
    await touched.backend.close()
    await writeVolume(path, { dims: DIMS, affine: LPS, data: volumeData(DIMS, 77) })
    const changed = await openBackend(dir)
    await expect(changed.call('case.open', { caseId })).rejects.toMatchObject({ code: 'file-missing' })
  })

  it('is left out of a training, with a notice', async () => {
    const test = await openWithCase()
    const other = await addVolume(test, { seed: 5 })
    for (const caseId of [test.caseId, other.id]) {
      const delta = rectangle({ index: 1, at: [2, 1], size: [3, 3], after: 1 })
      await test.call('annotation.commit', { caseId, delta })
    }
    const path = await fileOf(test, other.id)
    await test.backend.close()
    rmSync(path)
    const again = await openBackend(test.dir)
    const job = await again.call('train.start', { steps: 1, seconds: 1, seed: 0, show: null })
    expect(await jobEnd(again, job.id)).toMatchObject({ state: 'done' })
    expect(again.compute.trained[0]?.samples).toHaveLength(1)
    expect(again.told('notice')[0]?.message).toContain('volume-5')
  })
})

describe('a case that is removed while a training gathers its slices', () => {
  it('is not learned from, and the training goes on with the others', async () => {
    const test = await openWithCase()
    const other = await addVolume(test, { seed: 5 })
    for (const caseId of [test.caseId, other.id]) {
      const delta = rectangle({ index: 1, at: [2, 1], size: [3, 3], after: 1 })
      await test.call('annotation.commit', { caseId, delta })
    }
    await test.backend.close()
    // The newest correction is gathered first and its image must be read from disk: the other case goes meanwhile.
    const again = await openBackend(test.dir)
    const starting = again.call('train.start', { steps: 1, seconds: 1, seed: 0, show: null })
    await again.call('case.remove', { caseId: test.caseId })
    expect(await jobEnd(again, (await starting).id)).toMatchObject({ state: 'done' })
    expect(again.compute.trained[0]?.samples).toHaveLength(1)
  })
})

describe('export.mask', () => {
  it('writes the mask in the geometry of the image, reads it back, and says saved until the next stroke', async () => {
    const test = await openWithCase()
    const { caseId } = test
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 3, at: [1, 2], size: [3, 2], after: 2 }) })
    const written = await test.call('export.mask', { caseId, fileId: null })
    expect(written).toMatchObject({ voxels: 6, labels: [2], verified: true })
    expect(written.path).toBe(join(test.dir, 'exports', 'volume-0-mask.nii.gz'))
    expect(statSync(written.path).size).toBe(written.bytes)
    const mask = await readLabelMap(written.path)
    expect(new Uint8Array(mask.labels)).toEqual(await readMaskOf(test, caseId))
    expect((await readImage(written.path)).affine).toEqual(LPS)
    const status = async () => (await test.call('project.get', {})).cases[0]?.status
    expect(await status()).toBe('saved')
    await test.call('annotation.undo', { caseId })
    expect(await status()).not.toBe('saved')
  })

  it('finds short enough names for images whose names are as long as a file system takes', async () => {
    const test = await openBackend(emptyProject())
    const path = join(temporaryFolder(), `${'肝'.repeat(80)}.nii.gz`)
    renameSync(await volumeFile(), path)
    const { id: caseId } = await add(test, path)
    await test.call('labels.add', { name: 'Liver', color: null })
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 3, at: [1, 2], size: [3, 2], after: 1 }) })
    expect((await test.call('export.mask', { caseId, fileId: null })).voxels).toBe(6)
    await test.backend.close()
    expect(readdirSync(join(test.dir, 'masks'))).toHaveLength(1)
  })

  it('saves where the user says, adds the ending, and refuses a wrong one', async () => {
    const test = await openWithCase()
    const folder = temporaryFolder()
    const save = async (name: string) => {
      const { id } = await test.call('files.target', { text: join(folder, name) })
      return test.call('export.mask', { caseId: test.caseId, fileId: id })
    }
    expect((await save('mask')).path).toBe(join(folder, 'mask.nii.gz'))
    expect((await save('plain.nii')).path).toBe(join(folder, 'plain.nii'))
    expect((await readLabelMap(join(folder, 'plain.nii'))).dims).toEqual(DIMS)
    await expect(save('mask.png')).rejects.toMatchObject({ code: 'bad-request' })
    await expect(test.call('files.target', { text: join(folder, 'no', 'mask.nii') })).rejects.toThrow('does not exist')
    await expect(test.call('files.target', { text: folder })).rejects.toMatchObject({ code: 'bad-request' })
  })

  it('never overwrites an image, by its own name, a link to it or another name of it', async () => {
    const test = await openWithCase()
    const path = await fileOf(test, test.caseId)
    const other = await fileOf(test, (await addVolume(test, { seed: 4 })).id)
    const before = statSync(path).mtimeMs
    const folder = temporaryFolder()
    symlinkSync(path, join(folder, 'soft.nii.gz'))
    linkSync(path, join(folder, 'hard.nii.gz'))
    for (const target of [path, other, join(folder, 'soft.nii.gz'), join(folder, 'hard.nii.gz')]) {
      const { id } = await test.call('files.target', { text: target })
      await expect(test.call('export.mask', { caseId: test.caseId, fileId: id })).rejects.toMatchObject({
        code: 'bad-request',
      })
    }
    const { id } = await test.call('files.target', { text: join(test.dir, 'masks', 'volume-0.nii.gz') })
    await expect(test.call('export.mask', { caseId: test.caseId, fileId: id })).rejects.toThrow('its own files')
    expect(statSync(path).mtimeMs).toBe(before)
  })

  it('writes a PNG of label values for a picture', async () => {
    const test = await openBackend(emptyProject())
    const path = join(temporaryFolder(), 'cells.png')
    const data = Uint8Array.from({ length: 12 * 10 * 3 }, (_, i) => i % 251)
    await writePng(path, { width: 12, height: 10, channels: 3, data })
    const added = await add(test, path)
    expect(added).toMatchObject({ kind: 'image', channels: 3, dims: [12, 10, 1] })
    await test.call('labels.add', { name: 'Nucleus', color: null })
    const delta = rectangle({ index: 0, at: [2, 3], size: [4, 5], after: 1 })
    await test.call('annotation.commit', { caseId: added.id, delta })
    const written = await test.call('export.mask', { caseId: added.id, fileId: null })
    expect(basename(written.path)).toBe('cells-mask.png')
    const { labels } = await readLabelMap(written.path)
    const expected = new Uint8Array(120)
    for (let y = 3; y < 8; y++) expected.fill(1, 2 + 12 * y, 6 + 12 * y)
    expect(new Uint8Array(labels)).toEqual(expected)
    const slice = await test.call('volume.slice', { caseId: added.id, axis: 2, index: 0 })
    expect(slice.data).toEqual(data)
  })

  it('says where it cannot write', async () => {
    const test = await openWithCase()
    const folder = join(temporaryFolder(), 'sub')
    mkdirSync(folder)
    const { id } = await test.call('files.target', { text: join(folder, 'mask.nii.gz') })
    rmSync(folder, { recursive: true })
    await expect(test.call('export.mask', { caseId: test.caseId, fileId: id })).rejects.toMatchObject({
      code: 'file-missing',
    })
    expect((await test.call('project.get', {})).cases[0]?.status).not.toBe('saved')
  })
})
