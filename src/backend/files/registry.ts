import { randomUUID } from 'node:crypto'
import { statSync } from 'node:fs'
import { basename } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import type { FileEntry } from '../../core/contract/schemas.ts'

/** What an id may be used for: a file that was only looked at is never written to. */
type Purpose = 'open' | 'save'

/** Old ids are forgotten beyond this many; the page asks again. */
const MAX_ENTRIES = 4096

/** The paths behind the ids that the page holds. Ids are random, live as long as the process, and name one path each. */
export class FileRegistry {
  readonly #byId = new Map<string, { path: string; purpose: Purpose }>()
  readonly #idOf = new Map<string, string>()

  register(path: string, purpose: Purpose, text: string = path): FileEntry {
    const key = `${purpose} ${path}`
    const id = this.#idOf.get(key) ?? randomUUID()
    this.#byId.delete(id)
    this.#byId.set(id, { path, purpose })
    this.#idOf.set(key, id)
    for (const [oldest, { path: oldPath, purpose: oldPurpose }] of this.#byId) {
      if (this.#byId.size <= MAX_ENTRIES) break
      this.#byId.delete(oldest)
      this.#idOf.delete(`${oldPurpose} ${oldPath}`)
    }
    return { id, name: basename(path), text, kind: isFolder(path) ? 'folder' : 'file' }
  }

  /** Throws CodedError('not-found') for an id that is unknown or was given for something else. */
  path(id: string, purpose: Purpose): string {
    const entry = this.#byId.get(id)
    if (entry?.purpose !== purpose) {
      throw new CodedError('not-found', 'This file is not known any more; choose it again.')
    }
    return entry.path
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
