import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { dicomBytes, sliceElements, type TestElement, type TestSlice } from '../../imaging/dicom/testing/dicomFile.ts'
import { readMask } from '../../imaging/index.ts'
import {
  cleanUp,
  DIMS,
  emptyProject,
  openBackend,
  rectangle,
  restart,
  temporaryFolder,
  volumeData,
  type TestBackend,
} from '../testing/fixtures.ts'
import {
  writeFrames,
  writeMeta,
  writeNrrd,
  writePair,
  writeSeries,
  writeStack,
  writeTwoForms,
} from '../testing/images.ts'
import { add, fileOf, look } from '../testing/worklist.ts'

afterEach(cleanUp)

async function samplesOf(test: TestBackend, caseId: string, index: number): Promise<number[]> {
  const { data } = await test.call('volume.slice', { caseId, axis: 2, index })
  return [...new Int16Array(data.slice().buffer)]
}

/** A slice of the usual test volume, as it is stored. */
function expected(z: number, seed = 0): number[] {
  return [...volumeData(DIMS, seed).subarray(z * 48, (z + 1) * 48)]
}

describe('a pair of files', () => {
  it('is one case, whichever of them is added, and is found again under another name', async () => {
    const test = await openBackend(emptyProject())
    const folder = temporaryFolder()
    const header = await writePair(folder, 'scan', 4)
    const voxels = join(folder, 'scan.img')
    const added = await add(test, header)
    expect(added).toMatchObject({ name: 'scan', kind: 'volume', dims: DIMS })
    expect((await add(test, voxels)).id).toBe(added.id)
    expect(await samplesOf(test, added.id, 3)).toEqual(expected(3, 4))
    for (const ending of ['hdr', 'img']) renameSync(join(folder, `scan.${ending}`), join(folder, `other.${ending}`))
    const second = await restart(test)
    expect((await second.call('case.open', { caseId: added.id })).sourcePath).toMatch(/other\.(hdr|img)$/)
    expect((await second.call('project.get', {})).cases[0]).toMatchObject({ missing: false })
    rmSync(join(folder, 'other.img'))
    const third = await restart(second)
    expect((await third.call('project.get', {})).cases[0]).toMatchObject({ missing: true })
    await expect(third.call('case.open', { caseId: added.id })).rejects.toMatchObject({ code: 'file-missing' })
    const moved = temporaryFolder()
    const relocate = (path: string) => third.call('case.relocate', { caseId: added.id, fileId: fileOf(third, path) })
    await expect(relocate(await writePair(moved, 'wrong', 5))).rejects.toMatchObject({ code: 'conflict' })
    expect(await relocate(await writePair(moved, 'right', 4))).toMatchObject({ missing: false })
    expect(await samplesOf(third, added.id, 1)).toEqual(expected(1, 4))
  })

  it('is not overwritten by a mask, neither of the two', async () => {
    const test = await openBackend(emptyProject())
    const header = await writePair(temporaryFolder(), 'scan')
    const { id: caseId } = await add(test, header)
    const voxels = header.replace(/hdr$/, 'img')
    const before = readFileSync(voxels)
    for (const path of [header, voxels]) {
      const target = test.backend.registerFile(path, 'save').id
      await expect(test.call('export.mask', { caseId, fileId: target })).rejects.toMatchObject({ code: 'bad-request' })
    }
    expect(readFileSync(voxels).equals(before)).toBe(true)
  })
})

