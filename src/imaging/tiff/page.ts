import { badFile } from '../files.ts'
import type { BlockContext, Block } from './block.ts'
import { decodeBlock } from './block.ts'
import type { OldJpegTables } from './codecs/jpeg.ts'
import type { PageLayout } from './layout.ts'
import { rowBytes } from './samples.ts'
import type { FileSource } from './source.ts'
import { Compression, Photometric, Tag } from './tags.ts'
import { FULL_RANGE, LUMA, subsampledBytes } from './ycbcr.ts'

const MOST_TABLE_BYTES = 2 ** 20

/** The most that a byte can unpack to; without a firm bound, what real files stay well below. */
const RATIOS: Record<number, number> = {
  [Compression.none]: 1,
  [Compression.packBits]: 64,
  [Compression.deflate]: 1032,
  [Compression.oldDeflate]: 1032,
  [Compression.lzw]: 1500,
  [Compression.jpeg]: 2100,
  [Compression.oldJpeg]: 2100,
}
const OTHER_RATIO = 40_000
/** Decoded bytes of a page that a few bytes may claim all the same: blank pages pack well. */
const NO_QUESTIONS = 2 ** 26
/** Decoded bytes of one tile or strip, which is held at once. */
const MOST_BLOCK_BYTES = 2 ** 29

/** A page whose tiles or strips can be read one by one, in any order. */
export class Page {
  readonly layout: PageLayout
  readonly #source: FileSource
  readonly #context: BlockContext
  readonly #offsets: Float64Array
  readonly #counts: Float64Array | null
  readonly #shift: number

  private constructor(
    source: FileSource,
    context: BlockContext,
    blocks: { offsets: Float64Array; counts: Float64Array | null; shift: number },
  ) {
    this.layout = context.layout
    this.#source = source
    this.#context = context
    this.#offsets = blocks.offsets
    this.#counts = blocks.counts
    this.#shift = blocks.shift
  }

  /**
   * Reads where the blocks are, and what they share.
   * @param shift bytes that all samples lie further on than the directory says: of ImageJ's stacks, which have one directory
   * Throws CodedError('bad-file') where the file cannot hold what the page claims.
   */
  static async open(source: FileSource, layout: PageLayout, shift = 0): Promise<Page> {
    const { directory, tiled, across, down, planar, samples } = layout
    const wanted = across * down * (planar ? samples : 1)
    const offsetsTag = tiled && directory.has(Tag.tileOffsets) ? Tag.tileOffsets : Tag.stripOffsets
    const countsTag = tiled && directory.has(Tag.tileByteCounts) ? Tag.tileByteCounts : Tag.stripByteCounts
    let offsets: Float64Array
    let counts: Float64Array | null
    const whole = layout.compression === Compression.oldJpeg ? await oldJpegStream(source, layout) : null
    if (whole !== null) {
      offsets = Float64Array.of(whole.offset)
      counts = Float64Array.of(whole.length)
    } else {
      if (directory.count(offsetsTag) < wanted) throw damaged(source)
      offsets = await directory.numbers(offsetsTag, wanted)
      const known = directory.count(countsTag) >= wanted
      if (!known && layout.compression !== Compression.none && wanted > 1) throw damaged(source)
      counts = known ? await directory.numbers(countsTag, wanted) : null
    }
    const cut = cutStrip(layout, offsets, counts)
    const context = await readContext(source, cut?.layout ?? layout)
    const page = new Page(source, context, { offsets, counts, ...cut?.blocks, shift })
    page.#refuseImplausible()
    return page
  }

  /** Bytes of a decoded block of full extent. */
  get blockBytes(): number {
    const { blockWidth, blockHeight, samples, planar } = this.layout
    const shape = { width: blockWidth, height: blockHeight, samples: planar ? 1 : samples }
    return Math.max(rowBytes(this.layout, shape), blockWidth * shape.samples) * blockHeight
  }

