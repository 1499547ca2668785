import { promisify } from 'node:util'
import { inflateRaw } from 'node:zlib'
import { badFile, fileSize, fill, readStart, withFile } from '../files.ts'
import { parseElements, parseMeta, type ParsedFile } from './elements.ts'
import { looksLikeDicom } from './signature.ts'
import { cutOff, readHeader, type DicomFile } from './header.ts'
import { DEFLATED } from './syntax.ts'

/** Most headers are within the first; every further step is tried only where the one before was not enough. */
const STEPS = [2 ** 16, 2 ** 20, 2 ** 24, 2 ** 28]

/** Of a deflated file. */
const MAX_INFLATED = 2 ** 28

/** A file that is no DICOM file, or one without a picture. */
export type NoPicture = 'no-dicom' | 'no-picture'

/** Reads the header of a file. Throws a CodedError where it is damaged. */
export async function openDicom(path: string): Promise<DicomFile | NoPicture> {
  const size = await fileSize(path)
  const start = await readStart(path, 2 ** 10)
  if (!looksLikeDicom(start)) return 'no-dicom'
  let parsed: ParsedFile | null = null
  let total = size
  for (const step of STEPS) {
    const bytes = step <= start.length || size <= start.length ? start : await readStart(path, Math.min(step, size))
    const whole = bytes.length >= size
    try {
      const meta = parseMeta(bytes)
      if (meta.transferSyntax === DEFLATED) {
        const inflated = await readInflated(path, meta.end)
        total = inflated.length
        parsed = parseElements(inflated, { ...meta, end: 0 }, true)
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
  return readHeader(path, parsed, total)
}

function isDone(error: unknown): boolean {
  return error instanceof Error && error.name === 'CodedError'
}

function damaged(path: string, cause: unknown): Error {
  return badFile(path, 'has a damaged DICOM header; get the file again from where it came from.', cause)
}

const inflate = promisify(inflateRaw)

/** The data set of a deflated file, which begins after the meta header. */
export async function readInflated(path: string, from: number): Promise<Uint8Array> {
  const size = await fileSize(path)
  if (size > MAX_INFLATED) throw badFile(path, 'is too large to be unpacked; convert it to an uncompressed DICOM file.')
  const packed = new Uint8Array(Math.max(0, size - from))
  await withFile(path, (handle) => fill(handle, packed, from))
  try {
    return await inflate(packed, { maxOutputLength: MAX_INFLATED })
  } catch (error) {
    if (error instanceof RangeError) {
      throw badFile(path, 'is too large to be unpacked; convert it to an uncompressed DICOM file.', error)
    }
    throw cutOff(path)
  }
}

/** The data set of a deflated file again, for its pixels. */
export async function inflatedAgain(path: string): Promise<Uint8Array> {
  return readInflated(path, parseMeta(await readStart(path, 2 ** 16)).end)
}