describe('a DICOM folder', () => {
  it('is looked into, and each of its series is a case', async () => {
    const test = await openBackend(emptyProject())
    const folder = join(temporaryFolder(), 'study')
    const [file = ''] = writeSeries(folder, { description: 'Portal', seed: 1 })
    writeSeries(folder, { description: 'Native', slices: 3, seed: 2, prefix: 'A' })
    const choices = await look(test, folder)
    expect(choices).toMatchObject({ format: 'DICOM', kind: 'volume', frames: 1, channels: [], complex: false })
    expect(choices.series.map(({ description, images, dims }) => [description, images, dims])).toEqual([
      ['Portal', 5, [8, 6, 5]],
      ['Native', 3, [8, 6, 3]],
    ])
    const [portal, native] = choices.series.map(({ id }) => id)
    if (portal === undefined || native === undefined) throw new Error('two series')
    expect(await look(test, folder, { series: native })).toMatchObject({ dims: [8, 6, 3] })
    const first = await add(test, folder)
    expect(first).toMatchObject({ name: 'Portal', dims: [8, 6, 5] })
    const second = await add(test, folder, { series: native })
    expect(second).toMatchObject({ name: 'Native', dims: [8, 6, 3] })
    // A file of the series is the series, and the folder with its name is it too.
    expect((await add(test, file)).id).toBe(first.id)
    expect((await add(test, folder, { series: portal })).id).toBe(first.id)
    expect((await test.call('project.get', {})).cases).toHaveLength(2)
    const detail = await test.call('case.open', { caseId: first.id })
    expect(detail).toMatchObject({
      sourcePath: folder,
      selection: { series: portal },
      orientation: 'LPS',
      cautions: [],
    })
    expect(await samplesOf(test, first.id, 4)).toEqual(expected(4, 1))
  })

  it('is known again with files of other names, elsewhere, and asked for when one is gone', async () => {
    const test = await openBackend(emptyProject())
    const top = temporaryFolder()
    const folder = join(top, 'series')
    const files = writeSeries(folder)
    const { id: caseId } = await add(test, folder)
    await test.backend.close()
    for (const [i, path] of files.entries()) renameSync(path, join(folder, `renamed-${9 - i}.dcm`))
    const second = await openBackend(test.dir)
    expect(await samplesOf(second, caseId, 0)).toEqual(expected(0))
    await second.backend.close()
    renameSync(folder, join(top, 'elsewhere'))
    const third = await openBackend(test.dir)
    expect((await third.call('case.open', { caseId })).sourcePath).toBe(join(top, 'elsewhere'))
    await third.backend.close()
    const [one = ''] = readdirSync(join(top, 'elsewhere'))
    rmSync(join(top, 'elsewhere', one))
    const fourth = await openBackend(test.dir)
    await expect(fourth.call('case.open', { caseId })).rejects.toMatchObject({ code: 'file-missing' })
    const again = join(temporaryFolder(), 'again')
    const [inside = ''] = writeSeries(again, { prefix: 'X' })
    // A file of it says where the series is.
    const relocated = await fourth.call('case.relocate', { caseId, fileId: fileOf(fourth, inside) })
    expect(relocated.missing).toBe(false)
    expect((await fourth.call('case.open', { caseId })).sourcePath).toBe(again)
  })

  it('is refused where another file took the place of one of its own, and not where one was copied', async () => {
    const test = await openBackend(emptyProject())
    const folder = temporaryFolder()
    const put = (name: string, slice: TestSlice) => writeFileSync(join(folder, name), dicomBytes(sliceElements(slice)))
    for (const z of [0, 1, 2]) {
      put(`${z}.dcm`, { position: [0, 0, z], number: 5 + z, values: Array.from({ length: 6 }, () => z) })
    }
    const { id: caseId } = await add(test, folder)
    const mine = await samplesOf(test, caseId, 1)
    await test.backend.close()
    writeFileSync(join(folder, '0 copy.dcm'), readFileSync(join(folder, '0.dcm')))
    const second = await openBackend(test.dir)
    expect(await samplesOf(second, caseId, 1)).toEqual(mine)
    await second.backend.close()
    // At the same place, and taken before the other.
    put('new.dcm', { position: [0, 0, 1], number: 1, values: [9, 9, 9, 9, 9, 9] })
    const third = await openBackend(test.dir)
    await expect(samplesOf(third, caseId, 1)).rejects.toMatchObject({
      code: 'bad-file',
      message: expect.stringMatching(/^Files were added to the folder of "A series"; keep its series/) as string,
    })
    rmSync(join(folder, 'new.dcm'))
    expect(await samplesOf(third, caseId, 1)).toEqual(mine)
  })

  it('is a case for each of its stacks, also where they lie in one file', async () => {
    const test = await openBackend(emptyProject())
    const folder = temporaryFolder()
    const frame = (z: number, orientation: string): TestElement[] => [
      [0x00209113, 'SQ', [[[0x00200032, 'DS', `1\\2\\${z}`]]]],
      [0x00209116, 'SQ', [[[0x00200037, 'DS', orientation]]]],
    ]
    const axial = [0, 1, 2].map((z) => frame(z, '1\\0\\0\\0\\1\\0'))
    const sagittal = [frame(0, '0\\1\\0\\0\\0\\-1')]
    const elements: TestElement[] = [
      ...sliceElements({ position: null, orientation: null, values: Array.from({ length: 24 }, (_, i) => i) }),
      [0x00280008, 'IS', '4'],
      [0x52009230, 'SQ', [...axial, ...sagittal]],
    ]
    writeFileSync(join(folder, 'localizer.dcm'), dicomBytes(elements.sort(([a], [b]) => a - b)))
    const [first, second] = (await look(test, folder)).series.map(({ id }) => id)
    if (first === undefined || second === undefined) throw new Error('two stacks')
    const [one, other] = [await add(test, folder, { series: first }), await add(test, folder, { series: second })]
    expect([one.dims, other.dims]).toEqual([
      [3, 2, 3],
      [3, 2, 1],
    ])
    expect((await add(test, folder, { series: second })).id).toBe(other.id)
    expect(await samplesOf(test, other.id, 0)).toEqual([18, 19, 20, 21, 22, 23])
  })

  it('with missing slices is a case with a caution', async () => {
    const test = await openBackend(emptyProject())
    const folder = join(temporaryFolder(), 'gap')
    writeSeries(folder, { slices: 8, missing: [3] })
    const { id: caseId } = await add(test, folder)
    const { cautions, cautionsSeen } = await test.call('case.open', { caseId })
    expect(cautions.map(({ kind }) => kind)).toEqual(['gaps'])
    expect(cautionsSeen).toBe(false)
    await test.call('case.acknowledge', { caseId })
    const again = await restart(test)
    expect((await again.call('case.open', { caseId })).cautionsSeen).toBe(true)
  })

  it('without pictures is refused in a sentence', async () => {
    const test = await openBackend(emptyProject())
    const folder = join(temporaryFolder(), 'nothing-here')
    mkdirSync(folder)
    writeFileSync(join(folder, 'notes.txt'), 'hello')
    for (const call of [add, look]) {
      await expect(call(test, folder)).rejects.toMatchObject({ code: 'bad-file' })
      await expect(call(test, folder)).rejects.toThrow('nothing-here')
    }
  })
})

