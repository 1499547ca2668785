import { CodedError } from '../core/contract/errors.ts'
import { abortError, readError } from './files.ts'
import { niftiInfo, openNifti, readNifti } from './nifti/index.ts'
import { rasterInfo, readRaster } from './raster/index.ts'
import { sniff } from './sniff.ts'
import type { ImageInfo, ImageVolume, ReadOptions } from './types.ts'

/** Reads what an image file says of itself, without its voxels. Throws a CodedError with a sentence for the user. */
export async function readImageInfo(path: string): Promise<ImageInfo> {
  const format = await sniff(path)
  return format === 'nifti' ? niftiInfo(await openNifti(path)) : rasterInfo(path, format)
}

/** Reads an image with its voxels. Throws a CodedError with a sentence for the user; 'cancelled' when aborted. */
export async function readImage(path: string, options: ReadOptions = {}): Promise<ImageVolume> {
  try {
    const format = await sniff(path)
    options.signal?.throwIfAborted()
    return format === 'nifti' ? await readNifti(path, options) : await readRaster(path, format, options)
  } catch (error) {
    if (options.signal?.aborted) throw readError(abortError(), path)
    if (error instanceof CodedError) throw error
    throw readError(error, path)
  }
}
