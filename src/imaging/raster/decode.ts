import type { Metadata, Sharp } from 'sharp'
import { CodedError } from '../../core/contract/errors.ts'
import { badFile } from '../files.ts'
import { viewAs } from '../nifti/datatypes.ts'
import type { VoxelArray } from '../types.ts'
import { MAX_PIXELS, tooLarge } from './png.ts'

/** What sharp (libvips) says of a PNG, JPEG or TIFF. */
export interface RasterHeader {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  /** The type in the file: "uint8", "uint16", "float32" … */
  readonly datatype: string
  /** Pages of a TIFF; the first is read. */
  readonly pages: number
  readonly levels: number
  readonly metadata: Metadata
}

const TYPES = {
  uchar: 'uint8',
  char: 'int8',
  ushort: 'uint16',
  short: 'int16',
  uint: 'uint32',
  int: 'int32',
  float: 'float32',
  double: 'float64',
} as const

/** Loaded when the first picture is opened: the native library takes a while to load. */
async function openSharp(bytes: Uint8Array): Promise<Sharp> {
  const { default: sharp } = await import('sharp')
  // Colour profiles are left alone: the samples of the file are what is annotated.
  return sharp(bytes, { failOn: 'error', ignoreIcc: true })
}

function unreadable(path: string, error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error)
  if (/pixel limit/i.test(reason)) {
    return badFile(path, 'has more than 268 million pixels; crop it or export a smaller picture.', error)
  }
  if (/premature|truncat|unexpected end|out of data|past end|end of file|not enough/i.test(reason)) {
    return badFile(path, 'is cut off; copy or download it again.', error)
  }
  if (/not configured|compression/i.test(reason)) {
    return badFile(path, 'uses a compression that cannot be read; save it as PNG or TIFF and open that.', error)
  }
  return badFile(path, 'is damaged or of an unusual kind; save it again as PNG and open that.', error)
}

/** Reads the header of a PNG, JPEG or TIFF. Width and height are those after the turn that EXIF data ask for. */
export async function rasterHeader(bytes: Uint8Array, path: string): Promise<RasterHeader> {
  try {
    const metadata = await (await openSharp(bytes)).metadata()
    refuseLies(bytes.length, metadata, path)
    const turned = (metadata.orientation ?? 1) >= 5
    const colour = metadata.channels - (metadata.hasAlpha ? 1 : 0) >= 3
    return {
      width: turned ? metadata.height : metadata.width,
      height: turned ? metadata.width : metadata.height,
      channels: colour ? 3 : 1,
      datatype: datatypeName(metadata),
      pages: metadata.pages ?? 1,
      levels: metadata.levels?.length ?? 1,
      metadata,
    }
  } catch (error) {
    throw error instanceof CodedError ? error : unreadable(path, error)
  }
}

/** No deflate stream unpacks to more than this many times its length (zlib, "Maximum Compression Factor"). */
const PNG_RATIO = 1032
/** Huffman codes take a bit for each 8 x 8 block at least, and 32 x 16 pixels have nine blocks at least. */
const JPEG_PIXELS_A_BYTE = 512

/** Before memory is taken for what a header promises: can a file of this length hold it? */
function refuseLies(fileBytes: number, { format, width, height, channels, depth }: Metadata, path: string): void {
  if (width * height > MAX_PIXELS) throw tooLarge(path)
  const bytes = width * height * channels * (depth === 'ushort' ? 2 : 1)
  // A palette or bits of grey can be an eighth of a byte a pixel, and libvips counts a palette as three channels.
  const least = format === 'png' ? bytes / (PNG_RATIO * (depth === 'uchar' ? 32 : 1)) : 0
  if (fileBytes < (format === 'jpeg' ? (width * height) / JPEG_PIXELS_A_BYTE : least)) {
    throw badFile(path, `is cut off (it should hold ${width} x ${height} pixels); copy or download it again.`)
  }
}

function datatypeName(metadata: Metadata): string {
  return Object.hasOwn(TYPES, metadata.depth) ? TYPES[metadata.depth as keyof typeof TYPES] : metadata.depth
}

/** Decodes the first page: turned as EXIF data ask, alpha dropped, palettes and CMYK resolved to RGB. */
export async function decodeRaster(bytes: Uint8Array, header: RasterHeader, path: string): Promise<Decoded> {
  try {
    const image = (await openSharp(bytes)).autoOrient().removeAlpha()
    return header.channels === 1 ? await decodeGrey(image, header, path) : await decodeColour(image, header)
  } catch (error) {
    throw error instanceof RangeError || error instanceof CodedError ? error : unreadable(path, error)
  }
}

interface Decoded {
  data: VoxelArray
  channels: 1 | 3
  warnings: string[]
}

async function decodeGrey(image: Sharp, { metadata, datatype }: RasterHeader, path: string): Promise<Decoded> {
  // sharp converts to sRGB unless it is told the space that the samples are in already.
  const space = metadata.space === 'grey16' ? 'grey16' : 'b-w'
  if (datatype === 'int16') {
    // libvips takes 16-bit grey as unsigned and clips what is below zero: shifted, then shifted back.
    const shifted = await raw(image.linear(1, 32768).toColourspace('grey16'), 'float')
    return { data: Int16Array.from(new Float32Array(shifted), (v) => v - 32768), channels: 1, warnings: [] }
  }
  const type = Object.entries(TYPES).find(([, name]) => name === datatype)
  if (type === undefined)
    throw badFile(path, `holds ${datatype} samples, which cannot be shown; save it as 16-bit TIFF.`)
  const [depth, voxelType] = type as [keyof typeof TYPES, (typeof TYPES)[keyof typeof TYPES]]
  const buffer = await raw(image.toColourspace(space), depth)
  return { data: viewAs(voxelType, buffer), channels: 1, warnings: [] }
}

async function decodeColour(image: Sharp, { metadata }: RasterHeader): Promise<Decoded> {
  if (metadata.space === 'rgb16') {
    const wide = new Uint16Array(await raw(image.toColourspace('rgb16'), 'ushort'))
    return { data: wide, channels: 3, warnings: [] }
  }
  const data = new Uint8Array(await raw(image.toColourspace('srgb'), 'uchar'))
  const warnings = metadata.depth === 'uchar' ? [] : ['The colours were reduced to 8 bits a channel.']
  return { data, channels: 3, warnings }
}

async function raw(image: Sharp, depth: keyof typeof TYPES): Promise<ArrayBuffer> {
  const buffer = await image.raw({ depth }).toBuffer()
  if (buffer.byteLength === buffer.buffer.byteLength && buffer.buffer instanceof ArrayBuffer) return buffer.buffer
  return buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength)
}

/** The EXIF orientation of a picture, 1 to 8; 1 where it has none. Throws where the library cannot read it at all. */
export async function pictureOrientation(bytes: Uint8Array): Promise<number> {
  return (await (await openSharp(bytes)).metadata()).orientation ?? 1
}

/** Grey or interleaved RGB as a PNG of 8 or 16 bits a sample, whichever the samples have, without a palette. */
export async function encodePixels(
  pixels: Uint8Array | Uint16Array,
  size: { width: number; height: number; channels: 1 | 3 },
): Promise<Buffer> {
  const { default: sharp } = await import('sharp')
  const wide = pixels instanceof Uint16Array
  return sharp(pixels, { raw: size, limitInputPixels: false })
    .toColourspace(size.channels === 1 ? (wide ? 'grey16' : 'b-w') : wide ? 'rgb16' : 'srgb')
    .png({ compressionLevel: 9, palette: false })
    .toBuffer()
}
