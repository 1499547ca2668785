import { createHash } from 'node:crypto'
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, it } from 'vitest'
import { readLabelMap } from '../../imaging/index.ts'
import { openProject } from '../project/project.ts'
import { cleanUp, openBackend, openWithCase, readMaskOf, rectangle } from '../testing/fixtures.ts'
import { Journal } from './journal.ts'
import { decodeSlices, encodeSlices, slicesOfRuns } from './sliceSets.ts'

afterEach(cleanUp)

async function fourStrokes(): Promise<{ dir: string; caseId: string; mask: Uint8Array }> {
  const test = await openWithCase()
  for (let i = 0; i < 3; i++) {
    const delta = rectangle({ index: i, at: [i, 1], size: [2, 2], after: 1 })
    await test.call('annotation.commit', { caseId: test.caseId, delta })
  }
  await test.call('annotation.undo', { caseId: test.caseId })
  const mask = await readMaskOf(test, test.caseId)
  await test.backend.close()
  return { dir: test.dir, caseId: test.caseId, mask }
}

function verify(dir: string): ReturnType<Journal['verify']> {
  const project = openProject(dir)
  try {
    return new Journal(project.db).verify()
  } finally {
    project.close()
  }
}

/** What somebody with another SQLite tool could do. */
function tamper(dir: string, sql: string): void {
  const db = new DatabaseSync(join(dir, 'project.sqlite'), { enableForeignKeyConstraints: false })
  db.exec('DROP TRIGGER journal_is_append_only_update; DROP TRIGGER journal_is_append_only_delete')
  db.exec(sql)
  db.close()
}

describe('the chain of the journal', () => {
  it('holds, and its first hash is the SHA-256 of what the row says', async () => {
    const { dir } = await fourStrokes()
    expect(verify(dir)).toEqual({ rows: 4, broken: null })
    const db = new DatabaseSync(join(dir, 'project.sqlite'))
    const row = db.prepare('SELECT * FROM journal WHERE seq = 1').get() ?? {}
    const { case_id: caseId, stroke_id: strokeId, created_at: at } = row
    const fields = [1, caseId, 1, strokeId, 'brush', 1, 2, null, 0, at, [0, 1, 0], [2, 3, 1], '0', 'own']
    const hash = createHash('sha256').update(new Uint8Array(32)).update(JSON.stringify(fields))
    // One run, [0, 4, 0, 1], in the journal's encoding: version, count, gap, length, before, after.
    hash.update(Uint8Array.of(1, 1, 0, 4, 0, 1))
    expect(Buffer.from(row.hash as Uint8Array).toString('hex')).toBe(hash.digest('hex'))
    db.close()
  })

  it.each([
    ['a changed field', 'UPDATE journal SET label = 2 WHERE seq = 2', 2],
    ['changed runs', "UPDATE journal SET runs = x'010100040002' WHERE seq = 2", 2],
    ['a dropped row', 'DELETE FROM journal WHERE seq = 2', 3],
    ['a dropped end', 'DELETE FROM journal WHERE seq = 4', 4],
    ['a forged hash', "UPDATE journal SET hash = x'00' WHERE seq = 1", 1],
  ])('shows %s', async (_name, sql, seq) => {
    const { dir } = await fourStrokes()
    tamper(dir, sql)
    expect(verify(dir).broken).toMatchObject({ seq })
  })

  it('cannot be edited while the triggers are there', async () => {
    const { dir } = await fourStrokes()
    const db = new DatabaseSync(join(dir, 'project.sqlite'))
    expect(() => db.exec('UPDATE journal SET label = 2')).toThrow('append-only')
    expect(() => db.exec('DELETE FROM journal')).toThrow('append-only')
    db.close()
  })
})

describe('snapshots', () => {
  it('are written when the project is closed and hold the mask in a file that others read', async () => {
    const { dir, mask } = await fourStrokes()
    const written = await readLabelMap(join(dir, 'masks', 'volume-0.nii.gz'))
    expect(written.dims).toEqual([8, 6, 5])
    expect(new Uint8Array(written.labels)).toEqual(mask)
    expect(readdirSync(join(dir, 'masks'))).toEqual(['volume-0.nii.gz'])
  })

  it.each([
    ['missing', (path: string) => rmSync(path)],
    ['damaged', (path: string) => writeFileSync(path, 'no longer a volume')],
    ['older than its record says', (path: string) => writeFileSync(path, '')],
  ])('do no harm when %s: the mask comes from the journal', async (_name, spoil) => {
    const { dir, caseId, mask } = await fourStrokes()
    spoil(join(dir, 'masks', 'volume-0.nii.gz'))
    const test = await openBackend(dir)
    expect(await readMaskOf(test, caseId)).toEqual(mask)
    await test.call('annotation.redo', { caseId })
    expect((await readMaskOf(test, caseId)).filter((label) => label === 1)).toHaveLength(12)
  })

  it('do no harm when another program put other labels there', async () => {
    const { dir, caseId, mask } = await fourStrokes()
    const other = await openWithCase()
    const delta = rectangle({ index: 4, at: [0, 0], size: [8, 6], after: 2 })
    await other.call('annotation.commit', { caseId: other.caseId, delta })
    await other.backend.close()
    const path = join(dir, 'masks', 'volume-0.nii.gz')
    const foreign = join(other.dir, 'masks', 'volume-0.nii.gz')
    expect(statSync(foreign).size).toBeGreaterThan(0)
    rmSync(path)
    const { copyFileSync } = await import('node:fs')
    copyFileSync(foreign, path)
    const test = await openBackend(dir)
    expect(await readMaskOf(test, caseId)).toEqual(mask)
  })
})

describe('slice sets', () => {
  it.each([
    [[], ''],
    [[7], '7'],
    [[3, 4, 5, 9], '3-5,9'],
    [[0, 2, 4, 5], '0,2,4-5'],
  ])('%j is "%s"', (slices, text) => {
    expect(encodeSlices(slices)).toBe(text)
    expect(decodeSlices(text)).toEqual(slices)
  })

  it('finds the slices that runs touch, across every axis', () => {
    // A box of 3 x 2 x 2 at (10, 20, 30): voxel 2 is (2, 0, 0), voxels 4 to 7 are (1, 1, 0), (2, 1, 0), (0, 0, 1), (1, 0, 1).
    const box = { min: [10, 20, 30], max: [13, 22, 32] } as const
    const at = (runs: number[], axis: 0 | 1 | 2) =>
      slicesOfRuns({ min: [...box.min], max: [...box.max] }, Uint32Array.from(runs), axis)
    const one = [2, 1, 0, 1]
    expect([at(one, 0), at(one, 1), at(one, 2)]).toEqual([[12], [20], [30]])
    const many = [4, 4, 0, 1]
    expect([at(many, 0), at(many, 1), at(many, 2)]).toEqual([
      [10, 11, 12],
      [20, 21],
      [30, 31],
    ])
    expect(at([4, 1, 0, 1, 10, 1, 0, 1], 0)).toEqual([11])
    expect(at([4, 1, 0, 1, 10, 1, 0, 1], 2)).toEqual([30, 31])
    expect(at([], 2)).toEqual([])
  })
})
