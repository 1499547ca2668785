import { randomUUID } from 'node:crypto'
import { open, readdir, rename, rm, stat, statfs, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import type { FileEntry } from '../../core/contract/schemas.ts'
import { contentHash, isSupported, supportedExtensions } from '../../imaging/index.ts'
import { storageError } from '../errors.ts'
import { freeName, mayBelong, safeName } from './names.ts'
import type { FileRegistry } from './registry.ts'
import type { UploadedFolders, UploadFolder } from './uploadedFolders.ts'

/** Uploads under way at once, and the largest piece of one. */
const MAX_UPLOADS = 8
const MAX_CHUNK = 32 * 2 ** 20
/** What must stay free on the disk, so that strokes can still be saved. */
const RESERVE = 256 * 2 ** 20
/** An upload of which nothing was heard for so long was given up by its sender. */
const IDLE_MS = 60_000
const PREFIX = '.upload-'

interface Upload {
  readonly name: string
  /** Where it will lie. */
  readonly folder: string
  /** What stands for the folder of files that belong together; null for a file by itself. */
  readonly opened: string | null
  readonly size: number
  readonly temporary: string
  readonly handle: FileHandle
  /** Bytes received without a gap. */
  received: number
  /** Chunks of one upload are written one after the other. */
  writing: Promise<void>
  heardAt: number
}

/** Dropped files: their bytes arrive in pieces and become a file of the project's images folder. */
export class Uploads {
  readonly #folder: string
  readonly #folders: UploadedFolders
  readonly #files: FileRegistry
  readonly #uploads = new Map<string, Upload>()
  /** One file gets its name at a time: two of the same name would otherwise find it free, and one be lost. */
  #placing: Promise<unknown> = Promise.resolve()

  constructor(imagesFolder: string, folders: UploadedFolders, files: FileRegistry) {
    this.#folder = imagesFolder
    this.#folders = folders
    this.#files = files
  }

  /** Throws CodedError: `bad-file` for something that is no image, `disk-full`, `busy`. */
  async begin(name: string, size: number, set: UploadFolder | null = null): Promise<string> {
    const safe = safeName(name)
    if (!(set === null ? isSupported(safe) : mayBelong(safe))) {
      throw new CodedError(
        'bad-file',
        `"${safe}" is not an image that Maskwright reads; it reads ${supportedExtensions.join(', ')}.`,
      )
    }
    await this.#dropIdle()
    if (this.#uploads.size >= MAX_UPLOADS) {
      throw new CodedError('busy', 'Many files are being copied already; drop the rest when they are done.')
    }
    const pending = [...this.#uploads.values()].reduce((sum, upload) => sum + upload.size - upload.received, 0)
    const free = await freeBytes(this.#folder)
    if (size + pending + RESERVE > free) {
      throw new CodedError('disk-full', `There is no room for "${safe}" in the project; free some space and try again.`)
    }
    const folder = set === null ? this.#folder : await this.#folders.pathOf(set.id, safeName(set.name))
    const opened = set === null ? null : set.header === null ? folder : join(folder, safeName(set.header))
    const id = randomUUID()
    const temporary = join(this.#folder, `${PREFIX}${id}`)
    try {
      const handle = await open(temporary, 'wx')
      this.#uploads.set(id, {
        name: safe,
        folder,
        opened,
        size,
        temporary,
        handle,
        received: 0,
        writing: Promise.resolve(),
        heardAt: Date.now(),
      })
    } catch (error) {
      throw storageError(error, safe)
    }
    return id
  }

  /** Chunks come in order; one that was received already is taken again without harm. */
  async chunk(id: string, offset: number, bytes: Uint8Array): Promise<void> {
    const upload = this.#get(id)
    upload.heardAt = Date.now()
    if (bytes.length > MAX_CHUNK) throw new CodedError('bad-request', 'A piece of the file is too large.')
    const written = upload.writing.then(async () => {
      if (offset > upload.received || offset + bytes.length > upload.size) {
        throw new CodedError('bad-request', `The pieces of "${upload.name}" do not fit together; drop the file again.`)
      }
      try {
        await writeAll(upload.handle, bytes, offset)
      } catch (error) {
        throw storageError(error, upload.name)
      }
      upload.received = Math.max(upload.received, offset + bytes.length)
    })
    upload.writing = written.catch(() => undefined)
    await written
  }

  /**
   * The whole file is there: it gets its name, or that of an equal file that the project has already. Gives what is to be opened:
   * the file, or what stands for all that belong to it.
   */
  async end(id: string): Promise<FileEntry> {
    const upload = this.#get(id)
    // Ended once: asked again, it must not take the file away from under the first.
    this.#uploads.delete(id)
    await upload.writing
    try {
      if (upload.received !== upload.size) {
        throw new CodedError('bad-request', `"${upload.name}" arrived incomplete; drop the file again.`)
      }
      await upload.handle.sync()
      await upload.handle.close()
      const placed = this.#placing.then(() => this.#placed(upload))
      this.#placing = placed.catch(() => undefined)
      const path = await placed
      return this.#files.register(upload.opened ?? path, 'open', upload.name)
    } catch (error) {
      throw storageError(error, upload.name)
    } finally {
      await upload.handle.close().catch(() => undefined)
      await rm(upload.temporary, { force: true })
    }
  }

  /** Removes what uploads of an earlier process left. */
  async removeLeftOvers(): Promise<void> {
    await this.#folders.removeLeftOvers()
    const names = await readdir(this.#folder)
    const stale = names.filter((name) => name.startsWith(PREFIX) && !this.#uploads.has(name.slice(PREFIX.length)))
    await Promise.all(stale.map((name) => rm(join(this.#folder, name), { force: true })))
  }

  async close(): Promise<void> {
    for (const id of [...this.#uploads.keys()]) await this.#drop(id)
  }

  async #dropIdle(): Promise<void> {
    const now = Date.now()
    for (const [id, { heardAt }] of [...this.#uploads]) if (now - heardAt > IDLE_MS) await this.#drop(id)
  }

  async #drop(id: string): Promise<void> {
    const upload = this.#uploads.get(id)
    this.#uploads.delete(id)
    if (upload === undefined) return
    await upload.writing
    await upload.handle.close().catch(() => undefined)
    await rm(upload.temporary, { force: true })
  }

  #get(id: string): Upload {
    const upload = this.#uploads.get(id)
    if (upload === undefined)
      throw new CodedError('not-found', 'This file is not being copied any more; drop it again.')
    return upload
  }

  /** The same file dropped twice is kept once. */
  async #equalFile(upload: Upload): Promise<string | null> {
    let hash: string | null = null
    for (const name of await readdir(this.#folder)) {
      if (name.startsWith('.')) continue
      const path = join(this.#folder, name)
      const found = await stat(path)
      if (!found.isFile() || found.size !== upload.size) continue
      hash ??= await contentHash(upload.temporary)
      if ((await contentHash(path)) === hash) return path
    }
    return null
  }

  async #placed(upload: Upload): Promise<string> {
    const equal = upload.opened === null ? await this.#equalFile(upload) : null
    if (equal !== null) return equal
    const path = join(upload.folder, freeName(upload.name, await readdir(upload.folder)))
    await rename(upload.temporary, path)
    return path
  }
}

/** A nearly full disk takes a part of what it is given, without an error. */
async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let at = 0
  while (at < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, position + at)
    at += bytesWritten
  }
}

async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder)
    return bavail * bsize
  } catch {
    // Where the system does not tell, the write itself will.
    return Infinity
  }
}
