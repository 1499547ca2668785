import { badFile } from '../files.ts'
import type { Elements, ParsedFile } from './elements.ts'
import { frameHeaders, type FrameHeader } from './frames.ts'
import { readPalette, type Palette } from './palette.ts'
import { DEFLATED, describeSyntax, packingOf, type Packing } from './syntax.ts'
import { TAGS } from './tags.ts'

/** How the samples of a file are stored. */
export interface PixelLayout {
  readonly packing: Packing
  readonly rows: number
  readonly columns: number
  readonly samples: 1 | 3
  readonly photometric: Photometric
  readonly planar: boolean
  readonly bitsAllocated: 1 | 8 | 16 | 32 | 64
  readonly bitsStored: number
  /** The place of the lowest stored bit in a sample: above it, and below, are other things. */
  readonly shift: number
  readonly signed: boolean
  readonly float: boolean
  readonly palette: Palette | null
  readonly bigEndian: boolean
  /** 8-bit samples in words of the other byte order: every two bytes are exchanged. */
  readonly swappedBytes: boolean
  /** In the file, or in what a deflated file is unpacked to. */
  readonly offset: number
  /** Null for encapsulated pixels. */
  readonly length: number | null
  readonly frameOffsets: readonly number[]
  /** A frame that is larger than the picture: its size, of which the upper left corner counts. */
  readonly crop: { readonly columns: number; readonly rows: number } | null
}

export type Photometric = 'MONOCHROME1' | 'MONOCHROME2' | 'PALETTE COLOR' | 'RGB' | 'YBR_FULL' | 'YBR_FULL_422' | 'YBR'

/** A DICOM file with pixels, without them. Nothing of the patient is kept. */
export interface DicomFile {
  readonly path: string
  /** Of a deflated file: where its data set begins. Null for others. */
  readonly deflatedFrom: number | null
  readonly compressed: boolean
  /** Elements that tell which files belong together. */
  readonly seriesUid: string
  readonly seriesNumber: number | null
  readonly description: string
  readonly modality: string
  readonly localizer: boolean
  readonly slide: boolean
  readonly sopInstance: string
  readonly pixels: PixelLayout
  /** At least one. */
  readonly frames: readonly FrameHeader[]
}

const MAX_FRAMES = 100_000
/** Of one frame: what a tiled image is held against in other formats. */
const MAX_PIXELS = 2 ** 26
/** Of one compressed frame: decoding takes several times its size. */
const MAX_PACKED_PIXELS = 2 ** 25

/** Of a deflated file, which is unpacked as a whole. */
const MAX_INFLATED = 2 ** 28

const SLIDE_CLASS = '1.2.840.10008.5.1.4.1.1.77.1.6'

/**
 * Reads and checks what a parsed file with pixels says of itself. Throws CodedError('bad-file').
 *
 * @param bytes - That the file has; of a deflated one, that it can unpack to.
 * @param dataSetAt - Of a deflated file, where its data set begins.
 */
export function readHeader(path: string, parsed: ParsedFile, bytes: number, dataSetAt: number): DicomFile {
  const { elements, transferSyntax } = parsed
  const deflated = transferSyntax === DEFLATED
  const imageType = elements.texts(TAGS.imageType).map((part) => part.toUpperCase())
  const count = elements.decimal(TAGS.numberOfFrames) ?? 1
  if (!Number.isInteger(count) || count < 1 || count > MAX_FRAMES) {
    throw badFile(path, `states ${count} frames, which cannot be; get the file again from where it came from.`)
  }
  if (imageType.includes('MOSAIC')) {
    throw badFile(path, 'is a mosaic (all slices in one picture), which cannot be opened; convert it with dcm2niix.')
  }
  const slide = elements.text(TAGS.sopClass) === SLIDE_CLASS
  const pixels = readLayout(path, parsed, slide && count > 1)
  checkLength(path, pixels, count, bytes)
  if (deflated && plainEnd(pixels, count) > MAX_INFLATED) {
    throw badFile(path, 'is too large to be unpacked; convert it to an uncompressed DICOM file.')
  }
  return {
    path,
    deflatedFrom: deflated ? dataSetAt : null,
    compressed: pixels.packing !== 'plain' || deflated,
    seriesUid: elements
      .text(TAGS.seriesInstance)
      .replace(/[^\d.]/g, '')
      .slice(0, 100),
    seriesNumber: elements.decimal(TAGS.seriesNumber),
    description: readable(elements, TAGS.seriesDescription),
    modality: elements.text(TAGS.modality).slice(0, 16),
    localizer: imageType.includes('LOCALIZER'),
    slide,
    sopInstance: elements.text(TAGS.sopInstance),
    pixels,
    frames: frameHeaders(elements, count, imageType, slide),
  }
}

