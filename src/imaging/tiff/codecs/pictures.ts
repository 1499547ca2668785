import type sharp from 'sharp'
import type { Sharp } from 'sharp'
import { miniTiff, type MiniTiff } from './miniTiff.ts'

/** Decoded 8-bit pixels, channels interleaved. */
export interface DecodedPicture {
  readonly width: number
  readonly height: number
  readonly channels: number
  readonly data: Uint8Array<ArrayBuffer>
}

let loaded: Promise<typeof sharp> | null = null

/** Loaded when the first such block is met: the native library takes a while to load. */
async function openSharp(bytes: Uint8Array, pixels: number): Promise<Sharp> {
  loaded ??= import('sharp').then((module) => {
    // Blocks are small and several are decoded at a time; none comes twice.
    module.default.concurrency(1)
    module.default.cache(false)
    return module.default
  })
  // What a block claims of itself is held against what the directory says of it before anything is decoded.
  return (await loaded)(bytes, { failOn: 'error', ignoreIcc: true, limitInputPixels: Math.max(1, pixels) })
}

/**
 * A whole JPEG or WebP stream of at most `pixels` pixels. Throws where it is damaged or larger.
 * @param components those of its frame: one is grey
 */
export async function decodePicture(bytes: Uint8Array, pixels: number, components: number): Promise<DecodedPicture> {
  const image = await openSharp(bytes, pixels)
  return raw(image.toColourspace(components >= 3 ? 'srgb' : 'b-w'))
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
