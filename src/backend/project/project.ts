import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { basename, isAbsolute, join, relative, resolve } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import { storageError } from '../errors.ts'
import type { Place } from './cases.ts'
import { Database } from './database.ts'
import { lockProject } from './lock.ts'
import { migrate } from './migrations/index.ts'
import { text } from './rows.ts'

export interface CreateProjectOptions {
  readonly name: string
  readonly isDemo?: boolean
}

/** An open project folder; this process alone works in it until `close`. */
export interface Project {
  readonly id: string
  readonly name: string
  readonly isDemo: boolean
  readonly dir: string
  readonly db: Database
  readonly folders: ProjectFolders
  /** The stored form of an image's path: relative where the image lies in the project, so that the folder can move. */
  storedPath(path: string): string
  storedPlace(place: Place): Place
  resolvedPath(stored: string): string
  close(): void
}

export interface ProjectFolders {
  readonly masks: string
  readonly models: string
  readonly exports: string
  readonly images: string
}

const DATABASE = 'project.sqlite'

export function projectExists(dir: string): boolean {
  return existsSync(join(dir, DATABASE))
}

/**
 * Makes an empty project in `dir` (created where it is missing) and opens it.
 * Throws CodedError('conflict') where a project is already there, `no-permission`, `disk-full` or `not-saved`.
 */
export function createProject(dir: string, options: CreateProjectOptions): Project {
  const root = resolve(dir)
  try {
    mkdirSync(root, { recursive: true })
  } catch (error) {
    throw storageError(error, root)
  }
  return openDatabase(root, (db) => {
    if (db.get(`SELECT 1 AS found FROM sqlite_schema WHERE name = 'meta'`) !== undefined) {
      throw new CodedError(
        'conflict',
        `"${basename(root)}" already holds a project; open it, or choose another folder.`,
      )
    }
    db.transaction(() => {
      migrate(db, options.name)
      const put = (key: string, value: string): number => db.run('INSERT INTO meta VALUES (?, ?)', key, value)
      put('id', randomUUID())
      put('name', options.name)
      put('demo', options.isDemo === true ? '1' : '0')
      put('createdAt', new Date().toISOString())
    })
  })
}

/**
 * Opens the project in `dir` and brings it to the current schema.
 * Throws CodedError: `no-project` where there is none, `busy` where another Maskwright has it open, `bad-file` where it
 * is damaged or was made by a newer version, `no-permission`.
 */
export function openProject(dir: string): Project {
  const root = resolve(dir)
  if (!projectExists(root)) {
    throw new CodedError(
      'no-project',
      `"${basename(root)}" holds no project; choose a project folder or make a new one.`,
    )
  }
  return openDatabase(root, (db) => {
    if (db.get(`SELECT 1 AS found FROM sqlite_schema LIMIT 1`) === undefined) {
      throw new CodedError('no-project', `The project in "${basename(root)}" was never finished; make it again.`)
    }
    migrate(db, basename(root))
  })
}

function openDatabase(root: string, prepare: (db: Database) => void): Project {
  const lock = lockProject(root)
  let db: Database | null = null
  try {
    db = new Database(join(root, DATABASE))
    prepare(db)
    return describe(root, db, lock)
  } catch (error) {
    db?.close()
    lock.release()
    throw storageError(error, root)
  }
}

function describe(root: string, db: Database, lock: { release(): void }): Project {
  const meta = (key: string): string => {
    const row = db.get('SELECT value FROM meta WHERE key = ?', key)
    if (row === undefined)
      throw new CodedError('bad-file', `The project "${basename(root)}" is damaged.`, { detail: key })
    return text(row, 'value')
  }
  const folders: ProjectFolders = {
    masks: join(root, 'masks'),
    models: join(root, 'models'),
    exports: join(root, 'exports'),
    images: join(root, 'images'),
  }
  for (const folder of [folders.masks, folders.models, folders.exports, folders.images]) {
    mkdirSync(folder, { recursive: true })
  }
  // Images are known by their real paths, and the project may have been opened through a link.
  const roots = [root, realpathSync(root)]
  const storedPath = (path: string): string => {
    for (const base of roots) {
      const inside = relative(base, path)
      if (!inside.startsWith('..') && !isAbsolute(inside)) return inside.replaceAll('\\', '/')
    }
    return path
  }
  return {
    id: meta('id'),
    name: meta('name'),
    isDemo: meta('demo') === '1',
    dir: root,
    db,
    folders,
    storedPath,
    storedPlace: ({ path, files, size, mtime }) => ({
      path: storedPath(path),
      files: files.map(storedPath),
      size,
      mtime,
    }),
    resolvedPath: (stored) => resolve(root, stored),
    close: () => {
      db.close()
      lock.release()
    },
  }
}
