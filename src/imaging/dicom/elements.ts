import { createRequire } from 'node:module'
import type * as DicomParser from 'dicom-parser'
import { hasMark, isVr } from './signature.ts'
import { isWanted } from './tags.ts'

/** A CommonJS bundle whose names cannot be imported one by one. */
const parser = createRequire(import.meta.url)('dicom-parser') as typeof DicomParser

const UNDEFINED_LENGTH = 0xffffffff
const PIXEL_DATA = 0x7fe00010
const FLOAT_PIXEL_DATA = 0x7fe00008
const DOUBLE_PIXEL_DATA = 0x7fe00009
const EXTENDED_OFFSETS = 0x7fe00001

/** VRs whose length takes four bytes after two that are reserved (PS3.5, 7.1.2). */
const LONG_VRS = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV'])

/** Of a data set, not counting those in sequences: there are about 5000 in the standard. */
const MAX_ELEMENTS = 100_000

/** Where the pixels are in the bytes that were parsed. */
export interface PixelElement {
  readonly kind: 'integer' | 'float32' | 'float64'
  readonly vr: string | null
  /** Of the first byte of the value: for encapsulated pixels that of the first item. */
  readonly offset: number
  /** Null for encapsulated pixels: they go on to their own end mark. */
  readonly length: number | null
  /** Where frames begin in encapsulated pixels, counted from the first fragment; empty where the file does not say. */
  readonly frameOffsets: readonly number[]
}

/** The elements of a data set or of an item of a sequence that this program uses. All methods tolerate what is missing. */
export class Elements {
  readonly #elements: Record<string, DicomParser.Element>
  readonly #bytes: Uint8Array
  readonly #numbers: DicomParser.ByteArrayParser

  constructor(elements: Record<string, DicomParser.Element>, bytes: Uint8Array, numbers: DicomParser.ByteArrayParser) {
    this.#elements = elements
    this.#bytes = bytes
    this.#numbers = numbers
  }

