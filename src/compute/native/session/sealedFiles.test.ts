import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sealedFiles } from './sealedFiles.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'sealed-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const content = (bytes: number, value = 7) => new Uint8Array(bytes).fill(value)

describe('sealed files', () => {
  it('are read as they were written, each by its key', async () => {
    const files = sealedFiles(folder, 10_000)
    expect(await files.read('a')).toBeNull()
    await files.write('a', content(10, 1))
    await files.write('b', content(0))
    expect(await files.read('a')).toEqual(Buffer.from(content(10, 1)))
    expect(await files.read('b')).toEqual(Buffer.alloc(0))
    await files.write('a', content(3, 2))
    expect(await files.read('a')).toEqual(Buffer.from(content(3, 2)))
    await files.remove('a')
    expect(await files.read('a')).toBeNull()
  })

  it('are not taken for those of another key', async () => {
    const files = sealedFiles(folder, 10_000)
    await files.write('a', content(10, 1))
    const [written = ''] = readdirSync(folder)
    await files.write('b', content(10, 2))
    const [other = ''] = readdirSync(folder).filter((name) => name !== written)
    rmSync(path.join(folder, other))
    const sealed = readFileSync(path.join(folder, written))
    writeFileSync(path.join(folder, other), sealed)
    expect(await files.read('b')).toBeNull()
    expect(existsSync(path.join(folder, other))).toBe(false)
  })

  it('make room for the newest, those not used for longest going first', async () => {
    const files = sealedFiles(folder, 3000)
    for (const [index, key] of ['a', 'b', 'c'].entries()) {
      const before = new Set(readdirSync(folder))
      await files.write(key, content(800))
      const [added = ''] = readdirSync(folder).filter((name) => !before.has(name))
      utimesSync(path.join(folder, added), index + 1, index + 1)
    }
    expect(await files.read('a')).not.toBeNull()
    await files.write('d', content(800))
    const found = await Promise.all(['a', 'b', 'c', 'd'].map(async (key) => (await files.read(key)) !== null))
    expect(found).toEqual([true, false, true, true])
  })

  it('leave no drafts behind, their own or of processes that ended', async () => {
    const files = sealedFiles(folder, 10_000)
    const left = path.join(folder, '1-2-3.draft')
    writeFileSync(left, '')
    utimesSync(left, 1, 1)
    await files.write('a', content(10))
    expect(readdirSync(folder).filter((name) => name.endsWith('.draft'))).toEqual([])
  })

  it('are none where there is no folder, and none can be made', async () => {
    const file = path.join(folder, 'file')
    writeFileSync(file, '')
    const files = sealedFiles(path.join(file, 'under'), 10_000)
    expect(await files.draft()).toBeNull()
    await files.write('a', content(10))
    expect(await files.read('a')).toBeNull()
  })
})
