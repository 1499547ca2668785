import { badFile, fileSize, readStart } from '../files.ts'
import { parseElements, parseMeta, type ParsedFile } from './elements.ts'
import { readHeader, type DicomFile } from './header.ts'
import { inflatedStart } from './inflate.ts'
import { looksLikeDicom } from './signature.ts'
import { DEFLATED } from './syntax.ts'

/** Most headers are within the first; every further step is tried only where the one before was not enough. */
const STEPS = [2 ** 16, 2 ** 20, 2 ** 24, 2 ** 28]

/** Of the header of a deflated file. */
const MAX_INFLATED_HEADER = 2 ** 24

/** A byte unpacks to no more than this (the longest match has 258 bytes and takes at least two bits). */
const MAX_DEFLATION = 1032

/** A file that is no DICOM file, or one without a picture. */
export type NoPicture = 'no-dicom' | 'no-picture'

/** Reads the header of a file. Throws a CodedError where it is damaged. */
export async function openDicom(path: string): Promise<DicomFile | NoPicture> {
  const size = await fileSize(path)
  const start = await readStart(path, 2 ** 10)
  if (!looksLikeDicom(start)) return 'no-dicom'
  let parsed: ParsedFile | null = null
  let total = size
  let dataSetAt = 0
  for (const step of STEPS) {
    const bytes = step <= start.length || size <= start.length ? start : await readStart(path, Math.min(step, size))
    let whole = bytes.length >= size
    try {
      const meta = parseMeta(bytes)
      if (meta.transferSyntax === DEFLATED) {
        const limit = Math.min(step, MAX_INFLATED_HEADER)
        const unpacked = await inflatedStart(path, meta.end, limit)
        dataSetAt = meta.end
        total = (size - meta.end) * MAX_DEFLATION
        whole = unpacked.length < limit || limit < step
        parsed = parseElements(unpacked, { ...meta, end: 0 }, whole)
      } else {
        parsed = parseElements(bytes, meta, whole)
      }
    } catch (error) {
      // What is thrown for want of more bytes: with more of them it is tried again.
      if (whole || isDone(error)) throw isDone(error) ? error : damaged(path, error)
    }
    if (parsed !== null || whole) break
  }
  if (parsed === null)
    throw badFile(path, 'has a header that is too long to be read; get it again from where it came from.')
  if (parsed.pixels === null) return 'no-picture'
  return readHeader(path, parsed, total, dataSetAt)
}

function isDone(error: unknown): boolean {
  return error instanceof Error && error.name === 'CodedError'
}

function damaged(path: string, cause: unknown): Error {
  return badFile(path, 'has a damaged DICOM header; get the file again from where it came from.', cause)
}