  /** The bytes of a value; empty where there is none or it goes beyond the end. */
  value(tag: string): Uint8Array {
    const element = this.#elements[tag]
    if (element === undefined || element.dataOffset + element.length > this.#bytes.length) return new Uint8Array(0)
    return this.#bytes.subarray(element.dataOffset, element.dataOffset + element.length)
  }

  /** A text without the blanks and zeros around it, decoded as Latin 1; '' where there is none. Of at most 64 KiB. */
  text(tag: string): string {
    const decoded = Buffer.from(this.value(tag).subarray(0, 2 ** 16)).toString('latin1')
    return decoded.replaceAll('\0', ' ').trim()
  }

  /** The parts of a text with several values. */
  texts(tag: string): string[] {
    const text = this.text(tag)
    return text === '' ? [] : text.split('\\').map((part) => part.trim())
  }

  /** Numbers written as text (DS, IS); a part that is none is NaN. */
  decimals(tag: string): number[] {
    return this.texts(tag).map((part) => (part === '' ? NaN : Number(part)))
  }

  /** The first number of a text; null where there is none. */
  decimal(tag: string): number | null {
    const [first] = this.decimals(tag)
    return first === undefined || !Number.isFinite(first) ? null : first
  }

  /** Unsigned 16-bit numbers (US). */
  words(tag: string): number[] {
    const value = this.value(tag)
    const found: number[] = []
    for (let at = 0; at + 2 <= Math.min(value.length, 2 ** 18); at += 2) found.push(this.#numbers.readUint16(value, at))
    return found
  }

  word(tag: string): number | null {
    return this.words(tag)[0] ?? null
  }

  /** An unsigned 32-bit number (UL). */
  long(tag: string): number | null {
    const value = this.value(tag)
    return value.length >= 4 ? this.#numbers.readUint32(value, 0) : null
  }

  /** A 64-bit floating point number (FD). */
  double(tag: string): number | null {
    const value = this.value(tag)
    if (value.length < 8) return null
    const found = this.#numbers.readDouble(value, 0)
    return Number.isFinite(found) ? found : null
  }

  /** The items of a sequence. */
  items(tag: string): Elements[] {
    const element = this.#elements[tag]
    if (element === undefined) return []
    // A sequence that a store did not know is kept as unknown bytes, in implicit form (PS3.5, 6.2.2).
    if (element.items === undefined && element.vr === 'UN' && element.length > 8) this.#parseUnknown(element)
    return (element.items ?? []).flatMap(({ dataSet }) =>
      dataSet === undefined ? [] : [new Elements(dataSet.elements, dataSet.byteArray, this.#numbers)],
    )
  }

  item(tag: string): Elements | null {
    return this.items(tag)[0] ?? null
  }

  #parseUnknown(element: DicomParser.Element): void {
    const bytes = this.#bytes.subarray(0, element.dataOffset + element.length)
    try {
      const stream = new parser.ByteStream(parser.littleEndianByteArrayParser, bytes, element.dataOffset)
      parser.readSequenceItemsImplicit(stream, element)
    } catch {
      element.items = []
    }
  }
}

export interface ParsedFile {
  readonly transferSyntax: string
  readonly elements: Elements
  /** Null for files that hold no picture: reports, plans, directories. */
  readonly pixels: PixelElement | null
  readonly bigEndian: boolean
}

/** How far the meta header goes, and what it says about the rest. */
export interface MetaHeader {
  readonly transferSyntax: string
  readonly end: number
}

/** Reads group 2. Throws where it is damaged. */
export function parseMeta(bytes: Uint8Array): MetaHeader {
  const stream = new parser.ByteStream(parser.littleEndianByteArrayParser, bytes, hasMark(bytes) ? 132 : 0)
  let transferSyntax = ''
  while (stream.position + 8 <= bytes.length && bytes[stream.position] === 2 && bytes[stream.position + 1] === 0) {
    const element = parser.readDicomElementExplicit(stream)
    if (element.tag === 'x00020010') {
      const value = Buffer.from(bytes.subarray(element.dataOffset, element.dataOffset + element.length))
      transferSyntax = value.toString('latin1').replaceAll('\0', ' ').trim()
    }
  }
  return { transferSyntax, end: stream.position }
}

/**
 * Parses a data set from `start` up to its pixels. Only the elements of `tags.ts` are kept: nothing of the patient.
 * `whole`: are these all bytes of the file? Null where they are not and more are needed. Throws where it is damaged.
 */
export function parseElements(
  bytes: Uint8Array,
  { transferSyntax, end: start }: MetaHeader,
  whole: boolean,
): ParsedFile | null {
  try {
    const parsed = walk(bytes, transferSyntax, start)
    if (parsed.pixels !== null || whole) return parsed
  } catch (error) {
    if (whole) throw error
  }
  return null
}

function walk(bytes: Uint8Array, transferSyntax: string, start: number): ParsedFile {
  const bigEndian = transferSyntax === '1.2.840.10008.1.2.2'
  const numbers = bigEndian ? parser.bigEndianByteArrayParser : parser.littleEndianByteArrayParser
  const stream = new parser.ByteStream(numbers, bytes, start)
  // Some writers state one form and write the other; a VR shows which it is.
  const explicit = isVr(bytes, start + 4)
  const found: Record<string, DicomParser.Element> = {}
  let frameOffsets: number[] = []
  const done = (pixels: PixelElement | null): ParsedFile => {
    return { transferSyntax, elements: new Elements(found, bytes, numbers), pixels, bigEndian }
  }
  for (let count = 0; stream.position + 8 <= bytes.length; count++) {
    if (count > MAX_ELEMENTS) throw new RangeError('there are too many elements')
    const at = stream.position
    const header = headerAt(bytes, at, numbers, explicit)
    const kind = pixelKind(header.tag)
    if (kind !== null) {
      const { vr, value: offset } = header
      const length = header.length === UNDEFINED_LENGTH ? null : header.length
      return done({ kind, vr, offset, length, frameOffsets })
    }
    const end = header.value + header.length
    if (header.tag === EXTENDED_OFFSETS && end <= bytes.length) {
      frameOffsets = longs(bytes.subarray(header.value, end))
    }
    if (header.length !== UNDEFINED_LENGTH && (!isWanted(header.tag) || LONG_NUMBERS.has(header.vr ?? ''))) {
      // Not parsed, only passed over: private data, long lists of references, the patient.
      if (end > bytes.length) throw new RangeError('an element goes beyond the end')
      stream.seek(end - at)
      continue
    }
    const element = explicit ? parser.readDicomElementExplicit(stream) : parser.readDicomElementImplicit(stream)
    if (isWanted(header.tag)) found[element.tag] = element
  }
  return done(null)
}

/** VRs that the parser does not know: it takes their length from the wrong place. */
const LONG_NUMBERS = new Set(['OV', 'SV', 'UV'])

function pixelKind(tag: number): PixelElement['kind'] | null {
  if (tag === PIXEL_DATA) return 'integer'
  if (tag === FLOAT_PIXEL_DATA) return 'float32'
  return tag === DOUBLE_PIXEL_DATA ? 'float64' : null
}

interface ElementHeader {
  readonly tag: number
  readonly vr: string | null
  readonly length: number
  /** Where the value begins. */
  readonly value: number
}

function headerAt(
  bytes: Uint8Array,
  at: number,
  numbers: DicomParser.ByteArrayParser,
  explicit: boolean,
): ElementHeader {
  const tag = numbers.readUint16(bytes, at) * 0x10000 + numbers.readUint16(bytes, at + 2)
  if (!explicit) return { tag, vr: null, length: numbers.readUint32(bytes, at + 4), value: at + 8 }
  if (!isVr(bytes, at + 4)) throw new RangeError('an element has no VR')
  const vr = String.fromCharCode(bytes[at + 4] ?? 0, bytes[at + 5] ?? 0)
  if (!LONG_VRS.has(vr)) return { tag, vr, length: numbers.readUint16(bytes, at + 6), value: at + 8 }
  if (at + 12 > bytes.length) throw new RangeError('an element is cut off')
  return { tag, vr, length: numbers.readUint32(bytes, at + 8), value: at + 12 }
}

function longs(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: Math.floor(bytes.length / 8) }, (_, i) => Number(view.getBigUint64(8 * i, true)))
}