describe('an image of any format', () => {
  const kinds: [string, (folder: string) => string | Promise<string>, number][] = [
    ['NIfTI pair', (folder) => writePair(folder, 'scan'), 2],
    ['NRRD with detached voxels', (folder) => writeNrrd(folder, 'scan'), 2],
    ['MetaImage with detached voxels', (folder) => writeMeta(folder, 'scan'), 2],
    ['TIFF stack', (folder) => writeStack(folder, 'scan'), 1],
    ['DICOM folder', (folder) => dirname(writeSeries(join(folder, 'scan'))[0] ?? ''), 5],
  ]

  it.each(kinds)('is annotated, exported and there again after a restart: %s', async (_kind, write, files) => {
    const test = await openBackend(emptyProject())
    const path = await write(temporaryFolder())
    const { id: caseId } = await add(test, path)
    expect(await samplesOf(test, caseId, 3)).toEqual(expected(3))
    await test.call('labels.add', { name: 'Liver', color: null })
    const delta = rectangle({ index: 3, at: [2, 1], size: [3, 3], after: 1 })
    await test.call('annotation.commit', { caseId, delta })
    const written = await test.call('export.mask', { caseId, fileId: null })
    expect(written).toMatchObject({ voxels: 9, labels: [1] })
    await test.backend.close()
    // The mask is there as a file too, and read from it.
    expect(readdirSync(join(test.dir, 'masks'))).toHaveLength(1)
    const again = await openBackend(test.dir)
    const mask = await again.call('annotation.slice', { caseId, axis: 2, index: 3, layer: 'mask' })
    expect(mask.data.reduce((sum, label) => sum + label, 0)).toBe(9)
    const { cases } = await again.call('project.get', {})
    expect(cases[0]).toMatchObject({ status: 'saved', missing: false, dims: DIMS })
    // None of its files can be the target of a mask.
    const folder = (await stat(path)).isDirectory() ? path : dirname(path)
    const own = readdirSync(folder)
    expect(own).toHaveLength(files)
    for (const name of own) {
      const before = readFileSync(join(folder, name))
      const target = again.backend.registerFile(join(folder, name), 'save').id
      const saved = again.call('export.mask', { caseId, fileId: target })
      // A name without ending gets one, and is another file then.
      if (name.includes('.')) await expect(saved).rejects.toMatchObject({ code: 'bad-request' })
      else expect((await saved).path).toBe(`${join(folder, name)}.nii.gz`)
      expect(readFileSync(join(folder, name)).equals(before)).toBe(true)
    }
  })
})

