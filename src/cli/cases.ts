import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { labelsForCompute, networkLayout, sliceForCompute, sliceGeometry } from '../backend/index.ts'
import type { TrainingSample } from '../core/contract/compute.ts'
import { CodedError } from '../core/contract/errors.ts'
import { extractSlice } from '../core/labelmap/index.ts'
import { isSupported, readImage, rangeOf, readLabelMap, stemOf, type ImageVolume } from '../imaging/index.ts'

/** An image and the mask that a person made for it. */
export interface Pair {
  readonly id: string
  readonly image: string
  readonly mask: string
}

export interface Pairs {
  readonly pairs: Pair[]
  /** Images that have no mask. */
  readonly unpaired: string[]
}

/**
 * Pairs DIR/images with DIR/masks by file stem, sorted.
 *
 * @throws CodedError `file-missing` when a folder is missing, `nothing-to-train` when nothing pairs.
 */
export async function findPairs(dir: string): Promise<Pairs> {
  const [images, masks] = await Promise.all([listImages(join(dir, 'images')), listImages(join(dir, 'masks'))])
  const maskOf = new Map(masks.map((path) => [stemOf(path), path]))
  const pairs: Pair[] = []
  const unpaired: string[] = []
  for (const image of images) {
    const id = stemOf(image)
    const mask = maskOf.get(id)
    if (mask === undefined) unpaired.push(image)
    else pairs.push({ id, image, mask })
  }
  if (pairs.length === 0) {
    throw new CodedError(
      'nothing-to-train',
      `${dir} holds no image with a mask of the same name; put images into ${join(dir, 'images')} and masks into ${join(dir, 'masks')}.`,
    )
  }
  return { pairs, unpaired }
}

async function listImages(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder)
    return names
      .filter((name) => isSupported(name) && !name.startsWith('.'))
      .sort()
      .map((name) => join(folder, name))
  } catch (cause) {
    throw new CodedError('file-missing', `${folder} cannot be read; it must be a folder of images.`, { cause })
  }
}

/** Reads an image with its mask. Throws CodedError('bad-file') when they are not of one shape. */
export async function readPair(
  pair: Pair,
  signal: AbortSignal,
): Promise<{ image: ImageVolume; labels: Uint8Array<ArrayBuffer> }> {
  const image = await readImage(pair.image, { signal })
  const mask = await readLabelMap(pair.mask, { signal })
  if (image.dims.some((size, axis) => size !== mask.dims[axis])) {
    throw new CodedError(
      'bad-file',
      `${basename(pair.mask)} is ${mask.dims.join(' x ')}, its image ${image.dims.join(' x ')}; make the mask anew.`,
    )
  }
  return { image, labels: mask.labels }
}

/** Of the slices without any label, every so many teaches what background looks like. */
const emptySliceStep = 4

/** The slices of one case that teach, across its training axis, as the network sees them. */
export async function samplesOf(
  image: ImageVolume,
  labels: Uint8Array<ArrayBuffer>,
  role: TrainingSample['role'],
): Promise<TrainingSample[]> {
  const range = await rangeOf(image)
  const layout = networkLayout(image.dims, image.affine, image.spacing)
  const geometry = sliceGeometry(image, layout)
  const samples: TrainingSample[] = []
  for (let index = 0; index < layout.slices; index += 1) {
    const stored = extractSlice(labels, image.dims, layout.sliceAxis, index)
    if (index % emptySliceStep !== 0 && stored.every((label) => label === 0)) continue
    const slice = await sliceForCompute(image, layout, index, range)
    samples.push({ ...slice, labels: labelsForCompute(stored, layout), role, geometry })
  }
  return samples
}
