import { fileSize, readStart } from '../files.ts'
import { isGzip, MAX_RATIO } from '../voxels/index.ts'
import { unpackedBytes } from './halves.ts'
import { NIFTI1_BYTES, NIFTI2_BYTES, type NiftiHeader } from './header.ts'

/** More is no extension but a lie, or one that nobody wants to have copied with each mask. */
const MAX_BYTES = 64 * 2 ** 20

export interface Extensions {
  /** The extensions one after the other as they are in the file, each with its size and code; empty where there are none. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly warning: string | null
}

/**
 * What follows the header of a file, up to its voxels or, in a pair, to its end, as far as it is a chain of extensions
 * (nifti1.h): size, code, data, the size a multiple of 16.
 */
export async function readExtensions(header: NiftiHeader, path: string): Promise<Extensions> {
  if (header.version === 'analyze') return NONE
  const at = header.version === 2 ? NIFTI2_BYTES : NIFTI1_BYTES
  const end = header.single ? header.offset : MAX_BYTES + at + 4
  if (end < at + 4 + 16) return NONE
  const wanted = Math.min(end, MAX_BYTES + at + 4)
  // A small first step: nearly all files have none.
  const flag = await startOf(path, at + 4)
  if ((flag[at] ?? 0) === 0) return NONE
  const bytes = (await startOf(path, wanted)).subarray(at + 4)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let length = 0
  while (length + 16 <= bytes.length) {
    const size = view.getInt32(length, header.littleEndian)
    if (size < 16 || size % 16 !== 0 || length + size > bytes.length) break
    length += size
  }
  const whole = length === bytes.length || bytes.subarray(length).every((byte) => byte === 0)
  const warning = whole ? null : 'What follows the header is not in the form of extensions and was left out.'
  return { bytes: bytes.slice(0, length), warning }
}

const NONE: Extensions = { bytes: new Uint8Array(0), warning: null }

async function startOf(path: string, count: number): Promise<Uint8Array<ArrayBuffer>> {
  const size = await fileSize(path)
  return isGzip(await readStart(path, 2))
    ? unpackedBytes(path, Math.min(count, size * MAX_RATIO))
    : readStart(path, Math.min(count, size))
}
