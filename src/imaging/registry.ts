import { CodedError } from '../core/contract/errors.ts'
import { abortError, readError } from './files.ts'
import { sniff, type SniffedFormat } from './sniff.ts'
import type { ImageInfo, ImageVolume, ReadOptions } from './types.ts'

/** What each folder of formats gives. All throw a CodedError with a sentence for the user. */
export interface ImageReader {
  /** What the file says of itself, without its voxels. */
  info(path: string, options: ReadOptions): Promise<ImageInfo>
  /** Resolves when the header is read and checked; voxels can arrive later. */
  read(path: string, options: ReadOptions): Promise<ImageVolume>
  /** All files that the image is made of, sorted; `path` alone where left out. */
  files?(path: string, options: ReadOptions): Promise<readonly string[]>
}

/** Loaded when the first file of the kind is opened: most people open one kind, and some libraries take a while to load. */
const readers: Record<SniffedFormat, () => Promise<ImageReader>> = {
  nifti: async () => (await import('./nifti/index.ts')).niftiReader,
  png: async () => (await import('./raster/index.ts')).rasterReader('png'),
  jpeg: async () => (await import('./raster/index.ts')).rasterReader('jpeg'),
  bmp: async () => (await import('./raster/index.ts')).rasterReader('bmp'),
  nrrd: async () => (await import('./nrrd/index.ts')).nrrdReader,
  metaimage: async () => (await import('./metaimage/index.ts')).metaImageReader,
  dicom: async () => (await import('./dicom/index.ts')).dicomReader,
  tiff: async () => (await import('./tiff/index.ts')).tiffReader,
}

async function readerOf(path: string): Promise<ImageReader> {
  return readers[await sniff(path)]()
}

/** Reads what an image says of itself, without its voxels. */
export async function readImageInfo(path: string, options: ReadOptions = {}): Promise<ImageInfo> {
  return guarded(path, options, async () => (await readerOf(path)).info(path, options))
}

/**
 * Opens an image: a file, one of a pair of files, or a folder of DICOM files. Resolves when its header is read and checked; its voxels can
 * still be arriving and are to be closed. Throws a CodedError with a sentence for the user; 'cancelled' when aborted.
 */
export async function readImage(path: string, options: ReadOptions = {}): Promise<ImageVolume> {
  return guarded(path, options, async () => (await readerOf(path)).read(path, options))
}

/** All files that the image at `path` is made of, sorted: one, the two of a pair, or those of a DICOM series. */
export async function imageFiles(path: string, options: ReadOptions = {}): Promise<readonly string[]> {
  return guarded(path, options, async () => (await (await readerOf(path)).files?.(path, options)) ?? [path])
}

async function guarded<T>(path: string, { signal }: ReadOptions, work: () => Promise<T>): Promise<T> {
  try {
    signal?.throwIfAborted()
    return await work()
  } catch (error) {
    if (signal?.aborted) throw readError(abortError(), path)
    if (error instanceof CodedError) throw error
    throw readError(error, path)
  }
}
