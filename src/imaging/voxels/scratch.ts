import { randomBytes } from 'node:crypto'
import { accessSync, constants } from 'node:fs'
import { open, readdir, rm, statfs, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import { writeError } from '../files.ts'

/** Room on the disk that is given back when the file is closed or the process ends, however it ends. */
export interface Scratch {
  readonly handle: FileHandle
  close(): Promise<void>
}

const NAME = /^maskwright-(\d+)-[0-9a-f]{12}\.voxels$/

/**
 * A file for `bytes` of voxels of the image at `path`, zeros that take no room until they are written over. Throws CodedError('disk-full') where there is no room for it.
 *
 * On POSIX its name is taken away as soon as it is open, so that the system frees it with the process, killed or not. On
 * Windows it is deleted when it is closed, and what a process left that is gone is deleted when the next one needs a file.
 */
export async function openScratch(bytes: number, path: string): Promise<Scratch> {
  const folder = scratchFolder()
  if (process.platform === 'win32') await clearStale(folder)
  const file = join(folder, `maskwright-${process.pid}-${randomBytes(6).toString('hex')}.voxels`)
  try {
    const { bavail, bsize } = await statfs(folder)
    if (bavail * bsize < bytes) throw noRoom(bytes, folder, path)
    const handle = await open(file, 'wx+', 0o600)
    try {
      await handle.truncate(bytes)
    } catch (error) {
      await handle.close()
      await rm(file, { force: true })
      throw error
    }
    if (process.platform === 'win32') {
      return {
        handle,
        close: async () => {
          await handle.close()
          await rm(file, { force: true })
        },
      }
    }
    await rm(file)
    return { handle, close: () => handle.close() }
  } catch (error) {
    throw scratchError(error, path)
  }
}

function noRoom(bytes: number, folder: string, path: string): CodedError {
  const gigabytes = (bytes / 2 ** 30).toFixed(1)
  return new CodedError(
    'disk-full',
    `${basename(path)} unpacks to ${gigabytes} GB and there is less room in ${folder}; free some space or set TMPDIR to another disk.`,
  )
}

/** A failed write to scratch, in terms of the image. */
export function scratchError(error: unknown, path: string): CodedError {
  if (error instanceof CodedError) return error
  const coded = writeError(error, path)
  if (coded.code !== 'disk-full') return coded
  return new CodedError(
    'disk-full',
    `There is no room to unpack ${basename(path)}; free some space or set TMPDIR to another disk.`,
    { cause: error },
  )
}

/** Where large temporary files go: on Linux not /tmp, which often lies in memory. */
export function scratchFolder(): string {
  if (process.platform !== 'linux' || process.env.TMPDIR !== undefined) return tmpdir()
  try {
    accessSync('/var/tmp', constants.W_OK)
    return '/var/tmp'
  } catch {
    return tmpdir()
  }
}

async function clearStale(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const owner = Number(NAME.exec(name)?.[1] ?? NaN)
    if (Number.isNaN(owner) || isAlive(owner)) continue
    await rm(join(folder, name), { force: true }).catch(() => undefined)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Somebody else's process: it is there, it only may not be signalled.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
