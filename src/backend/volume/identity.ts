import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { contentHash, isSupported } from '../../imaging/index.ts'
import type { CaseRecord } from '../project/cases.ts'

export interface FoundFile {
  readonly path: string
  readonly size: number
  /** Milliseconds since the epoch. */
  readonly mtime: number
}

/** How many files of the right size are read in search of a moved image. */
const MAX_CANDIDATES = 20

/** The regular file at `path`, or null. */
export async function lookAt(path: string): Promise<FoundFile | null> {
  try {
    const found = await stat(path)
    return found.isFile() ? { path, size: found.size, mtime: found.mtimeMs } : null
  } catch {
    return null
  }
}

/**
 * Where the image of a case is: at its place, or, renamed or moved, in the same folder or the project's images folder.
 * An image is known by the SHA-256 of its bytes; a file whose size and time are as recorded is trusted without
 * reading it. Null where it is nowhere.
 */
export async function locateImage(record: CaseRecord, path: string, imagesDir: string): Promise<FoundFile | null> {
  const atPlace = await lookAt(path)
  if (atPlace?.size === record.fileSize) {
    if (atPlace.mtime === record.fileMtime || (await hasHash(path, record.contentHash))) return atPlace
  }
  let looked = 0
  for (const folder of new Set([dirname(path), imagesDir])) {
    for (const name of await namesIn(folder, basename(path))) {
      const candidate = await lookAt(join(folder, name))
      if (candidate?.size !== record.fileSize || candidate.path === path) continue
      if (++looked > MAX_CANDIDATES) return null
      if (await hasHash(candidate.path, record.contentHash)) return candidate
    }
  }
  return null
}

/** Images in a folder, the one of the wanted name first. */
async function namesIn(folder: string, wanted: string): Promise<string[]> {
  try {
    const names = (await readdir(folder)).filter(isSupported)
    return names.sort((a, b) => Number(b === wanted) - Number(a === wanted))
  } catch {
    return []
  }
}

async function hasHash(path: string, hash: string): Promise<boolean> {
  try {
    return (await contentHash(path)) === hash
  } catch {
    return false
  }
}
