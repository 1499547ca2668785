import type { ImageSelection } from '../core/contract/schemas.ts'
import { abortError, badFile, readError } from './files.ts'
import { sniff } from './sniff.ts'
import type { ImageInfo, VoxelArray } from './types.ts'

export interface TileLevel {
  readonly width: number
  readonly height: number
  /** How many pixels of level 0 one pixel spans. */
  readonly downsample: number
}

/** 8- or 16-bit samples of a rectangle, rows from the top, channels interleaved. */
export interface Pixels {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  readonly data: VoxelArray
}

export interface Rectangle {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/**
 * An image that is read in pieces. At any time memory holds a few tiles, whatever the size of the image.
 * Methods throw a CodedError that names the file; 'bad-request' for what lies outside.
 */
export interface TiledImage {
  readonly info: ImageInfo
  readonly channels: 1 | 3
  /** Level 0 first, each smaller than the one before. Levels that the file lacks are made of the next larger one. */
  readonly levels: readonly TileLevel[]
  /** Extent of a tile as `tile` gives it, which need not be that of the file; smaller at the right and lower edge. */
  readonly tileWidth: number
  readonly tileHeight: number
  tile(level: number, column: number, row: number, options?: { signal?: AbortSignal | undefined }): Promise<Pixels>
  region(level: number, rectangle: Rectangle, options?: { signal?: AbortSignal | undefined }): Promise<Pixels>
  close(): Promise<void>
}

export interface TiledOptions {
  /** Of several channels or frames the one that is shown. */
  readonly selection?: ImageSelection | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Opens a TIFF of any size to be read in pieces. Throws a CodedError that names the file; 'cancelled' when aborted. To be
 * closed.
 */
export async function openTiled(path: string, options: TiledOptions = {}): Promise<TiledImage> {
  try {
    options.signal?.throwIfAborted()
    if ((await sniff(path)) !== 'tiff') throw badFile(path, 'cannot be shown tile by tile; save it as TIFF.')
    return await (await import('./tiff/index.ts')).openTiled(path, options)
  } catch (error) {
    throw readError(options.signal?.aborted === true ? abortError() : error, path)
  }
}
