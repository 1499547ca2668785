import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { CodedError } from '../../core/contract/errors.ts'
import { storageError } from '../errors.ts'
import type { Row } from './rows.ts'

/**
 * The project's database: WAL, synchronous=FULL (a commit that returned is on disk), foreign keys on. Everything runs
 * on the calling thread and in one connection, so a transaction is never interleaved with another one.
 * Every method throws CodedError: `no-project` after `close`, `disk-full`, `no-permission`, `file-missing`, `busy`, `bad-file` or `not-saved`.
 */
export class Database {
  readonly path: string
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  #depth = 0

  constructor(path: string) {
    this.path = path
    try {
      this.#db = new DatabaseSync(path, { enableForeignKeyConstraints: true, timeout: 2000 })
    } catch (error) {
      throw storageError(error, path, 'read')
    }
    try {
      this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY')
    } catch (error) {
      this.#db.close()
      throw storageError(error, path, 'read')
    }
  }

  /** Runs SQL without parameters, such as a migration. */
  exec(sql: string): void {
    this.#guard(() => this.#db.exec(sql))
  }

  run(sql: string, ...values: SQLInputValue[]): number {
    return this.#guard(() => Number(this.#statement(sql).run(...values).changes))
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#guard(() => this.#statement(sql).get(...values))
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#guard(() => this.#statement(sql).all(...values))
  }

  /** Reads row by row, for tables that do not fit into memory. Do not write while it runs. */
  *each(sql: string, ...values: SQLInputValue[]): Generator<Row> {
    // A statement of its own: an iterator that is left early must not disturb the cached one.
    const statement = this.#guard(() => this.#db.prepare(sql))
    yield* statement.iterate(...values)
  }

  /** All of `work` or nothing. An inner call joins the outer transaction. `work` must not be async. */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work()
    this.#guard(() => this.#db.exec('BEGIN IMMEDIATE'))
    this.#depth++
    try {
      const result = work()
      this.#guard(() => this.#db.exec('COMMIT'))
      return result
    } catch (error) {
      // SQLite has rolled back on its own after some errors (full disk); a second rollback is then refused.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    } finally {
      this.#depth--
    }
  }

  close(): void {
    this.#statements.clear()
    if (this.#db.isOpen) this.#db.close()
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  #guard<T>(work: () => T): T {
    if (!this.#db.isOpen) throw new CodedError('no-project', 'The project was closed; start Maskwright again.')
    try {
      return work()
    } catch (error) {
      throw storageError(error, this.path)
    }
  }
}
