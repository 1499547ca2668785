import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { MethodParams } from '../../core/contract/methods.ts'
import { createProject } from '../project/project.ts'
import { cleanUp, emptyProject, openBackend, temporaryFolder, type TestBackend } from '../testing/fixtures.ts'
import { writePair, writeSeries } from '../testing/images.ts'
import { safeName } from './names.ts'
import { pathOfText } from './paths.ts'

afterEach(cleanUp)

describe('files.complete', () => {
  it('offers folders and images that begin with what was typed, folders first, hidden ones when asked', async () => {
    const test = await openBackend(emptyProject())
    const folder = temporaryFolder()
    for (const name of ['scan10.nii.gz', 'scan9.nii.gz', 'Scan2.png', 'scan.txt', 'other.png', '.scan.png']) {
      writeFileSync(join(folder, name), '')
    }
    mkdirSync(join(folder, 'scans'))
    mkdirSync(join(folder, '.hidden'))
    symlinkSync(join(folder, 'scans'), join(folder, 'scan-link'))
    const complete = async (text: string) => (await test.call('files.complete', { text })).map((entry) => entry.text)
    expect(await complete(`${folder}/scan`)).toEqual(
      ['scan-link/', 'scans/', 'Scan2.png', 'scan9.nii.gz', 'scan10.nii.gz'].map((name) => `${folder}/${name}`),
    )
    expect(await complete(`${folder}/.`)).toEqual([`${folder}/.hidden/`, `${folder}/.scan.png`])
    expect(await complete(`${folder}/x`)).toEqual([])
    expect(await complete(`${folder}/nowhere/x`)).toEqual([])
    const entries = await test.call('files.complete', { text: `${folder}/` })
    expect(entries.map((entry) => [entry.name, entry.kind]).slice(0, 2)).toEqual([
      ['scan-link', 'folder'],
      ['scans', 'folder'],
    ])
    expect(JSON.stringify(entries.map(({ id }) => id))).not.toContain(folder)
  })

  it.each([
    ['image', ['sub/', 'a.dcm', 'a.hdr', 'a.mhd', 'a.nrrd', 'a.png']],
    ['folder', ['sub/']],
    ['mask', ['sub/', 'a.dcm', 'a.hdr', 'a.json', 'a.mhd', 'a.nrrd', 'a.png']],
    ['network', ['sub/', 'a.onnx']],
  ] as const)('of kind %s offers what fits beside folders', async (kind, names) => {
    const test = await openBackend(emptyProject())
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'sub'))
    for (const ending of ['png', 'json', 'onnx', 'txt', 'nrrd', 'mhd', 'hdr', 'dcm']) {
      writeFileSync(join(folder, `a.${ending}`), '')
    }
    const entries = await test.call('files.complete', { text: `${folder}/`, kind })
    expect(entries.map(({ text }) => text.slice(folder.length + 1))).toEqual(names)
  })

  it('gives 50 at most', async () => {
    const test = await openBackend(emptyProject())
    const folder = temporaryFolder()
    for (let i = 0; i < 60; i++) writeFileSync(join(folder, `${i}.png`), '')
    expect(await test.call('files.complete', { text: `${folder}/` })).toHaveLength(50)
  })

  it('starts at the home folder', () => {
    expect(pathOfText('~')).toBe(homedir())
    expect(pathOfText('~/a.nii')).toBe(join(homedir(), 'a.nii'))
    expect(pathOfText('a/../b.nii')).toBe(join(homedir(), 'b.nii'))
    expect(pathOfText('/tmp/~/b.nii')).toBe('/tmp/~/b.nii')
  })

  it('gives ids that open a file but never save over it', async () => {
    const test = await openBackend(emptyProject())
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'a.png'), '')
    const [entry] = await test.call('files.complete', { text: `${folder}/a` })
    const fileId = entry?.id ?? ''
    const chosen = test.backend.registerFile(join(folder, 'a.png'), 'open').id
    for (const id of [fileId, chosen]) {
      await expect(test.call('export.mask', { caseId: 'x', fileId: id })).rejects.toThrow('choose it again')
    }
    const target = test.backend.registerFile(join(folder, 'm.png'), 'save').id
    await expect(test.call('case.add', { fileId: target })).rejects.toThrow('choose it again')
  })
})

