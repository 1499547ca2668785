import type { FileHandle } from 'node:fs/promises'
import { badFile, fill } from '../files.ts'
import type { DicomFile } from './header.ts'

interface Fragment {
  /** Of its value in the file. */
  readonly offset: number
  readonly length: number
}

const ITEM = 0xfffee000
const MAX_FRAGMENTS = 2 ** 20

/** Where the bytes of each frame of encapsulated pixels are (PS3.5, A.4). Throws CodedError('bad-file'). */
export async function frameFragments(file: DicomFile, handle: FileHandle, size: number): Promise<Fragment[][]> {
  const { path, frames, pixels } = file
  const broken = (): Error =>
    badFile(path, 'is damaged (its compressed frames cannot be told apart); copy or download it again.')
  const { fragments, table } = await readItems(handle, pixels.offset, size)
  const [first] = fragments
  if (first === undefined || fragments.length < frames.length) throw broken()
  if (frames.length === 1) return [fragments]
  if (fragments.length === frames.length) return fragments.map((fragment) => [fragment])
  const offsets = pixels.frameOffsets.length === frames.length ? pixels.frameOffsets : table
  const starts =
    offsets.length === frames.length
      ? offsets.map((offset) => offset + first.offset)
      : await starting(fragments, handle)
  if (starts.length !== frames.length) throw broken()
  const grouped = starts.map((start, frame) => {
    const end = starts[frame + 1] ?? Infinity
    return fragments.filter(({ offset }) => offset >= start && offset < end)
  })
  if (grouped.some((group) => group.length === 0)) throw broken()
  return grouped
}

/** The items after the offset table, and the table. */
async function readItems(
  handle: FileHandle,
  from: number,
  size: number,
): Promise<{ fragments: Fragment[]; table: number[] }> {
  const fragments: Fragment[] = []
  let table: number[] = []
  const header = new Uint8Array(8)
  const view = new DataView(header.buffer)
  for (let at = from, index = 0; at + 8 <= size && index < MAX_FRAGMENTS; index++) {
    if ((await fill(handle, header, at)) < 8) break
    const tag = view.getUint16(0, true) * 0x10000 + view.getUint16(2, true)
    const length = view.getUint32(4, true)
    if (tag !== ITEM || at + 8 + length > size) break
    if (index === 0) {
      const bytes = new Uint8Array(length - (length % 4))
      await fill(handle, bytes, at + 8)
      const offsets = new DataView(bytes.buffer)
      table = Array.from({ length: Math.min(bytes.length / 4, MAX_FRAGMENTS) }, (_, i) =>
        offsets.getUint32(4 * i, true),
      )
    } else {
      fragments.push({ offset: at + 8, length })
    }
    at += 8 + length
  }
  return { fragments, table }
}

/** Where fragments begin that begin a picture: JPEG and JPEG-LS with their first marker, JPEG 2000 with its. */
async function starting(fragments: readonly Fragment[], handle: FileHandle): Promise<number[]> {
  const marker = new Uint8Array(2)
  const found: number[] = []
  for (const { offset } of fragments) {
    await fill(handle, marker, offset)
    if (marker[0] === 0xff && (marker[1] === 0xd8 || marker[1] === 0x4f)) found.push(offset)
  }
  return found
}

/** The bytes of a frame, its fragments joined. */
export async function readFragments(
  handle: FileHandle,
  fragments: readonly Fragment[],
): Promise<Uint8Array<ArrayBuffer>> {
  const total = fragments.reduce((sum, { length }) => sum + length, 0)
  const bytes = new Uint8Array(total)
  let at = 0
  for (const { offset, length } of fragments) {
    await fill(handle, bytes.subarray(at, at + length), offset)
    at += length
  }
  return bytes
}
