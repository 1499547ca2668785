import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CodedError } from '../core/contract/errors.ts'
import { fileSize, readError, writeAtomically, writeError } from './files.ts'
import { temporaryFolder } from './testing/folders.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

const system = (code: string): Error => Object.assign(new Error(`${code}: it failed`), { code })

describe('writeAtomically', () => {
  it('shows the old file or the whole new one, and cleans up after a failure', async () => {
    const path = join(folder.path, 'mask.nii.gz')
    expect(await writeAtomically(path, [Buffer.from('ab'), Buffer.from('c')])).toBe(3)
    let during: string[] = []
    const full = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('new but')
      during = await readdir(folder.path)
      expect(await readFile(path, 'utf8')).toBe('abc')
      throw system('ENOSPC')
    }
    const error: unknown = await writeAtomically(path, full()).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'disk-full', message: expect.stringContaining('mask.nii.gz') as string })
    expect(during).toHaveLength(2)
    expect(await readdir(folder.path)).toEqual(['mask.nii.gz'])
    expect(await readFile(path, 'utf8')).toBe('abc')
  })
})

describe('errors of the operating system', () => {
  it('become coded sentences that name the file', () => {
    const path = '/somewhere/deep/scan.nii.gz'
    const reads = { ENOENT: 'file-missing', EACCES: 'no-permission', EISDIR: 'bad-file', EIO: 'bad-file' }
    for (const [code, expected] of Object.entries(reads)) expect(readError(system(code), path).code).toBe(expected)
    const writes = {
      ENOSPC: 'disk-full',
      EDQUOT: 'disk-full',
      EACCES: 'no-permission',
      EROFS: 'no-permission',
      ENOENT: 'file-missing',
      EISDIR: 'not-saved',
      EIO: 'not-saved',
    }
    for (const [code, expected] of Object.entries(writes)) {
      const error = writeError(system(code), path)
      expect(error.code).toBe(expected)
      expect(error.message).toMatch(/scan\.nii\.gz[^\n]*\.$/)
      expect(error.message).not.toContain('/somewhere')
    }
    const coded = new CodedError('cancelled', 'Stopped.')
    expect(readError(coded, path)).toBe(coded)
  })
  it('tell empty files and odd paths apart', async () => {
    await writeFile(join(folder.path, 'empty'), '')
    await expect(fileSize(join(folder.path, 'empty'))).rejects.toMatchObject({ code: 'bad-file' })
    await expect(fileSize(join(folder.path, 'nothing'))).rejects.toMatchObject({ code: 'file-missing' })
    await expect(fileSize(folder.path)).rejects.toMatchObject({ code: 'bad-file' })
  })
})