describe('one of several images in a file', () => {
  it('is a case of its own, which the same choice is not again', async () => {
    const test = await openBackend(emptyProject())
    const path = await writeFrames(join(temporaryFolder(), 'dynamic.nii'), 6)
    expect(await look(test, path)).toMatchObject({ format: 'NIfTI-1', dims: [8, 6, 1], frames: 5, complex: false })
    const first = await add(test, path)
    const third = await add(test, path, { frame: 2 })
    expect([first.name, third.name]).toEqual(['dynamic', 'dynamic · frame 3'])
    expect((await add(test, path, { frame: 0 })).id).toBe(first.id)
    expect((await add(test, path, { frame: 2 })).id).toBe(third.id)
    await expect(add(test, path, { frame: 5 })).rejects.toMatchObject({ code: 'bad-request' })
    const delta = rectangle({ index: 0, at: [2, 1], size: [3, 3], after: 1 })
    await test.call('labels.add', { name: 'Liver', color: null })
    await test.call('annotation.commit', { caseId: third.id, delta })
    const again = await restart(test)
    expect(await samplesOf(again, first.id, 0)).toEqual(expected(0, 6))
    expect(await samplesOf(again, third.id, 0)).toEqual(expected(2, 6))
    expect((await again.call('case.open', { caseId: third.id })).selection).toEqual({ frame: 2 })
    const { cases } = await again.call('project.get', {})
    expect(cases.map(({ status }) => status)).toEqual(['untouched', 'corrected'])
    await again.call('case.remove', { caseId: third.id })
    expect((await add(again, path, { frame: 2 })).id).toBe(third.id)
  })
})

