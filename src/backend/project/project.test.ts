import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, it } from 'vitest'
import { contentHash, writeVolume } from '../../imaging/index.ts'
import { storageError } from '../errors.ts'
import { createServices } from '../services.ts'
import { FakeCompute } from '../testing/fakeCompute.ts'
import {
  cleanUp,
  DIMS,
  emptyProject,
  LPS,
  openBackend,
  openWithCase,
  rectangle,
  temporaryFolder,
  volumeData,
} from '../testing/fixtures.ts'
import { Database } from './database.ts'
import { initial } from './migrations/0001-initial.ts'
import { anyImage } from './migrations/0002-any-image.ts'
import { migrate } from './migrations/index.ts'
import { createProject, openProject, projectExists } from './project.ts'

afterEach(cleanUp)

describe('a project of the first schema', () => {
  it('is read on, with its cases as they were', async () => {
    const dir = emptyProject()
    rmSync(join(dir, 'project.sqlite'))
    const old = new Database(join(dir, 'project.sqlite'))
    migrate(old, 'Old', [initial])
    for (const [key, value] of [
      ['id', 'p'],
      ['name', 'Old'],
      ['demo', '0'],
    ]) {
      old.run('INSERT INTO meta VALUES (?, ?)', key ?? '', value ?? '')
    }
    const path = join(dir, 'images', 'scan.nii.gz')
    await writeVolume(path, { dims: DIMS, affine: LPS, data: volumeData(DIMS) })
    const { size, mtimeMs } = statSync(path)
    old.run(
      `INSERT INTO cases (id, position, name, stem, path, content_hash, file_size, file_mtime, kind, nx, ny, nz, channels,
         training_axis, low, high, min, max, added_at)
       VALUES ('c', 1, 'Scan', 'Scan', 'images/scan.nii.gz', ?, ?, ?, 'volume', 8, 6, 5, 1, 2, 5, 95, 0, 100, '')`,
      await contentHash(path),
      size,
      mtimeMs,
    )
    old.close()
    const test = await openBackend(dir)
    const detail = await test.call('case.open', { caseId: 'c' })
    expect(detail).toMatchObject({ name: 'Scan', kind: 'volume', selection: {}, tiles: null, cautionsSeen: false })
    expect([detail.window, detail.range]).toEqual([
      { center: 50, width: 90 },
      { min: 0, max: 100 },
    ])
    const fileId = test.backend.registerFile(path, 'open').id
    expect((await test.call('case.add', { fileId })).id).toBe('c')
  })
})

describe('a project of the second schema', () => {
  it('is read on, imported masks told from those that a person worked on', () => {
    const db = new Database(join(temporaryFolder(), 'old.sqlite'))
    migrate(db, 'Old', [initial, anyImage])
    const journals = {
      drawn: ['brush'],
      imported: ['import'],
      both: ['import', 'brush'],
      undone: ['brush', 'import', 'undo'],
    }
    for (const [id, kinds] of Object.entries(journals)) {
      db.run(
        `INSERT INTO cases (id, position, name, stem, path, content_hash, file_size, file_mtime, kind, nx, ny, nz, channels,
           training_axis, low, high, min, max, added_at, active_strokes)
         VALUES (?1, 1, ?1, ?1, ?1, ?1, 1, 1, 'image', 8, 8, 1, 1, 2, 0, 1, 0, 1, '', ?2)`,
        id,
        id === 'undone' ? 1 : kinds.length,
      )
      for (const [at, kind] of kinds.entries()) {
        db.run(
          `INSERT INTO journal (case_id, revision, stroke_id, kind, label, target_seq, base_revision, created_at,
             x0, y0, z0, x1, y1, z1, slices, counter, prev_hash, hash)
           VALUES (?1, ?2, ?1 || ?2, ?3, 1, IIF(?3 = 'undo', (SELECT MAX(seq) FROM journal), NULL), ?2 - 1, '',
             0, 0, 0, 8, 8, 1, '0', 'own', x'', x'')`,
          id,
          at + 1,
          kind,
        )
      }
    }
    migrate(db, 'Old')
    const rows = db.all('SELECT id, drawn_strokes FROM cases')
    expect(Object.fromEntries(rows.map((row) => [row.id, row.drawn_strokes]))).toEqual({
      ...{ drawn: 1, imported: 0, both: 1, undone: 1 },
    })
    db.close()
  })
})

