import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rename, stat, unlink, type FileHandle } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { CodedError } from '../core/contract/errors.ts'
import { temporaryBeside, temporaryDone } from './leftovers.ts'

/** The code of an error of the operating system, '' for anything else. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** A failed read as a sentence for the user. Coded errors pass. */
export function readError(error: unknown, path: string): CodedError {
  if (error instanceof CodedError) return error
  const name = basename(path)
  switch (systemCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new CodedError('file-missing', `${name} is not there; check the path or choose the file again.`, {
        cause: error,
        detail: path,
      })
    case 'EACCES':
    case 'EPERM':
      return new CodedError(
        'no-permission',
        `${name} may not be read; allow your user to read it, then open it again.`,
        {
          cause: error,
          detail: path,
        },
      )
    case 'EISDIR':
      return new CodedError('bad-file', `${name} is a folder; choose an image file in it.`, {
        cause: error,
        detail: path,
      })
    case 'ABORT_ERR':
      return new CodedError('cancelled', `Reading ${name} was cancelled.`, { cause: error })
    default:
      return new CodedError('bad-file', `${name} could not be read; copy it to another disk and open it from there.`, {
        cause: error,
        detail: error instanceof Error ? error.message : String(error),
      })
  }
}

/** A failed write as a sentence for the user. Coded errors pass. */
export function writeError(error: unknown, path: string): CodedError {
  if (error instanceof CodedError) return error
  const name = basename(path)
  const because = { cause: error, detail: error instanceof Error ? error.message : String(error) }
  switch (systemCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new CodedError(
        'disk-full',
        `There is no room for ${name}; free some space or save to another disk.`,
        because,
      )
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new CodedError('no-permission', `${name} may not be written there; save it to another folder.`, because)
    case 'ENOENT':
    case 'ENOTDIR':
      return new CodedError('file-missing', `The folder for ${name} is not there; choose another folder.`, because)
    case 'EISDIR':
      return new CodedError('not-saved', `${name} is the name of a folder; choose another name.`, because)
    case 'ABORT_ERR':
      return new CodedError('cancelled', `Saving ${name} was cancelled.`, because)
    default:
      return new CodedError('not-saved', `${name} could not be saved; save it to another folder or disk.`, because)
  }
}

export function badFile(path: string, what: string, cause?: unknown): CodedError {
  return new CodedError('bad-file', `${basename(path)} ${what}`, cause === undefined ? {} : { cause })
}

/** The size of a readable, non-empty regular file. Throws a CodedError that says what else it is. */
export async function fileSize(path: string): Promise<number> {
  const found = await stat(path).catch((error: unknown) => {
    throw readError(error, path)
  })
  if (found.isDirectory()) throw badFile(path, 'is a folder; choose an image file in it.')
  if (!found.isFile()) throw badFile(path, 'is not a regular file; choose an image file.')
  if (found.size === 0) throw badFile(path, 'is empty; get the file again from where it came from.')
  return found.size
}

/** Throws as `readError` where there is nothing. */
export async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch((error: unknown) => {
    throw readError(error, path)
  })
  return found.isDirectory()
}

/** The first `count` bytes of a file, fewer where it is shorter. */
export async function readStart(path: string, count: number): Promise<Uint8Array<ArrayBuffer>> {
  return withFile(path, async (handle) => {
    const bytes = new Uint8Array(count)
    const read = await fill(handle, bytes, 0)
    return bytes.slice(0, read)
  })
}

/** Opens for reading, closes whatever happens, and puts errors into words. */
export async function withFile<T>(path: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  let handle: FileHandle | null = null
  try {
    handle = await open(path, 'r')
    return await use(handle)
  } catch (error) {
    throw readError(error, path)
  } finally {
    await handle?.close()
  }
}

/** Large enough to be quick, small enough to notice a cancel. */
const READ_STEP = 16 * 2 ** 20

/** Fills `target` from a position in the file; returns how many bytes there were. */
export async function fill(
  handle: FileHandle,
  target: Uint8Array,
  position: number,
  signal?: AbortSignal,
): Promise<number> {
  let at = 0
  while (at < target.length) {
    signal?.throwIfAborted()
    const { bytesRead } = await handle.read(target, at, Math.min(READ_STEP, target.length - at), position + at)
    if (bytesRead === 0) break
    at += bytesRead
  }
  return at
}

/** SHA-256 of a file's bytes, lower-case hex. */
export async function contentHash(path: string, options: { signal?: AbortSignal | undefined } = {}): Promise<string> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) {
      options.signal?.throwIfAborted()
      hash.update(chunk as Buffer)
    }
  } catch (error) {
    throw readError(options.signal?.aborted ? abortError() : error, path)
  }
  return hash.digest('hex')
}

export function abortError(): Error {
  return Object.assign(new Error('cancelled'), { code: 'ABORT_ERR' })
}

/**
 * Writes a file under a temporary name beside the target, brings it to the disk, and renames it: under the final name
 * there is the old file or the whole new one, never a part. A failed write leaves nothing behind.
 * Returns the number of bytes written.
 */
export async function writeAtomically(
  path: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<number> {
  const folder = dirname(path)
  const temporary = temporaryBeside(path)
  let created = false
  try {
    let bytes = 0
    const handle = await open(temporary, 'wx')
    created = true
    try {
      for await (const chunk of chunks) {
        await writeAll(handle, chunk)
        bytes += chunk.length
      }
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, path)
    created = false
    await syncFolder(folder)
    return bytes
  } catch (error) {
    if (created) await unlink(temporary).catch(() => undefined)
    throw writeError(error, path)
  } finally {
    temporaryDone(temporary)
  }
}

/** Writes a new file and brings it to the disk: one of many in a folder that gets its own name when all are there. */
export async function writeNewFile(path: string, bytes: Uint8Array | string): Promise<void> {
  const handle = await open(path, 'wx')
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  let at = 0
  while (at < chunk.length) {
    const { bytesWritten } = await handle.write(chunk, at, chunk.length - at)
    at += bytesWritten
  }
}

/** Without this a power cut can take the rename back. Windows knows no such thing and refuses to open folders. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
