import { readdir, realpath, rename, rm, rmdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import { abortError, syncFolder, systemCode, writeError } from '../files.ts'
import { Mismatch } from '../mismatch.ts'
import { clearLeftovers, temporaryBeside, temporaryDone } from '../leftovers.ts'

export interface Proven {
  readonly path: string
  /** Every file that was written: `path` alone, or those in the folder `path`, sorted. */
  readonly files: readonly string[]
  readonly bytes: number
}

export interface Proof {
  /** Writes the file, or makes the folder and all that is in it. */
  readonly write: (aside: string) => Promise<void>
  /** Reopens what was written and throws a `Mismatch` where it is not what it should be. */
  readonly check: (aside: string) => Promise<void>
  /** Written beside, under a name that ends so: ".nii.gz". Left out for folders. */
  readonly ending?: string
  readonly signal?: AbortSignal | undefined
}

/**
 * Writes beside, reopens, compares, and only then gives the name: what was there before under that name stays until the new one is
 * known to be right. What does not read back as it should is kept under a name that says so, for whoever wants to look why.
 * Throws CodedError: 'verify-failed' with what differs and where the file is, 'disk-full', 'no-permission', 'file-missing'
 * (the folder), 'bad-request' (a folder that is not empty), 'cancelled', 'not-saved'. Nothing else is left behind, and what a killed
 * process left is cleared by the next write there.
 */
export async function writeProven(path: string, proof: Proof): Promise<Proven> {
  const { ending, signal } = proof
  const isFolder = ending === undefined
  // An empty folder can be reached by a link, which nothing can be renamed over.
  const target = isFolder ? await realpath(path).catch(() => path) : path
  const folder = dirname(target)
  await clearLeftovers(folder)
  if (isFolder) await refuseFullFolder(path)
  const aside = temporaryBeside(target, ending)
  let written = false
  try {
    signal?.throwIfAborted()
    await proof.write(aside)
    signal?.throwIfAborted()
    written = true
    await proof.check(aside)
    signal?.throwIfAborted()
    const { files, bytes } = await contentsOf(aside)
    // An empty folder gives way; not everywhere by being renamed over.
    if (isFolder) await rmdir(target).catch(() => undefined)
    await rename(aside, target).catch((error: unknown) => {
      throw isFolder && /^(ENOTEMPTY|EEXIST)$/.test(systemCode(error)) ? fullFolder(path) : error
    })
    await syncFolder(folder)
    return { path, files: files.map((file) => join(path, file)).sort(), bytes }
  } catch (thrown) {
    const error = signal?.aborted ? abortError() : thrown
    const unreadable = written && error instanceof CodedError && error.code === 'bad-file'
    if (error instanceof Mismatch || unreadable) throw await keepAside(aside, path, error)
    await rm(aside, { recursive: true, force: true }).catch(() => undefined)
    throw inTermsOf(path, aside, writeError(error, path))
  } finally {
    temporaryDone(aside)
  }
}

async function keepAside(aside: string, path: string, error: Error): Promise<CodedError> {
  const name = basename(path)
  const what = error instanceof Mismatch ? error.message : `it cannot be read again (${error.message})`
  const kept = await freeName(path)
  try {
    await rename(aside, kept)
  } catch (cause) {
    await rm(aside, { recursive: true, force: true }).catch(() => undefined)
    const detail = cause instanceof Error ? cause.message : String(cause)
    return new CodedError('verify-failed', `${name} was not saved: read back, ${what}; save it to another disk.`, {
      cause,
      detail,
    })
  }
  return new CodedError(
    'verify-failed',
    `${name} was not saved: read back, ${what.replaceAll(basename(aside), name)}; what was written is kept as ${basename(kept)}, so save to another disk.`,
    { cause: error, detail: kept },
  )
}

/** "mask.not-verified.nii.gz", "mask.not-verified-2.nii.gz" … beside `path`. */
async function freeName(path: string): Promise<string> {
  const name = basename(path)
  const ending = /(\.nii\.gz|\.[a-z0-9]{1,5})$/i.exec(name)?.[0] ?? ''
  const stem = name.slice(0, name.length - ending.length)
  for (let n = 1; ; n++) {
    const candidate = join(dirname(path), `${stem}.not-verified${n === 1 ? '' : `-${n}`}${ending}`)
    if ((await stat(candidate).catch(() => null)) === null) return candidate
  }
}

async function refuseFullFolder(path: string): Promise<void> {
  const name = basename(path)
  try {
    if ((await readdir(path)).length === 0) return
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    if (systemCode(error) === 'ENOTDIR') {
      throw new CodedError('bad-request', `${name} is a file; choose a new name for the folder.`)
    }
    throw writeError(error, path)
  }
  throw fullFolder(path)
}

function fullFolder(path: string): CodedError {
  return new CodedError('bad-request', `The folder ${basename(path)} is not empty; choose a new or an empty one.`)
}

/** Files below a folder, relative to it, or the file itself as ''. What is in the folders is on the disk afterwards. */
async function contentsOf(path: string): Promise<{ files: string[]; bytes: number }> {
  const found = await stat(path)
  if (!found.isDirectory()) return { files: [''], bytes: found.size }
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))
  for (const folder of [...folders, path]) await syncFolder(folder)
  let bytes = 0
  for (const file of files) bytes += (await stat(file)).size
  return { files: files.map((file) => file.slice(path.length + 1)), bytes }
}

/** The temporary name means nothing to the user. */
function inTermsOf(path: string, aside: string, error: CodedError): CodedError {
  return new CodedError(error.code, error.message.replaceAll(basename(aside), basename(path)), {
    cause: error,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
  })
}
