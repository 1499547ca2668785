import { badFile } from '../files.ts'
import type { FileSource } from './source.ts'

/** Bytes a value of each field type, 0 for types that are not known. */
const SIZES: readonly number[] = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8]

const ASCII = 2
const RATIONAL = 5
const SIGNED_RATIONAL = 10

/** More than any program writes; a file of nothing but directories is read in bounded time. */
const MOST_ENTRIES = 1024

interface Field {
  readonly type: number
  readonly count: number
  /** Where the values begin in the file. */
  readonly at: number
}

/** One image file directory: the tags of a page. Values are read when they are asked for. */
export class Directory {
  readonly offset: number
  /** Where the next directory begins, 0 after the last one. */
  readonly next: number
  readonly little: boolean
  readonly #fields: ReadonlyMap<number, Field>
  readonly #source: FileSource

  constructor(
    source: FileSource,
    place: { offset: number; next: number; little: boolean },
    fields: ReadonlyMap<number, Field>,
  ) {
    this.#source = source
    this.offset = place.offset
    this.next = place.next
    this.little = place.little
    this.#fields = fields
  }

  has(tag: number): boolean {
    return this.#fields.has(tag)
  }

  /** How many values a tag has, 0 where it is missing. */
  count(tag: number): number {
    return this.#fields.get(tag)?.count ?? 0
  }

  /** The first value of a tag; null where it is missing. */
  async number(tag: number): Promise<number | null> {
    return (await this.numbers(tag, 1))[0] ?? null
  }

  /** At most `most` values of a tag, rationals as quotients; empty where it is missing or of an unknown type. */
  async numbers(tag: number, most: number): Promise<Float64Array> {
    const field = this.#fields.get(tag)
    const size = SIZES[field?.type ?? 0] ?? 0
    if (field === undefined || size === 0) return new Float64Array(0)
    const count = Math.min(most, field.count)
    if (!this.#source.has(field.at, count * size)) throw this.#source.cutOff()
    const bytes = await this.#source.peek(field.at, count * size)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const values = new Float64Array(count)
    for (let i = 0; i < count; i++) values[i] = valueAt(view, i * size, field.type, this.little)
    return values
  }

  /** The bytes of a tag; empty where it is missing. Throws CodedError('bad-file') above `most`. */
  async bytes(tag: number, most: number): Promise<Uint8Array<ArrayBuffer>> {
    const field = this.#fields.get(tag)
    if (field === undefined) return new Uint8Array(0)
    const length = field.count * (SIZES[field.type] ?? 0)
    if (!this.#source.has(field.at, length)) throw this.#source.cutOff()
    if (length > most) throw badFile(this.#source.path, 'is damaged; export it again from where it came from.')
    return this.#source.peek(field.at, length)
  }

  /** The text of a tag up to its first zero byte, at most `most` bytes of it; '' where it is missing. */
  async text(tag: number, most: number): Promise<string> {
    const field = this.#fields.get(tag)
    if (field === undefined || (field.type !== ASCII && field.type !== 1 && field.type !== 7)) return ''
    const length = Math.min(field.count, most)
    if (!this.#source.has(field.at, length)) return ''
    const bytes = await this.#source.peek(field.at, length)
    const end = bytes.indexOf(0)
    return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
  }
}

function valueAt(view: DataView, at: number, type: number, little: boolean): number {
  switch (type) {
    case 1:
    case ASCII:
    case 7:
      return view.getUint8(at)
    case 3:
      return view.getUint16(at, little)
    case 4:
    case 13:
      return view.getUint32(at, little)
    case RATIONAL:
      return view.getUint32(at, little) / view.getUint32(at + 4, little)
    case 6:
      return view.getInt8(at)
    case 8:
      return view.getInt16(at, little)
    case 9:
      return view.getInt32(at, little)
    case SIGNED_RATIONAL:
      return view.getInt32(at, little) / view.getInt32(at + 4, little)
    case 11:
      return view.getFloat32(at, little)
    case 12:
      return view.getFloat64(at, little)
    case 17:
      return Number(view.getBigInt64(at, little))
    default:
      return Number(view.getBigUint64(at, little))
  }
}

/** Byte order, width of offsets, and the first directory. */
export interface TiffHeader {
  readonly little: boolean
  readonly big: boolean
  readonly first: number
}

/** Throws CodedError('bad-file') where this is no TIFF. */
export async function readTiffHeader(source: FileSource): Promise<TiffHeader> {
  const damaged = badFile(source.path, 'is damaged; export it again from where it came from.')
  if (source.size < 8) throw source.cutOff()
  const bytes = await source.peek(0, Math.min(16, source.size))
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const little = view.getUint16(0) === 0x4949
  const magic = view.getUint16(2, little)
  if (magic === 42) return { little, big: false, first: view.getUint32(4, little) }
  if (magic !== 43) throw damaged
  if (bytes.length < 16) throw source.cutOff()
  if (view.getUint16(4, little) !== 8) throw damaged
  return { little, big: true, first: Number(view.getBigUint64(8, little)) }
}

/** Reads the entries of the directory at `offset`. Throws CodedError('bad-file') where there is none. */
export async function readDirectory(source: FileSource, header: TiffHeader, offset: number): Promise<Directory> {
  const { little, big } = header
  const countBytes = big ? 8 : 2
  const word = big ? 8 : 4
  const entryBytes = big ? 20 : 12
  const start = await source.peek(offset, countBytes)
  const head = new DataView(start.buffer, start.byteOffset, start.byteLength)
  const count = big ? Number(head.getBigUint64(0, little)) : head.getUint16(0, little)
  if (count === 0 || count > MOST_ENTRIES) {
    throw badFile(source.path, 'is damaged; export it again from where it came from.')
  }
  const length = count * entryBytes
  const end = offset + countBytes + length
  // A last directory that lacks the four bytes of "no next one" is complete all the same.
  const hasNext = source.has(end, word)
  const bytes = await source.peek(offset + countBytes, length + (hasNext ? word : 0))
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const readWord = (at: number): number => (big ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little))
  const fields = new Map<number, Field>()
  for (let i = 0; i < count; i++) {
    const at = i * entryBytes
    const tag = view.getUint16(at, little)
    const type = view.getUint16(at + 2, little)
    const values = readWord(at + 4)
    const inside = (SIZES[type] ?? 0) * values <= word
    const place = inside ? offset + countBytes + at + 4 + word : readWord(at + 4 + word)
    if (!fields.has(tag)) fields.set(tag, { type, count: values, at: place })
  }
  return new Directory(source, { offset, next: hasNext ? readWord(length) : 0, little }, fields)
}
