import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { cleanUp, emptyProject, openBackend, temporaryFolder, type TestBackend } from '../testing/fixtures.ts'
import { pathOfText } from './paths.ts'
import { safeName } from './names.ts'

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
  async function upload(test: TestBackend, name: string, bytes: Uint8Array, piece = 5) {
    const { uploadId } = await test.call('files.uploadBegin', { name, size: bytes.length })
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

  it.each([
    ['../../etc/passwd.png', 'passwd.png'],
    ['C:\\scans\\a.nii', 'a.nii'],
    ['.hidden.png', 'hidden.png'],
    ['a\u0000b:c?.png', 'a_b_c_.png'],
    ['..', 'image'],
  ])('take "%s" as "%s"', (name, safe) => {
    expect(safeName(name)).toBe(safe)
  })
})
