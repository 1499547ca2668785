import type { Metadata, Sharp } from 'sharp'
import { CodedError } from '../../core/contract/errors.ts'
import { badFile } from '../files.ts'
import { MAX_PIXELS, tooLarge } from './png.ts'

/** What sharp (libvips) says of a PNG or JPEG. */
export interface RasterHeader {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  readonly datatype: 'uint8' | 'uint16'
  readonly metadata: Metadata
}

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

/** Reads the header of a PNG or JPEG. Width and height are those after the turn that EXIF data ask for. */
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
      datatype: metadata.depth === 'ushort' ? 'uint16' : 'uint8',
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

interface Decoded {
  readonly data: Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer>
  readonly channels: 1 | 3
}

/** Decodes a PNG or JPEG: turned as EXIF data ask, alpha dropped, palettes and CMYK resolved to RGB. */
export async function decodeRaster(bytes: Uint8Array, header: RasterHeader, path: string): Promise<Decoded> {
  const { channels, metadata } = header
  try {
    const image = (await openSharp(bytes)).autoOrient().removeAlpha()
    // sharp converts to sRGB unless it is told the space that the samples are in already.
    if (metadata.space === 'grey16' || metadata.space === 'rgb16') {
      const buffer = await raw(image.toColourspace(channels === 1 ? 'grey16' : 'rgb16'), 'ushort')
      return { data: new Uint16Array(buffer), channels }
    }
    const buffer = await raw(image.toColourspace(channels === 1 ? 'b-w' : 'srgb'), 'uchar')
    return { data: new Uint8Array(buffer), channels }
  } catch (error) {
    throw error instanceof RangeError || error instanceof CodedError ? error : unreadable(path, error)
  }
}

async function raw(image: Sharp, depth: 'uchar' | 'ushort'): Promise<ArrayBuffer> {
  const buffer = await image.raw({ depth }).toBuffer()
  if (buffer.byteLength === buffer.buffer.byteLength && buffer.buffer instanceof ArrayBuffer) return buffer.buffer
  return Uint8Array.from(buffer).buffer
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
