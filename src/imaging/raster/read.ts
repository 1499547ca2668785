import { readFile } from 'node:fs/promises'
import type { Dims } from '../../core/contract/schemas.ts'
import { greyIfColourless } from '../colour.ts'
import { fileSize, readError } from '../files.ts'
import { memoryStore, typeOf } from '../voxels/index.ts'
import type { ImageFormat, ImageInfo, ImageVolume, ReadOptions } from '../types.ts'
import { bmpSize, decodeBmp } from './bmp.ts'
import { decodeRaster, rasterHeader } from './decode.ts'

export type RasterFormat = Extract<ImageFormat, 'png' | 'jpeg' | 'bmp'>

/** Size, type and channels of a picture. A picture has no geometry: spacing 1, no affine. */
export async function rasterInfo(path: string, format: RasterFormat): Promise<ImageInfo> {
  return infoOf(await loadPicture(path), path, format)
}

/** Reads a picture as one slice, x to the right and y down. RGB whose pixels are all grey comes as one channel. */
export async function readRaster(path: string, format: RasterFormat, options: ReadOptions = {}): Promise<ImageVolume> {
  const bytes = await loadPicture(path, options)
  const info = await infoOf(bytes, path, format)
  const decoded = await decode(bytes, path, format)
  options.signal?.throwIfAborted()
  const { data, channels } = simplify(decoded)
  const reduced = channels === 3 && decoded.data instanceof Uint16Array
  const dims: Dims = [info.dims[0] ?? 1, info.dims[1] ?? 1, 1]
  return {
    info,
    kind: 'image',
    dims,
    channels,
    voxelType: typeOf(data),
    voxels: memoryStore(data, dims, channels),
    slope: 1,
    inter: 0,
    affine: null,
    spacing: info.spacing,
    spacingKnown: false,
    orientation: null,
    source: { kind: 'raster', path },
    warnings: reduced ? ['The colours were reduced to 8 bits a channel.'] : [],
  }
}

/** The bytes of a picture file. Throws a CodedError that says why there are none. */
export async function loadPicture(path: string, options: ReadOptions = {}): Promise<Uint8Array> {
  await fileSize(path)
  // Read here and not by the library, which would keep results by file name and miss a changed file.
  return readFile(path, { signal: options.signal }).catch((error: unknown) => {
    throw readError(error, path)
  })
}

async function infoOf(bytes: Uint8Array, path: string, format: RasterFormat): Promise<ImageInfo> {
  const base = {
    format,
    spacing: [1, 1, 1] as [number, number, number],
    spacingKnown: false,
    affine: null,
    affineSource: 'none',
    orientation: null,
    slope: 1,
    inter: 0,
    channelNames: [],
    complex: false,
    tiled: false,
    disagreement: null,
    frames: 1,
    levels: 1,
    warnings: [],
  } as const
  if (format === 'bmp') {
    const { width, height } = bmpSize(bytes, path)
    const dims = [width, height, 1, 1]
    return { ...base, dims, datatype: 'uint8', channels: 3, byteOrder: 'little', compressed: false }
  }
  const { width, height, datatype, channels } = await rasterHeader(bytes, path)
  return { ...base, dims: [width, height, 1, 1], datatype, channels, byteOrder: 'big', compressed: true }
}

type Decoded = Awaited<ReturnType<typeof decodeRaster>>

async function decode(bytes: Uint8Array, path: string, format: RasterFormat): Promise<Decoded> {
  if (format === 'bmp') return { data: decodeBmp(bytes, path).rgb, channels: 3 }
  return decodeRaster(bytes, await rasterHeader(bytes, path), path)
}

/** Grey stored as colour becomes one channel; 16-bit colour, which no screen shows, becomes 8-bit. */
function simplify({ data, channels }: Decoded): Decoded {
  if (channels === 1) return { data, channels }
  const grey = greyIfColourless(data)
  if (grey !== null) return { data: grey, channels: 1 }
  return { data: data instanceof Uint16Array ? Uint8Array.from(data, (value) => value >> 8) : data, channels }
}
