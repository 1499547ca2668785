import { createHash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { contentHash, imageFiles, isSupported } from '../../imaging/index.ts'
import { storageError } from '../errors.ts'
import { cancelled } from '../jobs/lane.ts'
import type { CaseRecord, Place } from '../project/cases.ts'

/** How many files or folders of the right kind are looked into in search of a moved image. */
const MAX_CANDIDATES = 20

interface Seen {
  readonly size: number
  /** Milliseconds since the epoch. */
  readonly mtime: number
}

/** The regular file at `path`, or null. */
async function lookAt(path: string): Promise<Seen | null> {
  try {
    const found = await stat(path)
    return found.isFile() ? { size: found.size, mtime: found.mtimeMs } : null
  } catch {
    return null
  }
}

/** Is there something at `path`, a file or a folder? */
export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null
}

/** Where an image lies that is made of `files`, absolute; they are several for pairs and DICOM series. Throws CodedError('file-missing'). */
export async function placeOf(path: string, files: readonly string[]): Promise<Place> {
  const seen = await sums(files)
  if (seen !== null) return { path, files: files.length === 1 && files[0] === path ? [] : files, ...seen }
  throw storageError(Object.assign(new Error('a file of the image is gone'), { code: 'ENOENT' }), path, 'read')
}

async function sums(files: readonly string[]): Promise<Seen | null> {
  const seen = await Promise.all(files.map(lookAt))
  const sum = { size: 0, mtime: 0 }
  for (const file of seen) {
    if (file === null) return null
    sum.size += file.size
    sum.mtime += file.mtime
  }
  return sum
}

/**
 * What an image is known by: the SHA-256 of its file; of several files that of their hashes in ascending order, so that it does
 * not depend on how the files are called.
 */
export async function hashOfPlace({ path, files }: Place, signal?: AbortSignal): Promise<string> {
  const hashes: string[] = []
  for (const file of files.length === 0 ? [path] : files) hashes.push(await contentHash(file, { signal }))
  const [only] = hashes
  if (hashes.length === 1 && only !== undefined) return only
  return createHash('sha256').update(hashes.sort().join('\n')).digest('hex')
}

/**
 * Where the image of a case is: at its place (`path` and `files`, absolute), or, renamed or moved, in the same folder or the project's
 * images folder. Files whose sizes and times are as recorded are trusted without reading them. Null where it is nowhere. Throws
 * CodedError('cancelled').
 */
export async function locateImage(
  record: CaseRecord,
  { path, files }: { readonly path: string; readonly files: readonly string[] },
  imagesDir: string,
  signal?: AbortSignal,
): Promise<Place | null> {
  const atPlace = await sums(files.length === 0 ? [path] : files)
  if (atPlace?.size === record.fileSize && atPlace.mtime === record.fileMtime) return { path, files, ...atPlace }
  const inPlace = await candidate(record, path, signal)
  if (inPlace !== null) return inPlace
  let looked = 0
  for (const folder of new Set([dirname(path), imagesDir])) {
    for (const name of await namesIn(folder, basename(path))) {
      const other = join(folder, name)
      if (other === path || !(await mayBe(record, other, files.length > 0))) continue
      if (++looked > MAX_CANDIDATES) return null
      const found = await candidate(record, other, signal)
      if (found !== null) return found
    }
  }
  return null
}

/** Without reading it. */
async function mayBe(record: CaseRecord, path: string, isOfSeveral: boolean): Promise<boolean> {
  if (isOfSeveral) return true
  return (await lookAt(path))?.size === record.fileSize
}

/** The image at `path` if it is that of the case. */
async function candidate(record: CaseRecord, path: string, signal: AbortSignal | undefined): Promise<Place | null> {
  const isEnded = (): boolean => signal?.aborted === true
  if (isEnded()) throw cancelled()
  try {
    const place = await placeOf(path, await imageFiles(path, { selection: record.selection, signal }))
    return place.size === record.fileSize && (await hashOfPlace(place, signal)) === record.contentHash ? place : null
  } catch {
    if (isEnded()) throw cancelled()
    return null
  }
}

/** Images and folders in a folder, those of the wanted name first. */
async function namesIn(folder: string, wanted: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    const names = entries
      .filter((entry) => !entry.name.startsWith('.') && (entry.isDirectory() || isSupported(entry.name)))
      .map(({ name }) => name)
    return names.sort((a, b) => Number(b === wanted) - Number(a === wanted))
  } catch {
    return []
  }
}
