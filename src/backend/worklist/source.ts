import { realpath } from 'node:fs/promises'
import type { ImageChoices, ImageSelection } from '../../core/contract/schemas.ts'
import { readImageInfo, stemOf, type ImageInfo } from '../../imaging/index.ts'
import { storageError } from '../errors.ts'
import { plainSelection } from './selection.ts'

/** What is opened for a file or folder that the user chose. */
export interface ImagePlace {
  /** Links resolved. */
  readonly path: string
  readonly selection: ImageSelection
  readonly info: ImageInfo
  /** What the case is called, if nothing else is said. */
  readonly stem: string
  /** Of DICOM files: all series of the folder, the largest first. */
  readonly series: ImageChoices['series']
}

/** Throws CodedError: `bad-file` for what is no image, `file-missing`, `no-permission`. */
export async function findImage(chosen: string, selection: ImageSelection, signal?: AbortSignal): Promise<ImagePlace> {
  const path = await realPath(chosen)
  const info = await readImageInfo(path, { selection, signal })
  return { path, selection: plainSelection(selection, info), info, stem: stemOf(chosen), series: [] }
}

async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    throw storageError(error, path, 'read')
  }
}
