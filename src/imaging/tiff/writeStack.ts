import { promisify } from 'node:util'
import { deflate } from 'node:zlib'
import type { Vec3 } from '../../core/contract/schemas.ts'
import { writeAtomically } from '../files.ts'
import type { VoxelArray } from '../types.ts'
import { Compression, FieldType, Photometric, Tag } from './tags.ts'

export interface StackPage {
  /** width * height * channels samples, rows from the top, channels interleaved; all pages of one type. */
  readonly data: VoxelArray
}

export interface StackOptions {
  /** 3: RGB. */
  readonly channels?: 1 | 3 | undefined
  /** RGB triples, one a value from 0: 8-bit pages are then indexed. Values without a triple are shown black. */
  readonly palette?: Uint8Array | readonly number[] | undefined
  /** mm; written as resolution, and for several pages in the form that ImageJ reads. */
  readonly spacing?: Vec3 | undefined
  /** How many pages come, where `pages` is no array: decides on BigTIFF and is written for ImageJ. */
  readonly pageCount?: number | undefined
  readonly signal?: AbortSignal | undefined
}

type Pages = AsyncIterable<StackPage> | readonly StackPage[]

/** What a classic TIFF holds, less a margin for directories. */
const CLASSIC_LIMIT = 4e9
/** Uncompressed bytes a strip. */
const STRIP_BYTES = 2 ** 18
const COMPRESSION_LEVEL = 6

const compress = promisify(deflate)

/**
 * Writes grey, coloured or indexed pages of one size as a TIFF with deflated strips, little-endian; BigTIFF where the samples could be
 * above 4 GB. The file appears under its name only when it is whole and on the disk. Returns the number of bytes written.
 * Throws RangeError where a page has another size or type than the first, or `pageCount` another number of pages came;
 * otherwise what `writeAtomically` throws.
 */
export async function writeTiffStack(
  path: string,
  pages: Pages,
  width: number,
  height: number,
  options: StackOptions = {},
): Promise<number> {
  return writeAtomically(path, stackChunks(pages, width, height, options))
}

/** The bytes of the file. A page is held while the next one is asked for: its directory says whether there is one. */
async function* stackChunks(
  pages: Pages,
  width: number,
  height: number,
  options: StackOptions,
): AsyncIterable<Uint8Array> {
  const count = Array.isArray(pages) ? pages.length : options.pageCount
  let layout: Layout | null = null
  let at = 0
  let written = 0
  let held: StackPage | null = null
  for await (const page of pages) {
    options.signal?.throwIfAborted()
    const { channels = 1 } = options
    if (page.data.length !== width * height * channels) throw new RangeError('writeTiffStack: a page of another size')
    if (layout === null) {
      const big = (count ?? 1) * page.data.byteLength > CLASSIC_LIMIT
      layout = { width, height, channels, bytes: page.data.BYTES_PER_ELEMENT, big, options, count: count ?? 1 }
      const start = fileHeader(big)
      at = start.length
      yield start
    } else if (page.data.BYTES_PER_ELEMENT !== layout.bytes) {
      throw new RangeError('writeTiffStack: a page of another type')
    }
    if (held !== null) {
      for await (const chunk of pageChunks(held, layout, at, written === 0, false)) {
        at += chunk.length
        yield chunk
      }
      written++
    }
    held = page
  }
  if (layout === null || held === null) throw new RangeError('writeTiffStack: no pages')
  yield* pageChunks(held, layout, at, written === 0, true)
  if (count !== undefined && written + 1 !== count) throw new RangeError('writeTiffStack: another number of pages')
}

interface Layout {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  /** Bytes a sample. */
  readonly bytes: number
  readonly big: boolean
  readonly options: StackOptions
  readonly count: number
}

function fileHeader(big: boolean): Uint8Array {
  return big
    ? Uint8Array.of(0x49, 0x49, 43, 0, 8, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0)
    : Uint8Array.of(0x49, 0x49, 42, 0, 8, 0, 0, 0)
}

/** Directory, what does not fit into it, then the strips: of even length, as directories are to start at even offsets. */
async function* pageChunks(
  page: StackPage,
  layout: Layout,
  at: number,
  first: boolean,
  last: boolean,
): AsyncIterable<Uint8Array> {
  const { width, height, channels, bytes, big, options } = layout
  const rowBytes = width * channels * bytes
  const rows = Math.max(1, Math.min(height, Math.floor(STRIP_BYTES / rowBytes)))
  const strips: Uint8Array[] = []
  const raw = littleEndian(page.data)
  for (let row = 0; row < height; row += rows) {
    options.signal?.throwIfAborted()
    const end = Math.min(height, row + rows)
    strips.push(await compress(raw.subarray(row * rowBytes, end * rowBytes), { level: COMPRESSION_LEVEL }))
  }
  const indexed = bytes === 1 && channels === 1 && options.palette !== undefined
  const photometric = channels === 3 ? Photometric.rgb : indexed ? Photometric.palette : Photometric.minIsBlack
  const entries: Entry[] = [
    [Tag.imageWidth, FieldType.long, [width]],
    [Tag.imageLength, FieldType.long, [height]],
    [Tag.bitsPerSample, FieldType.short, new Array<number>(channels).fill(bytes * 8)],
    [Tag.compression, FieldType.short, [Compression.deflate]],
    [Tag.photometric, FieldType.short, [photometric]],
    ...description(layout, first),
    [Tag.stripOffsets, big ? FieldType.long8 : FieldType.long, strips.map(() => 0)],
    [Tag.samplesPerPixel, FieldType.short, [channels]],
    [Tag.rowsPerStrip, FieldType.long, [rows]],
    [Tag.stripByteCounts, FieldType.long, strips.map((strip) => strip.length)],
    ...resolution(layout),
    ...(indexed ? [[Tag.colorMap, FieldType.short, colourMap(options.palette ?? [])] as Entry] : []),
    [Tag.sampleFormat, FieldType.short, new Array<number>(channels).fill(sampleFormat(page.data))],
  ]
  entries.sort((a, b) => a[0] - b[0])
  // The offsets of the strips follow from the size of the directory, which does not depend on their values.
  const size = directory(entries, at, 0, big).length
  const offsets = entries.find(([tag]) => tag === Tag.stripOffsets)?.[2] ?? []
  let end = at + size
  strips.forEach((strip, i) => {
    offsets[i] = end
    end += strip.length
  })
  const padding = end % 2
  yield directory(entries, at, last ? 0 : end + padding, big)
  yield* strips
  if (padding > 0) yield new Uint8Array(padding)
}

