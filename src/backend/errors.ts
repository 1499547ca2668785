import { basename } from 'node:path'
import { CodedError, type ErrorCode } from '../core/contract/errors.ts'

/** SQLite primary result codes (sqlite.org/rescode.html); extended codes carry them in the low byte. */
const SQLITE = { perm: 3, busy: 5, locked: 6, readonly: 8, ioerr: 10, corrupt: 11, full: 13, cantopen: 14, notadb: 26 }
/** SQLITE_READONLY_DBMOVED and SQLITE_IOERR_* do not tell "no space"; the system's own words do. */
const noSpace = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
const noPermission = new Set(['EACCES', 'EPERM', 'EROFS'])
const gone = new Set(['ENOENT', 'ENOTDIR', 'ESTALE', 'ENXIO', 'ENODEV'])

/** The system's code ("ENOSPC") of something thrown by Node, or null. */
export function systemCode(thrown: unknown): string | null {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return null
  return typeof thrown.code === 'string' ? thrown.code : null
}

/** The primary SQLite result code of something thrown by node:sqlite, or null. */
export function sqliteCode(thrown: unknown): number | null {
  if (systemCode(thrown) !== 'ERR_SQLITE_ERROR' || typeof thrown !== 'object' || thrown === null) return null
  return 'errcode' in thrown && typeof thrown.errcode === 'number' ? thrown.errcode & 0xff : null
}

/**
 * What went wrong while a file of the project, or one that the user named, was read or written, as a coded error with
 * one sentence. Coded errors pass through unchanged.
 */
export function storageError(thrown: unknown, path: string, doing: 'read' | 'written' = 'written'): CodedError {
  if (thrown instanceof CodedError) return thrown
  const name = basename(path)
  const detail = thrown instanceof Error ? `${path}: ${thrown.message}` : `${path}: ${String(thrown)}`
  const coded = (code: ErrorCode, message: string): CodedError =>
    new CodedError(code, message, { cause: thrown, detail })
  const system = systemCode(thrown) ?? ''
  const sqlite = sqliteCode(thrown)
  if (noSpace.has(system) || sqlite === SQLITE.full) {
    return coded('disk-full', `The disk is full, so "${name}" could not be written; free some space and try again.`)
  }
  if (noPermission.has(system) || sqlite === SQLITE.readonly || sqlite === SQLITE.perm) {
    return coded('no-permission', `You have no permission for "${name}"; change its permissions or use another folder.`)
  }
  if (gone.has(system) || sqlite === SQLITE.cantopen) {
    return coded('file-missing', `"${name}" cannot be found; check that its folder or drive is still there.`)
  }
  if (sqlite === SQLITE.busy || sqlite === SQLITE.locked) {
    return coded('busy', `"${name}" is used by another program; close that program and try again.`)
  }
  if (sqlite === SQLITE.corrupt || sqlite === SQLITE.notadb) {
    return coded('bad-file', `"${name}" is damaged; restore the project folder from a backup.`)
  }
  if (doing === 'read') return coded('bad-file', `"${name}" could not be read; check the drive that it is on.`)
  return coded('not-saved', `"${name}" could not be written; check the drive that it is on and try again.`)
}
