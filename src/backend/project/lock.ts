import { basename, dirname, join } from 'node:path'
import { hostname } from 'node:os'
import { DatabaseSync } from 'node:sqlite'
import { CodedError } from '../../core/contract/errors.ts'
import { sqliteCode, storageError } from '../errors.ts'
import { int, text } from './rows.ts'

const SQLITE_BUSY = 5

export interface ProjectLock {
  release(): void
}

/**
 * Makes this process the only one that works in the project folder. The lock is SQLite's own reserved lock on a tiny
 * database: the system drops it when the process ends, however it ends, so that there is no stale lock to recognise;
 * others can still read who holds it.
 * Throws CodedError('busy') where another host holds it.
 */
export function lockProject(projectDir: string): ProjectLock {
  const path = join(projectDir, 'project.lock')
  let db: DatabaseSync
  try {
    db = new DatabaseSync(path, { timeout: 0 })
  } catch (error) {
    throw storageError(error, path)
  }
  try {
    db.exec('BEGIN IMMEDIATE')
    db.exec('CREATE TABLE IF NOT EXISTS holder (pid INTEGER, host TEXT, since TEXT); DELETE FROM holder')
    db.prepare('INSERT INTO holder VALUES (?, ?, ?)').run(process.pid, hostname(), new Date().toISOString())
    db.exec('COMMIT')
    // Reserved, with nothing written: readers are let in, other hosts are not.
    db.exec('BEGIN IMMEDIATE')
  } catch (error) {
    const holder = sqliteCode(error) === SQLITE_BUSY ? readHolder(db) : null
    db.close()
    if (sqliteCode(error) !== SQLITE_BUSY) throw storageError(error, path)
    throw new CodedError(
      'busy',
      `The project "${basename(projectDir)}" is already open in another Maskwright; close it there first.`,
      { cause: error, detail: `${dirname(path)}${holder === null ? '' : `: ${holder}`}` },
    )
  }
  return {
    release: () => {
      if (db.isOpen) db.close()
    },
  }
}

function readHolder(db: DatabaseSync): string | null {
  try {
    const row = db.prepare('SELECT pid, host, since FROM holder').get()
    return row === undefined ? null : `process ${int(row, 'pid')} on ${text(row, 'host')} since ${text(row, 'since')}`
  } catch {
    // Unreadable for a moment while the other host writes its name.
    return null
  }
}