describe('createProject and openProject', () => {
  it('make the folders of a project and open it again', () => {
    const dir = join(temporaryFolder(), 'deep', 'My project')
    const made = createProject(dir, { name: 'My project' })
    expect(() => createProject(join(dir, '..', 'My project'), { name: 'x' })).toThrow('already open')
    made.close()
    for (const folder of ['masks', 'models', 'exports', 'images']) expect(existsSync(join(dir, folder))).toBe(true)
    const opened = openProject(dir)
    expect(opened).toMatchObject({ id: made.id, name: 'My project', isDemo: false })
    opened.close()
    expect(() => createProject(dir, { name: 'again' })).toThrow(expect.objectContaining({ code: 'conflict' }))
    openProject(dir).close()
  })

  it('say in a sentence why a folder cannot be opened', () => {
    const empty = temporaryFolder()
    expect(projectExists(empty)).toBe(false)
    expect(() => openProject(empty)).toThrow(expect.objectContaining({ code: 'no-project' }))
    writeFileSync(join(empty, 'project.sqlite'), 'this is text, not a database, and longer than a header is')
    expect(() => openProject(empty)).toThrow(expect.objectContaining({ code: 'bad-file' }))
    const newer = emptyProject()
    const db = new DatabaseSync(join(newer, 'project.sqlite'))
    db.exec('PRAGMA user_version = 99')
    db.close()
    expect(() => openProject(newer)).toThrow('was made by a newer version of Maskwright; update Maskwright to open it.')
  })

  it('refuse a second host, also of another process, and take over from one that was killed', async () => {
    const dir = emptyProject()
    const source = `import { openProject } from ${JSON.stringify(join(import.meta.dirname, 'project.ts'))}
      const project = openProject(${JSON.stringify(dir)}); console.log('open'); setInterval(() => project.id, 1000)`
    const other = spawn(process.execPath, [
      '--disable-warning=ExperimentalWarning',
      '--input-type=module',
      '-e',
      source,
    ])
    await new Promise((resolve) => other.stdout.once('data', resolve))
    expect(() => openProject(dir)).toThrow(expect.objectContaining({ code: 'busy' }))
    const ended = new Promise((resolve) => other.once('close', resolve))
    other.kill('SIGKILL')
    await ended
    openProject(dir).close()
  })
})

describe('migrate', () => {
  it('runs each step once, in order, and leaves the database as it was when one fails', () => {
    const db = new Database(join(temporaryFolder(), 'x.sqlite'))
    migrate(db, 'x', ['CREATE TABLE a (n INTEGER)'])
    migrate(db, 'x', ['CREATE TABLE a (n INTEGER)', 'ALTER TABLE a ADD COLUMN m INTEGER'])
    expect(db.get('PRAGMA user_version')).toEqual({ user_version: 2 })
    const broken = ['', '', 'CREATE TABLE b (n INTEGER); INSERT INTO nowhere VALUES (1)']
    expect(() => migrate(db, 'x', broken)).toThrow()
    expect(db.get('PRAGMA user_version')).toEqual({ user_version: 2 })
    expect(db.get(`SELECT COUNT(*) AS n FROM sqlite_schema WHERE name = 'b'`)).toEqual({ n: 0 })
    db.close()
  })
})

describe('a full disk', () => {
  it('refuses the stroke, leaves the mask and its history as they were, and takes the same stroke later', async () => {
    const test = await openWithCase()
    const { caseId, dir } = test
    await test.backend.close()
    const project = openProject(dir)
    const { annotations, snapshots, news } = createServices({
      project,
      compute: new FakeCompute(),
      log: () => undefined,
    })
    const pages = project.db.get('PRAGMA page_count')?.page_count
    project.db.exec(`PRAGMA max_page_count = ${String(pages)}`)
    const state = async () => ({
      slice: await annotations.slice(caseId, 2, 0),
      history: await annotations.history(caseId),
    })
    let before = await state()
    const strokes = Array.from({ length: 500 }, (_, i) =>
      rectangle({ index: 0, at: [0, 0], size: [2, 2], before: i === 0 ? 0 : 1 + ((i + 1) % 2), after: 1 + (i % 2) }),
    )
    let refused: ReturnType<typeof rectangle> | undefined
    for (const delta of strokes) {
      try {
        await annotations.commit(caseId, delta, null)
        before = await state()
      } catch (error) {
        expect(error).toMatchObject({ code: 'disk-full' })
        refused = delta
        break
      }
    }
    expect(refused).toBeDefined()
    expect(await state()).toEqual(before)
    project.db.exec('PRAGMA max_page_count = 100000')
    if (refused !== undefined) await annotations.commit(caseId, refused, null)
    expect((await state()).slice.revision).toBe(before.slice.revision + 1)
    await snapshots.flush()
    news.close()
    project.close()
  })
})

describe('storageError', () => {
  const system = (code: string): Error => Object.assign(new Error(code), { code })
  const sqlite = (errcode: number): Error => Object.assign(new Error('x'), { code: 'ERR_SQLITE_ERROR', errcode })
  it.each([
    [system('ENOSPC'), 'disk-full'],
    [system('EACCES'), 'no-permission'],
    [system('EROFS'), 'no-permission'],
    [system('ENOENT'), 'file-missing'],
    [system('EIO'), 'not-saved'],
    [sqlite(13), 'disk-full'],
    [sqlite(8 | (4 << 8)), 'no-permission'],
    [sqlite(11), 'bad-file'],
    [sqlite(5), 'busy'],
    [sqlite(10 | (4 << 8)), 'not-saved'],
    [new Error('anything'), 'not-saved'],
  ])('%o is %s', (thrown, code) => {
    const error = storageError(thrown, '/data/scan.nii')
    expect(error.code).toBe(code)
    expect(error.message).toContain('"scan.nii"')
  })
})

describe('settings', () => {
  it('keep JSON values and hide the backend’s own', async () => {
    const test = await openWithCase()
    mkdirSync(join(test.dir, 'x'))
    await test.call('settings.set', { key: 'theme', value: { name: 'light' } })
    await test.call('settings.set', { key: 'theme', value: { name: 'dark' } })
    expect(await test.call('settings.get', {})).toEqual({ theme: { name: 'dark' } })
    await expect(test.call('settings.set', { key: '.lastCase', value: 'x' })).rejects.toMatchObject({
      code: 'bad-request',
    })
    expect((await test.call('project.get', {})).lastCaseId).toBe(test.caseId)
  })
})