function readLayout(path: string, parsed: ParsedFile, tiles: boolean): PixelLayout {
  const { elements, transferSyntax, bigEndian } = parsed
  const element = parsed.pixels
  if (element === null) throw badFile(path, 'holds no picture; choose a DICOM file with pixels.')
  const packing = packingOf(transferSyntax)
  if (packing === null) {
    throw badFile(
      path,
      `is ${describeSyntax(transferSyntax)}; convert it to an uncompressed DICOM file (dcmdjpeg, gdcmconv --raw).`,
    )
  }
  if (packing !== 'plain' && element.length !== null) {
    throw badFile(
      path,
      'says that it is compressed, but holds plain pixels; get the file again from where it came from.',
    )
  }
  if (packing === 'plain' && element.length === null) {
    throw badFile(
      path,
      'says that it is not compressed, but holds compressed pixels; get the file again from where it came from.',
    )
  }
  if (tiles) {
    throw badFile(
      path,
      'is a whole-slide image cut into tiles; convert it to a pyramidal TIFF (vips dzsave or bfconvert) and open that.',
    )
  }
  const [rows, columns] = [elements.word(TAGS.rows) ?? 0, elements.word(TAGS.columns) ?? 0]
  if (rows === 0 || columns === 0) throw badFile(path, 'states no size; get the file again from where it came from.')
  const limit = packing === 'plain' ? MAX_PIXELS : MAX_PACKED_PIXELS
  if (rows * columns > limit) {
    throw badFile(
      path,
      `has frames of ${columns} x ${rows} pixels, which are too large to open; crop or downsample it.`,
    )
  }
  const samples = elements.word(TAGS.samplesPerPixel) ?? 1
  if (samples !== 1 && samples !== 3) {
    throw badFile(path, `has ${samples} samples a pixel, which cannot be opened; convert it to grey or RGB.`)
  }
  const photometric = readPhotometric(path, elements.text(TAGS.photometric).toUpperCase(), samples)
  const bits = readBits(path, elements, element.kind, packing)
  if (samples === 3 && bits.bitsAllocated !== 8) {
    throw badFile(path, 'has colours of more than 8 bits, which cannot be opened; convert it to 8-bit RGB.')
  }
  const [totalColumns, totalRows] = [elements.long(TAGS.totalColumns) ?? 0, elements.long(TAGS.totalRows) ?? 0]
  const cropped = totalColumns > 0 && totalRows > 0 && (totalColumns < columns || totalRows < rows)
  return {
    packing,
    rows,
    columns,
    samples,
    photometric,
    planar: samples === 3 && (elements.word(TAGS.planar) ?? 0) === 1,
    ...bits,
    palette: photometric === 'PALETTE COLOR' ? readPalette(path, elements) : null,
    bigEndian,
    swappedBytes: bigEndian && bits.bitsAllocated <= 8 && element.vr === 'OW',
    offset: element.offset,
    length: element.length,
    frameOffsets: element.frameOffsets,
    crop: cropped ? { columns: Math.min(columns, totalColumns), rows: Math.min(rows, totalRows) } : null,
  }
}

function readPhotometric(path: string, stated: string, samples: 1 | 3): Photometric {
  if (samples === 1) {
    // What a file with one sample says beyond these three is a slip; it is grey all the same.
    return stated === 'MONOCHROME1' || stated === 'PALETTE COLOR' ? stated : 'MONOCHROME2'
  }
  if (stated === 'RGB' || stated === 'YBR_FULL' || stated === 'YBR_FULL_422') return stated
  if (stated === 'YBR_ICT' || stated === 'YBR_RCT') return 'YBR'
  throw badFile(path, 'has colours in a form that cannot be opened; convert it to RGB.')
}

