import { readdir, stat } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import { abortError, badFile, readError, readStart } from '../files.ts'
import { stemOf } from '../sniff.ts'
import type { MaskVolume, ReadOptions } from '../types.ts'
import { readCoco } from './coco.ts'
import { INSTANCE_NAMES, isInstanceFolder, readInstances } from './instances.ts'
import { readLabelFile } from './labelFile.ts'
import { placeOf, smallestLabels } from './labels.ts'
import { isNnunetFolder, nnunetOf, readNnunet, readNnunetLabels } from './nnunet.ts'
import { pngSlices, readPngStack } from './pngMask.ts'
import type { LoadedMask, MaskTarget, ReadContext } from './types.ts'

export interface ReadMaskOptions {
  /** The image that the mask is for: chooses among several in a file or folder. */
  readonly image?: MaskTarget | undefined
  /** What else the image is called, without ending. */
  readonly stems?: readonly string[] | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Reads a mask from any format that is written here, and from every image of one channel with whole values: a file, or a folder (slices
 * as numbered PNGs, the Data Science Bowl's layout, an nnU-Net data set, COCO's annotations/). Whether it fits the image
 * is for `compareWithImage` to say. Throws CodedError with a sentence for the user.
 */
export async function readMask(path: string, options: ReadMaskOptions = {}): Promise<LoadedMask> {
  const { image, stems = [], signal } = options
  const own = image === undefined ? [] : [stemOf(image.source.path)]
  const voxels = image === undefined ? 0 : image.dims[0] * image.dims[1] * image.dims[2]
  const context: ReadContext = { stems: [...stems, ...own], voxels, signal }
  try {
    signal?.throwIfAborted()
    const mask = await readAny(path, context)
    return { ...mask, labels: smallestLabels(mask.labels) }
  } catch (error) {
    throw signal?.aborted ? readError(abortError(), path) : error instanceof CodedError ? error : readError(error, path)
  }
}

async function readAny(path: string, context: ReadContext): Promise<LoadedMask> {
  const { signal } = context
  const found = await stat(path).catch((error: unknown) => {
    throw readError(error, path)
  })
  if (!found.isDirectory()) {
    // Of a data set for nnU-Net its description can be chosen as well as its folder.
    if (basename(path) === 'dataset.json' && isNnunetFolder(dirname(path))) return readNnunet(dirname(path), context)
    if (await isJson(path)) return readCoco(path, context)
    const dataset = nnunetOf(path)
    return dataset === null ? readLabelFile(path, signal) : readNnunetLabels(dataset, path, signal)
  }
  if (isNnunetFolder(path)) return readNnunet(path, context)
  if (await isInstanceFolder(path)) return readInstances(path, context)
  if (isMasksOfImage(path)) return readInstances(dirname(path), context)
  const coco = await cocoOf(path)
  if (coco !== null) return readCoco(coco, context)
  const slices = await pngSlices(path)
  if (slices.length > 0) return readPngStack(path, slices, signal)
  throw badFile(path, 'holds no masks in a layout that can be read; choose a mask file in it.')
}

/** The folder of the instances alone, which is as easily chosen as the one that holds it. */
function isMasksOfImage(folder: string): boolean {
  const above = dirname(folder)
  return basename(folder) === 'masks' && ['images', INSTANCE_NAMES].some((name) => existsSync(join(above, name)))
}

async function isJson(path: string): Promise<boolean> {
  const start = await readStart(path, 64)
  return /^(\uFEFF)?\s*\{/.test(new TextDecoder().decode(start))
}

/** The one file in annotations/. */
async function cocoOf(folder: string): Promise<string | null> {
  const annotations = join(folder, 'annotations')
  if (!existsSync(annotations)) return null
  const files = (await readdir(annotations)).filter((name) => /\.json$/i.test(name) && !name.startsWith('.'))
  const [only] = files
  if (only === undefined || files.length > 1) {
    throw badFile(folder, `holds ${files.length} files of annotations; choose the one that belongs to the image.`)
  }
  return join(annotations, only)
}

/** Reads a mask as a project holds it, with a byte a voxel. Throws CodedError('bad-file') where a label is above 255. */
export async function readLabelMap(
  path: string,
  options: ReadOptions = {},
): Promise<MaskVolume<Uint8Array<ArrayBuffer>>> {
  const { dims, labels, affine } = await readMask(path, { signal: options.signal })
  if (labels instanceof Uint8Array) return { dims, labels, affine }
  const at = labels.findIndex((label) => label > 255)
  throw badFile(path, `holds ${labels[at] ?? 0} at ${placeOf(at, dims)}; a mask has whole label numbers from 0 to 255.`)
}
