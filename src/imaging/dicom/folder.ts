import { opendir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { badFile, isFolder, readError } from '../files.ts'
import type { DicomFile } from './header.ts'
import { headerOf } from './headers.ts'
import { seriesId } from './stacks.ts'

/** More in one folder is an archive, not a series. */
const MAX_ENTRIES = 20_000

/** Files opened at the same time. */
const READERS = 8

export interface DicomFolder {
  readonly files: readonly DicomFile[]
  /** DICOM files that could not be read, and why. */
  readonly broken: readonly { readonly path: string; readonly error: unknown }[]
}

/**
 * Reads the headers of all DICOM files that lie directly in a folder; other files and folders in it are passed over.
 * Throws a CodedError where it cannot be read or has too many files.
 */
export async function scanFolder(path: string, signal?: AbortSignal): Promise<DicomFolder> {
  const names = (await namesIn(path)).toSorted()
  const files: (DicomFile | null)[] = names.map(() => null)
  const broken: { path: string; error: unknown }[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let index = next++; index < names.length; index = next++) {
      signal?.throwIfAborted()
      const file = join(path, names[index] ?? '')
      if (!(await canBeImage(file))) continue
      try {
        const opened = await headerOf(file)
        if (typeof opened !== 'string') files[index] = opened
      } catch (error) {
        broken.push({ path: file, error })
      }
    }
  }
  await Promise.all(Array.from({ length: READERS }, work))
  return {
    files: files.filter((file) => file !== null),
    broken: broken.toSorted((a, b) => a.path.localeCompare(b.path)),
  }
}

/** Other things than files are passed over, and so are empty ones, unless their name says that they were images. */
async function canBeImage(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null)
  return found?.isFile() === true && (found.size > 0 || /\.(dcm|dicom|ima)$/i.test(path))
}

async function namesIn(path: string): Promise<string[]> {
  const names: string[] = []
  try {
    for await (const entry of await opendir(path)) {
      const skipped = entry.name.startsWith('.') || entry.name.toUpperCase() === 'DICOMDIR'
      if (skipped || !(entry.isFile() || entry.isSymbolicLink())) continue
      names.push(entry.name)
      if (names.length > MAX_ENTRIES) {
        throw badFile(
          path,
          `holds more than ${MAX_ENTRIES} files; move the series that you want into a folder of its own.`,
        )
      }
    }
  } catch (error) {
    throw readError(error, path)
  }
  return names
}

/**
 * The files that a path stands for: those of a folder, or a file and its neighbours of the same series. A file of several frames or
 * without a place in space stands for itself.
 */
export async function filesAt(
  path: string,
  signal?: AbortSignal,
): Promise<DicomFolder & { readonly chosen: DicomFile | null }> {
  if (await isFolder(path)) {
    const found = await scanFolder(path, signal)
    const [first] = found.broken
    if (found.files.length > 0) return { ...found, chosen: null }
    if (first !== undefined) throw readError(first.error, first.path)
    throw badFile(
      path,
      'is a folder without DICOM pictures; choose the folder in which the files of a series lie, or an image file.',
    )
  }
  const opened = await headerOf(path)
  if (opened === 'no-dicom') throw badFile(path, 'is not a DICOM file; choose another one.')
  if (opened === 'no-picture') {
    throw badFile(path, 'is a DICOM file without a picture; choose the folder that holds the pictures.')
  }
  const [frame] = opened.frames
  const alone = opened.frames.length > 1 || frame === undefined || frame.position === null || frame.orientation === null
  if (alone) return { files: [opened], broken: [], chosen: opened }
  const around = await scanFolder(dirname(path), signal)
  const files = around.files.filter((file) => seriesId(file) === seriesId(opened) || file.path === opened.path)
  // The file itself as it was read first: its neighbours may have changed since, it is what was asked for.
  const others = files.map((file) => (basename(file.path) === basename(path) ? opened : file))
  return { files: others.includes(opened) ? others : [opened, ...others], broken: around.broken, chosen: opened }
}
