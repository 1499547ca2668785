import { realpath, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { ImageChoices, ImageSelection } from '../../core/contract/schemas.ts'
import { imageFiles, listSeries, readImageInfo, stemOf, type DicomSeries, type ImageInfo } from '../../imaging/index.ts'
import { storageError } from '../errors.ts'
import { plainSelection } from './selection.ts'

/** What is opened for a file or folder that the user chose. */
export interface ImagePlace {
  /** Links resolved. Of a DICOM series of several files, their folder. */
  readonly path: string
  /** Names the series where there is one. */
  readonly selection: ImageSelection
  readonly info: ImageInfo
  /** All files of the image. */
  readonly files: readonly string[]
  /** What the case is called, if nothing else is said. */
  readonly stem: string
  /** Of DICOM files: all series that could be chosen, the largest first. */
  readonly series: ImageChoices['series']
}

/**
 * Finds out what a file or folder is: a file of a DICOM series stands for the series. Throws CodedError: `bad-file` for what is no
 * image, `file-missing`, `no-permission`.
 */
export async function findImage(chosen: string, selection: ImageSelection, signal?: AbortSignal): Promise<ImagePlace> {
  const path = await realPath(chosen)
  const info = await readImageInfo(path, { selection, signal })
  const plain = plainSelection(selection, info)
  if (info.format === 'dicom') return findSeries(path, plain, info, signal)
  const files = await imageFiles(path, { selection: plain, signal })
  return { path, selection: plain, info, files, stem: stemOf(chosen), series: [] }
}

async function findSeries(
  path: string,
  selection: ImageSelection,
  info: ImageInfo,
  signal: AbortSignal | undefined,
): Promise<ImagePlace> {
  const list = await listSeries(path, { signal })
  const isFolder = (await stat(path)).isDirectory()
  const wanted = selection.series ?? (isFolder ? list[0]?.id : await seriesOf(path, list, signal))
  const chosen = list.find(({ id }) => id === wanted) ?? list[0]
  const series = chosen === undefined ? {} : { series: chosen.id }
  const files = await imageFiles(path, { selection: series, signal })
  const folder = isFolder ? path : dirname(path)
  const alone = !isFolder && files.length === 1
  return {
    path: alone ? path : folder,
    selection: { ...selection, ...series },
    info,
    files,
    stem: [chosen?.description.trim(), alone ? stemOf(path) : basename(folder)].find(Boolean) ?? 'DICOM',
    series: list.map(({ id, description, modality, images, dims: [x, y, z] }) => ({
      id,
      description,
      modality,
      images,
      dims: [x, y, z],
    })),
  }
}

/** The series that a file is of; a file of one series alone need not be looked for. */
async function seriesOf(
  path: string,
  list: readonly DicomSeries[],
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if (list.length <= 1) return list[0]?.id
  for (const { id } of list) {
    if ((await imageFiles(path, { selection: { series: id }, signal })).includes(path)) return id
  }
  return undefined
}

async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    throw storageError(error, path, 'read')
  }
}
