import { mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findStaticFile } from './staticFiles.ts'

describe('files of the built page', () => {
  let folder = ''
  let page = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'maskwright-static-'))
    page = join(folder, 'page')
    await mkdir(join(page, 'assets'), { recursive: true })
    await writeFile(join(page, 'index.html'), '<html>')
    await writeFile(join(page, 'assets', 'a b.js'), '1')
    await writeFile(join(page, 'assets', 'notes.txt'), 'x')
    await writeFile(join(page, '.hidden.js'), 'x')
    await writeFile(join(folder, 'secret.js'), 'x')
    await mkdir(join(folder, 'page-other'))
    await writeFile(join(folder, 'page-other', 'x.js'), 'x')
    await symlink(join(folder, 'secret.js'), join(page, 'linked.js'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it.each([
    ['/', 'text/html; charset=utf-8', 6],
    ['/index.html', 'text/html; charset=utf-8', 6],
    ['/assets/a%20b.js', 'text/javascript; charset=utf-8', 1],
  ])('finds %s', async (path, mimeType, size) => {
    expect(await findStaticFile(page, path)).toMatchObject({ mimeType, size })
  })

  it.each([
    '/../secret.js',
    '/%2e%2e/secret.js',
    '/..%2fsecret.js',
    '/assets/../../secret.js',
    '/assets/..%5c..%5csecret.js',
    '/../page-other/x.js',
    '//etc/passwd',
    '/linked.js',
    '/.hidden.js',
    '/assets',
    '/assets/',
    '/assets/notes.txt',
    '/assets/missing.js',
    '/index.html%00.js',
    '/C:/secret.js',
    '/%',
    'index.html',
    '',
  ])('does not find %s', async (path) => {
    expect(await findStaticFile(page, path)).toBeNull()
  })
})