describe('an image with two positions', () => {
  it('is shown with a caution, and by the other one when the user says so', async () => {
    const test = await openBackend(emptyProject())
    const path = await writeTwoForms(join(temporaryFolder(), 'two.nii'), { shift: 3 })
    const { id: caseId } = await add(test, path)
    const before = await test.call('case.open', { caseId })
    expect(before.cautions).toMatchObject([{ kind: 'two-positions', other: 'qform' }])
    expect(before.cautions[0]?.message).toContain('3.0 mm')
    expect(before.cautions[0]?.message).toContain('its sform is used')
    await test.call('labels.add', { name: 'Liver', color: null })
    const delta = rectangle({ index: 2, at: [2, 1], size: [3, 3], after: 1 })
    await test.call('annotation.commit', { caseId, delta })
    await test.call('export.mask', { caseId, fileId: null })
    expect((await test.call('case.open', { caseId })).status).toBe('saved')
    // The mask that others read in the project lies where the image does.
    const written = async () => (await readMask(join(test.dir, 'masks', 'two.nii.gz'))).affine?.[0]?.[3]
    const after = await test.call('case.useForm', { caseId, affine: 'qform' })
    expect(after.status).toBe('corrected')
    expect(test.told('case.slices').at(-1)).toMatchObject({ caseId, predicted: [] })
    expect(after.cautions).toMatchObject([{ kind: 'two-positions', other: 'sform' }])
    expect(after.affine?.[0]?.[3]).toBeCloseTo((before.affine?.[0]?.[3] ?? 0) + 3, 5)
    expect(after.revision).toBe(1)
    const again = await restart(test)
    expect(await written()).toBeCloseTo((before.affine?.[0]?.[3] ?? 0) + 3, 5)
    expect((await again.call('case.open', { caseId })).affine).toEqual(after.affine)
    const mask = await again.call('annotation.slice', { caseId, axis: 2, index: 2, layer: 'mask' })
    expect(mask.data.reduce((sum, label) => sum + label, 0)).toBe(9)
    expect((await add(again, path)).id).toBe(caseId)
    const back = await again.call('case.useForm', { caseId, affine: 'sform' })
    expect([back.affine, back.revision]).toEqual([before.affine, 1])
    await again.backend.close()
    expect(await written()).toBeCloseTo(before.affine?.[0]?.[3] ?? 0, 5)
  })

  it('does not get a mask that was put where it lay before', async () => {
    const test = await openBackend(emptyProject())
    const path = await writeTwoForms(join(temporaryFolder(), 'two.nii'), { shift: 3 })
    const { id: caseId } = await add(test, path)
    await test.call('labels.add', { name: 'Liver', color: null })
    const imported = test.call('mask.import', { caseId, fileId: fileOf(test, path), resample: true, labels: 1 })
    const refused = expect(imported).rejects.toMatchObject({ code: 'conflict' })
    await test.call('case.useForm', { caseId, affine: 'qform' })
    await refused
    expect(await test.call('annotation.history', { caseId })).toMatchObject({ canUndo: false })
  })

  it('keeps the one whose slices were annotated, where the other has them across another axis', async () => {
    const test = await openBackend(emptyProject())
    const path = await writeTwoForms(join(temporaryFolder(), 'turned.nii'), { turned: true })
    const { id: caseId } = await add(test, path)
    expect((await test.call('case.open', { caseId })).trainingAxis).toBe(2)
    await test.call('case.thumbnail', { caseId })
    expect((await test.call('case.useForm', { caseId, affine: 'qform' })).trainingAxis).toBe(1)
    expect(await test.call('case.thumbnail', { caseId })).toMatchObject({ width: 8 })
    await test.call('labels.add', { name: 'Liver', color: null })
    const delta = rectangle({ index: 2, at: [2, 1], size: [3, 3], after: 1 })
    await test.call('annotation.commit', { caseId, delta })
    const back = test.call('case.useForm', { caseId, affine: 'sform' })
    await expect(back).rejects.toMatchObject({ code: 'conflict' })
    expect(await test.call('case.open', { caseId })).toMatchObject({ trainingAxis: 1, selection: { affine: 'qform' } })
  })

  it('is the only one of which a position can be chosen', async () => {
    const test = await openBackend(emptyProject())
    const path = await writeTwoForms(join(temporaryFolder(), 'one.nii'))
    const { id: caseId } = await add(test, path)
    expect(await test.call('case.open', { caseId })).toMatchObject({ cautions: [] })
    await expect(test.call('case.useForm', { caseId, affine: 'qform' })).rejects.toMatchObject({ code: 'bad-request' })
  })
})