type Bits = Pick<PixelLayout, 'bitsAllocated' | 'bitsStored' | 'shift' | 'signed' | 'float'>

function readBits(path: string, elements: Elements, kind: 'integer' | 'float32' | 'float64', packing: Packing): Bits {
  if (kind !== 'integer') {
    const bits = kind === 'float32' ? 32 : 64
    return { bitsAllocated: bits, bitsStored: bits, shift: 0, signed: true, float: true }
  }
  const allocated = elements.word(TAGS.bitsAllocated) ?? 16
  const depths: readonly number[] = packing === 'plain' ? [1, 8, 16, 32] : packing === 'rle' ? [8, 16, 32] : [8, 16]
  if (!depths.includes(allocated)) {
    throw badFile(path, `has samples of ${allocated} bits, which cannot be opened; convert it to 8 or 16 bits.`)
  }
  const stated = elements.word(TAGS.bitsStored) ?? allocated
  const bitsStored = stated >= 1 && stated <= allocated ? stated : allocated
  const highBit = elements.word(TAGS.highBit) ?? bitsStored - 1
  // Packed samples begin at their lowest bit whatever this says.
  const shift = packing === 'plain' && highBit >= bitsStored && highBit < allocated ? highBit - bitsStored + 1 : 0
  const bitsAllocated = allocated as PixelLayout['bitsAllocated']
  return { bitsAllocated, bitsStored, shift, signed: elements.word(TAGS.pixelRepresentation) === 1, float: false }
}

/** Bytes of an uncompressed frame; of 1-bit frames, which follow each other without gaps, rounded up. */
export function plainFrameBytes({ rows, columns, samples, bitsAllocated, photometric, packing }: PixelLayout): number {
  if (photometric === 'YBR_FULL_422' && packing === 'plain') return rows * Math.ceil(columns / 2) * 4
  return Math.ceil((rows * columns * samples * bitsAllocated) / 8)
}

/** Where the pixels of uncompressed frames end, in the file or in what it is unpacked to. */
export function plainEnd(pixels: PixelLayout, frames: number): number {
  const { offset, bitsAllocated, rows, columns } = pixels
  return offset + (bitsAllocated === 1 ? Math.ceil((rows * columns * frames) / 8) : plainFrameBytes(pixels) * frames)
}

/** That the file can hold what it promises. */
function checkLength(path: string, pixels: PixelLayout, frames: number, bytes: number): void {
  const { length, offset } = pixels
  // A compressed frame takes an item of its own, of 8 bytes and more.
  const end = length === null ? offset + 8 * frames : plainEnd(pixels, frames)
  if (end > bytes || (length !== null && end > offset + length)) throw cutOff(path)
}

export function cutOff(path: string): Error {
  return badFile(path, 'is cut off; copy or download it again.')
}

const CHARACTER_SETS: Readonly<Record<string, string>> = {
  'ISO_IR 192': 'utf-8',
  'ISO_IR 101': 'iso-8859-2',
  'ISO_IR 109': 'iso-8859-3',
  'ISO_IR 110': 'iso-8859-4',
  'ISO_IR 144': 'iso-8859-5',
  'ISO_IR 127': 'iso-8859-6',
  'ISO_IR 126': 'iso-8859-7',
  'ISO_IR 138': 'iso-8859-8',
  'ISO_IR 13': 'shift_jis',
  GB18030: 'gb18030',
  GBK: 'gbk',
}

/** A text for people, in its character set, without control characters, of at most 200 characters. */
function readable(elements: Elements, tag: string): string {
  const [set = ''] = elements.texts(TAGS.specificCharacterSet)
  const decoded = new TextDecoder(CHARACTER_SETS[set] ?? 'latin1').decode(elements.value(tag).subarray(0, 1024))
  return decoded
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, 200)
}
