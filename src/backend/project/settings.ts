import { CodedError } from '../../core/contract/errors.ts'
import type { Database } from './database.ts'
import { json, text } from './rows.ts'

/** A setting is a small JSON value; more than this is not a setting. */
const MAX_LENGTH = 64 * 1024

/** What the interface remembers with the project. Keys that start with "." are the backend's own and stay inside. */
export class Settings {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  all(): Record<string, unknown> {
    const rows = this.#db.all(`SELECT key, value FROM settings WHERE key NOT LIKE '.%'`)
    return Object.fromEntries(rows.map((row) => [text(row, 'key'), json(row, 'value')]))
  }

  get(key: string): unknown {
    const row = this.#db.get('SELECT value FROM settings WHERE key = ?', key)
    return row === undefined ? undefined : json(row, 'value')
  }

  /** Undefined removes the key. Throws CodedError('bad-request') for a value that is not JSON or too large. */
  set(key: string, value: unknown): void {
    if (value === undefined) {
      this.#db.run('DELETE FROM settings WHERE key = ?', key)
      return
    }
    const encoded = JSON.stringify(value)
    if (typeof encoded !== 'string' || encoded.length > MAX_LENGTH) {
      throw new CodedError('bad-request', `The setting "${key}" cannot be stored.`)
    }
    this.#db.run('INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value', key, encoded)
  }
}