describe('uploads', () => {
  async function upload(
    test: TestBackend,
    name: string,
    bytes: Uint8Array,
    piece = 5,
    folder?: MethodParams<'files.uploadBegin'>['folder'],
  ) {
    const { uploadId } = await test.call('files.uploadBegin', {
      name,
      size: bytes.length,
      ...(folder === undefined ? {} : { folder }),
    })
    for (let offset = 0; offset < bytes.length; offset += piece) {
      await test.call('files.uploadChunk', { uploadId, offset, bytes: bytes.slice(offset, offset + piece) })
    }
    return test.call('files.uploadEnd', { uploadId })
  }
  const images = (test: TestBackend) => readdirSync(join(test.dir, 'images')).sort()

  it('become a file of the project, once for the same bytes, numbered for the same name', async () => {
    const test = await openBackend(emptyProject())
    await upload(test, 'a.nii.gz', Uint8Array.of(1, 2, 3, 4, 5, 6, 7))
    await upload(test, 'a.nii.gz', Uint8Array.of(1, 2, 3, 4, 5, 6, 7), 3)
    await upload(test, 'A.nii.gz', Uint8Array.of(1, 2, 3, 4, 5, 6, 8))
    expect(images(test)).toEqual(['A (2).nii.gz', 'a.nii.gz'])
  })

  it('keep different files of one name apart when they end at the same moment', async () => {
    const test = await openBackend(emptyProject())
    const contents = [Uint8Array.of(1, 2), Uint8Array.of(3, 4), Uint8Array.of(5, 6, 7)]
    const ids = await Promise.all(
      contents.map(async (bytes) => {
        const { uploadId } = await test.call('files.uploadBegin', { name: 'a.nii.gz', size: bytes.length })
        await test.call('files.uploadChunk', { uploadId, offset: 0, bytes })
        return uploadId
      }),
    )
    await Promise.all(ids.map((uploadId) => test.call('files.uploadEnd', { uploadId })))
    expect(images(test)).toEqual(['a (2).nii.gz', 'a (3).nii.gz', 'a.nii.gz'])
    const kept = images(test).map((name) => [...readFileSync(join(test.dir, 'images', name))])
    expect(kept.sort()).toEqual(contents.map((bytes) => [...bytes]))
  })

  it('end once, whoever asks twice', async () => {
    const test = await openBackend(emptyProject())
    const { uploadId } = await test.call('files.uploadBegin', { name: 'a.png', size: 3 })
    await test.call('files.uploadChunk', { uploadId, offset: 0, bytes: Uint8Array.of(1, 2, 3) })
    const [first, second] = await Promise.allSettled([
      test.call('files.uploadEnd', { uploadId }),
      test.call('files.uploadEnd', { uploadId }),
    ])
    expect(first).toMatchObject({ status: 'fulfilled', value: { name: 'a.png' } })
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'not-found' } })
    expect(images(test)).toEqual(['a.png'])
  })

  it('refuse what does not fit together, and leave nothing behind', async () => {
    const test = await openBackend(emptyProject())
    const { uploadId } = await test.call('files.uploadBegin', { name: 'a.png', size: 4 })
    const chunk = (offset: number, length: number) =>
      test.call('files.uploadChunk', { uploadId, offset, bytes: new Uint8Array(length) })
    await expect(chunk(1, 1)).rejects.toMatchObject({ code: 'bad-request' })
    await chunk(0, 2)
    await chunk(0, 2)
    await expect(chunk(2, 3)).rejects.toMatchObject({ code: 'bad-request' })
    await expect(test.call('files.uploadEnd', { uploadId })).rejects.toThrow('arrived incomplete')
    await expect(chunk(2, 2)).rejects.toMatchObject({ code: 'not-found' })
    expect(images(test)).toEqual([])
    await expect(test.call('files.uploadBegin', { name: 'a.txt', size: 4 })).rejects.toMatchObject({ code: 'bad-file' })
    await test.backend.close()
    expect(images(test)).toEqual([])
  })

  it('lie side by side where they belong together, and open by their header', async () => {
    const test = await openBackend(emptyProject())
    const source = temporaryFolder()
    await writePair(source, 'scan', 3)
    const folder = { id: randomUUID(), name: 'scan', header: 'scan.hdr' }
    const send = (name: string) => upload(test, name, readFileSync(join(source, name)), 400, folder)
    const opened = [await send('scan.hdr'), await send('scan.img')]
    expect(new Set(opened.map(({ id }) => id)).size).toBe(1)
    expect(opened[1]).toMatchObject({ name: 'scan.hdr', kind: 'file' })
    const added = await test.call('case.add', { fileId: opened[1]?.id ?? '' })
    expect(added).toMatchObject({ name: 'scan', dims: [8, 6, 5] })
    expect(readdirSync(join(test.dir, 'images', 'scan')).sort()).toEqual(['scan.hdr', 'scan.img'])
    expect(images(test)).toEqual(['scan'])
  })

  it('of a DICOM folder open as the folder, whose names may be the same further down', async () => {
    const test = await openBackend(emptyProject())
    const source = temporaryFolder()
    const files = [...writeSeries(join(source, 'a')), ...writeSeries(join(source, 'b'), { description: 'Other' })]
    const folder = { id: randomUUID(), name: 'My study', header: null }
    const ended = []
    for (const path of files) ended.push(await upload(test, basename(path), readFileSync(path), 2000, folder))
    expect(ended.at(-1)).toMatchObject({ name: 'My study', kind: 'folder' })
    const fileId = ended.at(-1)?.id ?? ''
    const { series } = await test.call('case.look', { fileId })
    expect(series.map(({ description, images: count }) => [description, count])).toEqual([
      ['Abdomen', 5],
      ['Other', 5],
    ])
    const begin = (name: string) => test.call('files.uploadBegin', { name, size: 1, folder })
    await expect(begin('viewer.exe')).rejects.toMatchObject({ code: 'bad-file' })
    await test.call('case.add', { fileId })
    // A folder that never became a case goes at the next start; one that did stays.
    const other = { id: randomUUID(), name: 'My study', header: null }
    await upload(test, 'IM1', Uint8Array.of(1, 2, 3), 5, other)
    expect(images(test)).toEqual(['My study', 'My study (2)'])
    await test.backend.close()
    const again = await openBackend(test.dir)
    expect(images(again)).toEqual(['My study'])
    await again.backend.close()
    expect(images(await openBackend(test.dir))).toEqual(['My study'])
  })

  it('of two folders of one name that come at the same moment lie in two', async () => {
    const test = await openBackend(emptyProject())
    const begin = () =>
      test.call('files.uploadBegin', { name: 'IM1', size: 1, folder: { id: randomUUID(), name: 'CT', header: null } })
    await Promise.all([begin(), begin(), begin()])
    expect(images(test).filter((name) => !name.startsWith('.'))).toEqual(['CT', 'CT (2)', 'CT (3)'])
  })

  it.each(['project', 'images'])('keep the folder of a case where the %s folder is a link', async (linked) => {
    const link = join(temporaryFolder(), 'link')
    const dir = linked === 'project' ? join(link, 'mine') : emptyProject()
    symlinkSync(temporaryFolder(), link)
    if (linked === 'project') createProject(dir, { name: 'Test' }).close()
    else {
      rmSync(join(dir, 'images'), { recursive: true })
      symlinkSync(link, join(dir, 'images'))
    }
    const test = await openBackend(dir)
    const folder = { id: randomUUID(), name: 'study', header: null }
    let fileId = ''
    for (const path of writeSeries(temporaryFolder())) {
      fileId = (await upload(test, basename(path), readFileSync(path), 2000, folder)).id
    }
    const { id } = await test.call('case.add', { fileId })
    await test.backend.close()
    const again = await openBackend(dir)
    expect(images(again)).toEqual(['study'])
    expect(await again.call('case.open', { caseId: id })).toMatchObject({ missing: false, dims: [8, 6, 5] })
  })

  it.each([
    ['../../etc/passwd.png', 'passwd.png'],
    ['C:\\scans\\a.nii', 'a.nii'],
    ['.hidden.png', 'hidden.png'],
    ['a\u0000b:c?.png', 'a_b_c_.png'],
    ['..', 'image'],
    [`${'肝'.repeat(250)}.png`, `${'肝'.repeat(65)}.png`],
    [`${'x'.repeat(40)}.${'y'.repeat(195)}.png`, `${'y'.repeat(195)}.png`],
  ])('take "%s" as "%s"', (name, safe) => {
    expect(safeName(name)).toBe(safe)
  })
})
