import { randomUUID } from 'node:crypto'
import { mkdir, open, rename, rm, rmdir } from 'node:fs/promises'
import path from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import { codeOf } from './reading.ts'

/**
 * Writes a folder of files at `dir`, which must not exist, all or nothing: a temporary folder beside it, each file and
 * the folder synced, then renamed, and the folder above synced. Whatever fails, nothing is left behind.
 * Throws CodedError: 'disk-full', 'no-permission' or 'not-saved'.
 */
export async function writeFolder(dir: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  const target = path.resolve(dir)
  const parent = path.dirname(target)
  const temporary = path.join(parent, `.${path.basename(target)}.${randomUUID()}.tmp`)
  let made: string | undefined
  try {
    made = await mkdir(parent, { recursive: true })
    await mkdir(temporary)
    for (const [name, content] of Object.entries(files)) await writeSynced(path.join(temporary, name), content)
    await syncFolder(temporary)
    await rename(temporary, target)
    await syncFolder(parent)
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined)
    await removeEmpty(parent, made)
    throw saveError(dir, error)
  }
}

export async function writeSynced(file: string, content: string | Uint8Array): Promise<void> {
  const handle = await open(file, 'wx')
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The names in a folder are on the disk too. Windows keeps them by itself and lets no folder be opened. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The folders that were made for this, up to and with `made`, as long as nobody has put anything into them. */
async function removeEmpty(folder: string, made: string | undefined): Promise<void> {
  if (made === undefined) return
  try {
    for (let each = folder; each.startsWith(made); each = path.dirname(each)) await rmdir(each)
  } catch {
    // Someone uses them by now.
  }
}

/** A failed write as a sentence for the user; `what` was written to `dir`. Coded errors pass. */
export function saveError(dir: string, error: unknown, what = 'the model'): CodedError {
  if (error instanceof CodedError) return error
  const options = { cause: error, detail: String(error) }
  switch (codeOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return new CodedError(
        'disk-full',
        `The disk is full, so ${what} could not be written to ${dir}; free some space and try again.`,
        options,
      )
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new CodedError(
        'no-permission',
        `You have no permission to write ${what} to ${dir}; change its permissions or use another folder.`,
        options,
      )
    case 'ENOTEMPTY':
    case 'EEXIST':
      return new CodedError(
        'not-saved',
        `${dir} exists already, so ${what} was not written; give another folder.`,
        options,
      )
    default:
      return new CodedError(
        'not-saved',
        `${what.charAt(0).toUpperCase()}${what.slice(1)} could not be written to ${dir}; check the drive that it is on and try again.`,
        options,
      )
  }
}