type Entry = [tag: number, type: number, values: number[]]

const SIZES: Record<number, number> = {
  [FieldType.ascii]: 1,
  [FieldType.short]: 2,
  [FieldType.long]: 4,
  [FieldType.rational]: 4,
  [FieldType.long8]: 8,
}

/** The bytes of a directory that lies `at` in the file, with the values that do not fit into its entries behind it. */
function directory(entries: readonly Entry[], at: number, next: number, big: boolean): Uint8Array {
  const word = big ? 8 : 4
  const entryBytes = big ? 20 : 12
  const head = (big ? 8 : 2) + entries.length * entryBytes + word
  const sizes = entries.map(([, type, values]) => (SIZES[type] ?? 1) * values.length)
  const outside = sizes.reduce((sum, size) => sum + (size > word ? size + (size % 2) : 0), 0)
  const bytes = new Uint8Array(head + outside)
  const view = new DataView(bytes.buffer)
  const putWord = (offset: number, value: number): void => {
    if (big) view.setBigUint64(offset, BigInt(value), true)
    else view.setUint32(offset, value, true)
  }
  if (big) view.setBigUint64(0, BigInt(entries.length), true)
  else view.setUint16(0, entries.length, true)
  let free = head
  entries.forEach(([tag, type, values], i) => {
    const entry = (big ? 8 : 2) + i * entryBytes
    view.setUint16(entry, tag, true)
    view.setUint16(entry + 2, type, true)
    putWord(entry + 4, type === FieldType.rational ? values.length / 2 : values.length)
    const size = sizes[i] ?? 0
    let target = entry + 4 + word
    if (size > word) {
      putWord(target, at + free)
      target = free
      free += size + (size % 2)
    }
    values.forEach((value, k) => {
      if (type === FieldType.ascii) view.setUint8(target + k, value)
      else if (type === FieldType.short) view.setUint16(target + 2 * k, value, true)
      else if (type === FieldType.long8) view.setBigUint64(target + 8 * k, BigInt(value), true)
      else view.setUint32(target + 4 * k, value, true)
    })
  })
  putWord(head - word, next)
  return bytes
}

/** What makes ImageJ and what follows it take the pages for slices with a distance. */
function description({ count, options: { spacing } }: Layout, first: boolean): Entry[] {
  if (!first || count < 2 || spacing === undefined) return []
  const text = `ImageJ=1.54f\nimages=${count}\nslices=${count}\nunit=mm\nspacing=${spacing[2]}\nloop=false\n\0`
  return [[Tag.imageDescription, FieldType.ascii, [...new TextEncoder().encode(text)]]]
}

const NO_UNIT = 1
const CENTIMETRE = 3

/** Pixels per mm beside an ImageJ description, which has the unit; otherwise per cm. */
function resolution({ count, options: { spacing } }: Layout): Entry[] {
  if (spacing === undefined) return []
  const perUnit = count > 1 ? 1 : 10
  return [
    [Tag.xResolution, FieldType.rational, rational(perUnit / spacing[0])],
    [Tag.yResolution, FieldType.rational, rational(perUnit / spacing[1])],
    [Tag.resolutionUnit, FieldType.short, [count > 1 ? NO_UNIT : CENTIMETRE]],
  ]
}

/** The nearest fraction with as many digits as 32 bits hold. */
function rational(value: number): [number, number] {
  const scale = 2 ** Math.floor(Math.log2((2 ** 32 - 1) / Math.max(1, value)))
  const denominator = Math.max(1, Math.min(scale, 2 ** 31))
  return [Math.max(1, Math.min(2 ** 32 - 1, Math.round(value * denominator))), denominator]
}

function colourMap(palette: Uint8Array | readonly number[]): number[] {
  const map = new Array<number>(3 * 256).fill(0)
  for (let value = 0; value < Math.min(256, palette.length / 3); value++) {
    for (let c = 0; c < 3; c++) map[c * 256 + value] = (palette[3 * value + c] ?? 0) * 257
  }
  return map
}

/** The samples' bytes; all computers that this runs on are little-endian, and the header says so. */
function littleEndian(data: VoxelArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

const UNSIGNED = 1
const SIGNED = 2
const FLOAT = 3

function sampleFormat(data: VoxelArray): number {
  if (data instanceof Float32Array || data instanceof Float64Array) return FLOAT
  return data instanceof Int8Array || data instanceof Int16Array || data instanceof Int32Array ? SIGNED : UNSIGNED
}