  /**
   * The block in a column and row; of planar pages that of a sample. A strip ends with the page, a tile does not. Blocks that
   * were never written are zero. Throws CodedError('bad-file').
   */
  async block(column: number, row: number, sample = 0): Promise<Block> {
    const { layout } = this
    const { across, down, planar } = layout
    const index = (planar ? sample * across * down : 0) + row * across + column
    const height = layout.tiled
      ? layout.blockHeight
      : Math.min(layout.blockHeight, layout.height - row * layout.blockHeight)
    const shape = { width: layout.blockWidth, height, samples: planar ? 1 : layout.samples }
    const offset = (this.#offsets[index] ?? 0) + this.#shift
    const length = this.#lengthOf(index, offset)
    if (length === 0) {
      if (offset !== 0) throw this.#source.cutOff()
      return { shape, data: new Uint8Array(shape.width * shape.height * shape.samples) }
    }
    return decodeBlock(this.#context, await this.#source.read(offset, this.#needed(length, shape)), shape)
  }

  #lengthOf(index: number, offset: number): number {
    if (this.#counts !== null) return this.#counts[index] ?? 0
    return Math.max(0, this.#source.size - offset)
  }

  /** Of blocks that are not compressed no more is read than they have to have. */
  #needed(length: number, shape: { width: number; height: number; samples: number }): number {
    const { layout } = this
    if (layout.compression !== Compression.none) return length
    const subsampled = layout.photometric === Photometric.yCbCr && shape.samples === 3
    return Math.min(
      length,
      subsampled ? subsampledBytes(shape, layout.subsampling) : rowBytes(layout, shape) * shape.height,
    )
  }

  /** Before anything is allocated: can so few bytes be so many samples? */
  #refuseImplausible(): void {
    const { layout } = this
    const { width, height, samples, bits } = layout
    const claimed = (width * height * samples * bits) / 8
    let packed = 0
    if (this.#counts === null) packed = this.#source.size
    else for (const count of this.#counts) packed += count
    const most = packed * ratioOf(layout)
    if (claimed > NO_QUESTIONS && claimed > most) {
      throw badFile(
        this.#source.path,
        `claims ${width} x ${height} pixels and is far too short for them; copy or download it again.`,
      )
    }
    if (this.blockBytes > MOST_BLOCK_BYTES) {
      throw badFile(
        this.#source.path,
        'holds so large a picture in one piece; save it with tiles, for instance with vips or QuPath.',
      )
    }
  }
}

/** Bytes of the pieces that one long strip is read in. */
const PIECE_BYTES = 2 ** 22

/**
 * A picture that lies unpacked in one strip, as ImageJ and others write it, need not be held twice: it is as good as many strips.
 * Null for other pages.
 */
function cutStrip(
  layout: PageLayout,
  offsets: Float64Array,
  counts: Float64Array | null,
): { layout: PageLayout; blocks: { offsets: Float64Array; counts: Float64Array | null } } | null {
  const { width, height, samples, planar, compression, photometric, tiled, down } = layout
  const isPlain = compression === Compression.none && photometric !== Photometric.yCbCr && !tiled && down === 1
  const row = rowBytes(layout, { width, height, samples: planar ? 1 : samples })
  if (!isPlain || row * height <= PIECE_BYTES || offsets.includes(0)) return null
  const rows = Math.max(1, Math.floor(PIECE_BYTES / row))
  const pieces = Math.ceil(height / rows)
  const starts = new Float64Array(offsets.length * pieces)
  const lengths = new Float64Array(offsets.length * pieces)
  for (let i = 0; i < starts.length; i++) {
    const plane = Math.floor(i / pieces)
    const before = (i % pieces) * rows * row
    starts[i] = (offsets[plane] ?? 0) + before
    // A piece behind the end of a strip that is too short has no bytes: it is cut off, not never written.
    const left = (counts?.[plane] ?? Infinity) - before
    lengths[i] = Math.max(1, Math.min(left, Math.min(rows, height - (i % pieces) * rows) * row))
  }
  return {
    layout: { ...layout, blockHeight: rows, down: pieces },
    blocks: { offsets: starts, counts: lengths },
  }
}

/** The most that a byte of a page unpacks to; chroma can be stored for several pixels at once. */
function ratioOf({ compression, photometric }: PageLayout): number {
  return (RATIOS[compression] ?? OTHER_RATIO) * (photometric === Photometric.yCbCr ? 3 : 1)
}

/** Can a file be so many slices? Throws CodedError('bad-file') before memory is asked for. */
export function refuseImplausibleStack(path: string, fileBytes: number, layout: PageLayout, slices: number): void {
  const claimed = (layout.width * layout.height * layout.samples * layout.bits * slices) / 8
  if (claimed > NO_QUESTIONS && claimed > fileBytes * ratioOf(layout)) {
    throw badFile(
      path,
      `claims ${layout.width} x ${layout.height} x ${slices} pixels and is far too short for them; copy or download it again.`,
    )
  }
}

function damaged(source: FileSource): Error {
  return badFile(source.path, 'is damaged; export it again from where it came from.')
}

async function readContext(source: FileSource, layout: PageLayout): Promise<BlockContext> {
  const { directory, compression } = layout
  const faxTags: [number, number][] = []
  for (const tag of [292, 293]) {
    const value = await directory.number(tag)
    if (value !== null) faxTags.push([tag, value])
  }
  const luma = [...(await directory.numbers(Tag.yCbCrCoefficients, 3))]
  const range = [...(await directory.numbers(Tag.referenceBlackWhite, 6))]
  return {
    path: source.path,
    layout,
    jpegTables:
      compression === Compression.jpeg ? await directory.bytes(Tag.jpegTables, MOST_TABLE_BYTES) : new Uint8Array(0),
    oldJpegTables: compression === Compression.oldJpeg ? await readOldTables(source, layout) : null,
    luma: luma.length === 3 && luma.every((weight) => weight > 0 && weight < 1) ? luma : LUMA,
    referenceBlackWhite: range.length === 6 && range.every(Number.isFinite) ? range : FULL_RANGE,
    faxTags,
    lercPacking: (await directory.numbers(Tag.lercParameters, 2))[1] ?? 0,
  }
}

/** A whole JPEG stream that the page points at, where it has one strip or tile. */
async function oldJpegStream(
  source: FileSource,
  layout: PageLayout,
): Promise<{ offset: number; length: number } | null> {
  const offset = await layout.directory.number(Tag.jpegInterchangeFormat)
  if (offset === null || layout.across * layout.down !== 1 || !source.has(offset, 2)) return null
  const start = await source.peek(offset, 2)
  if (start[0] !== 0xff || start[1] !== 0xd8) return null
  const length = (await layout.directory.number(Tag.jpegInterchangeFormatLength)) ?? source.size - offset
  return { offset, length: Math.min(length, source.size - offset) }
}

/** Tables lie where tags point at, one of each kind for each component. */
async function readOldTables(source: FileSource, { directory, samples }: PageLayout): Promise<OldJpegTables | null> {
  const quantization: Uint8Array[] = []
  const huffman: [Uint8Array[], Uint8Array[]] = [[], []]
  const most = Math.min(samples, 4)
  for (const at of await directory.numbers(Tag.jpegQTables, most)) quantization.push(await source.peek(at, 64))
  for (const [list, tag] of [
    [huffman[0], Tag.jpegDcTables],
    [huffman[1], Tag.jpegAcTables],
  ] as const) {
    for (const at of await directory.numbers(tag, most)) {
      const counts = await source.peek(at, 16)
      const values = counts.reduce((sum, count) => sum + count, 0)
      if (values > 256) return null
      list.push(await source.peek(at, 16 + values))
    }
  }
  if (quantization.length === 0 || huffman[0].length === 0 || huffman[1].length === 0) return null
  const restartInterval = (await directory.number(Tag.jpegRestartInterval)) ?? 0
  return { quantization, dc: huffman[0], ac: huffman[1], restartInterval }
}
