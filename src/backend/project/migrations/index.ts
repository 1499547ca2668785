import { CodedError } from '../../../core/contract/errors.ts'
import type { Database } from '../database.ts'
import { int } from '../rows.ts'
import { initial } from './0001-initial.ts'
import { anyImage } from './0002-any-image.ts'
import { importedMasks } from './0003-imported-masks.ts'
import { learning } from './0004-learning.ts'
import { drawn } from './0005-drawn.ts'
import { labelAge } from './0006-label-age.ts'

/** In order; the n-th brings a project to schema n. `PRAGMA user_version` says where a project stands. */
const migrations: readonly string[] = [initial, anyImage, importedMasks, learning, drawn, labelAge]

/** Marks the file as a Maskwright project for `file` and other tools: "MkWr". */
const APPLICATION_ID = 0x4d6b5772

/**
 * Brings the database to the schema of this version, each step in a transaction of its own.
 * Throws CodedError('bad-file') for a project of a newer version, or a database that is not a project.
 */
export function migrate(db: Database, projectName: string, steps: readonly string[] = migrations): void {
  const version = pragma(db, 'user_version')
  if (version > steps.length) {
    throw new CodedError(
      'bad-file',
      `The project "${projectName}" was made by a newer version of Maskwright; update Maskwright to open it.`,
      { detail: `schema ${version}, this version knows ${steps.length}` },
    )
  }
  if (version > 0 && pragma(db, 'application_id') !== APPLICATION_ID) {
    throw new CodedError('bad-file', `"${projectName}" is not a Maskwright project; choose a project folder.`)
  }
  for (const [index, sql] of steps.entries()) {
    if (index < version) continue
    db.transaction(() => {
      db.exec(sql)
      db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${index + 1}`)
    })
  }
}

function pragma(db: Database, name: 'user_version' | 'application_id'): number {
  const row = db.get(`PRAGMA ${name}`)
  return row === undefined ? 0 : int(row, name)
}
