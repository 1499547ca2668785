import type { Sharp } from 'sharp'
import { miniTiff, type MiniTiff } from './miniTiff.ts'

/** Decoded 8-bit pixels, channels interleaved. */
export interface DecodedPicture {
  readonly width: number
  readonly height: number
  readonly channels: number
  readonly data: Uint8Array<ArrayBuffer>
}

/** Loaded when the first such block is met: the native library takes a while to load. */
async function openSharp(bytes: Uint8Array, pixels: number): Promise<Sharp> {
  const { default: sharp } = await import('sharp')
  // What a block claims of itself is held against what the directory says of it before anything is decoded.
  return sharp(bytes, { failOn: 'error', ignoreIcc: true, limitInputPixels: Math.max(1, pixels) })
}

/** A whole JPEG or WebP stream of at most `pixels` pixels. Throws where it is damaged or larger. */
export async function decodePicture(bytes: Uint8Array, pixels: number): Promise<DecodedPicture> {
  const image = await openSharp(bytes, pixels)
  const { channels, width, height } = await image.metadata()
  if (width * height > pixels) throw new RangeError('a block that is larger than its directory says')
  const space = channels >= 3 ? 'srgb' : 'b-w'
  return raw(image.toColourspace(space))
}

/** Samples in a colour space that is not RGB (CMYK, CIE L*a*b*) as 8-bit RGB. */
export async function convertToRgb(picture: MiniTiff): Promise<DecodedPicture> {
  const image = await openSharp(miniTiff(picture), picture.width * picture.height)
  return raw(image.removeAlpha().toColourspace('srgb'))
}

/** Fax compression: one byte a pixel, 0 or 1 as the bit is stored. */
export async function decodeFax(picture: MiniTiff): Promise<Uint8Array<ArrayBuffer>> {
  const image = await openSharp(miniTiff(picture), picture.width * picture.height)
  const { data, width, height, channels } = await raw(image.toColourspace('b-w'))
  if (width !== picture.width || height !== picture.height || channels !== 1) throw new RangeError('another size')
  for (let i = 0; i < data.length; i++) data[i] = (data[i] ?? 0) >> 7
  return data
}

async function raw(image: Sharp): Promise<DecodedPicture> {
  const { data, info } = await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
  const { width, height, channels } = info
  return { width, height, channels, data: new Uint8Array(data.buffer, data.byteOffset, data.length) }
}
