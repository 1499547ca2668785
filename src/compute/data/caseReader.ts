import path from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import { mapMask, objectsOf } from '../../core/recipes/index.ts'
import { connectedComponents } from '../../core/voxels/index.ts'
import { compareWithImage, readImage, readMask, resampleMask } from '../../imaging/index.ts'
import { indicesOf, mergeObjects } from './objects.ts'
import { unpackTruth } from './packed.ts'
import type { Dims } from '../../core/contract/schemas.ts'
import type { MaskMapping } from '../../core/recipes/index.ts'
import type { ImageVolume, LabelArray } from '../../imaging/index.ts'
import type { CaseFiles } from '../recipes/types.ts'
import type { PackedTruth } from './packed.ts'

/** What is known of the masks of a set before one is opened. */
export interface MaskRules extends MaskMapping {
  /** Label whose objects are told apart; null: nobody asks for objects. */
  readonly objectLabel: number | null
}

export interface MaskFiles extends Pick<CaseFiles, 'masks'> {
  /** The values of the one mask number objects. null: where there are several, and one class alone. */
  readonly numbered: boolean | null
  /** What was read before, where reading it again would take long. */
  readonly packed?: PackedTruth | undefined
}

export interface Truth {
  readonly dims: Dims
  /** Label values, x fastest, in the image's voxel order. */
  readonly labels: Uint8Array<ArrayBuffer>
  /** Numbers of objects; null where the rules ask for none. */
  readonly objects: Uint32Array | null
  /** Names by raw value, as far as the file gives them. */
  readonly names: ReadonlyMap<number, string>
  /** Raw values that are no label. */
  readonly unknown: readonly number[]
  /** Voxels claimed by more than one object's file, and files whose object is empty or covered. */
  readonly overlap: number
  readonly hidden: number
  readonly remarks: readonly string[]
}

const NOTHING_SAID = { names: new Map<number, string>(), unknown: [], overlap: 0, hidden: 0, remarks: [] } as const

/** Opens the image of a case. Throws what `readImage` throws, and CodedError('bad-file') where it can only be seen in tiles. */
export async function openCase(files: Pick<CaseFiles, 'image'>, signal?: AbortSignal): Promise<ImageVolume> {
  const image = await readImage(files.image, { signal })
  if (!image.info.tiled) return image
  await image.voxels.close()
  throw new CodedError(
    'bad-file',
    `${path.basename(files.image)} is too large to be learned from at once; export regions of it and learn from those.`,
  )
}

/**
 * The truth of a case in the order of its image's voxels. Throws CodedError('bad-file') with a sentence for the user where a
 * mask is damaged or does not fit the image.
 */
export async function readTruth(
  files: MaskFiles,
  image: Pick<ImageVolume, 'dims' | 'affine' | 'info'>,
  rules: MaskRules,
  signal?: AbortSignal,
): Promise<Truth> {
  if (files.packed !== undefined) return { ...NOTHING_SAID, dims: image.dims, ...unpackTruth(files.packed) }
  return files.masks.length === 1
    ? readLabels(files, image, rules, signal)
    : readObjects(files.masks, image, rules, signal)
}

async function readOne(
  file: string,
  image: Pick<ImageVolume, 'dims' | 'affine' | 'info'>,
  signal: AbortSignal | undefined,
): Promise<{ labels: LabelArray; names: ReadonlyMap<number, string>; remark: string | null }> {
  const mask = await readMask(file, { signal })
  const { fit, difference } = compareWithImage(mask, image)
  const sized = mask.dims.join() === image.dims.join()
  if (fit === 'shape' || (!sized && fit !== 'same')) {
    const extent = (dims: readonly number[]): string => (dims[2] === 1 ? dims.slice(0, 2) : dims).join(' x ')
    throw new CodedError(
      'bad-file',
      `${path.basename(file)} is ${extent(mask.dims)}, its image ${extent(image.dims)}; make the mask anew.`,
    )
  }
  const labels = fit === 'same' && difference !== null ? resampleMask(mask, image) : mask.labels
  return { labels, names: mask.names, remark: fit === 'moved' ? difference : null }
}

async function readLabels(
  { masks, numbered }: MaskFiles,
  image: Pick<ImageVolume, 'dims' | 'affine' | 'info'>,
  rules: MaskRules,
  signal: AbortSignal | undefined,
): Promise<Truth> {
  const [file = ''] = masks
  const { labels: raw, names, remark } = await readOne(file, image, signal)
  const { labels, unknown } = mapMask(raw, rules)
  return {
    ...{ dims: image.dims, labels, unknown, names, overlap: 0, hidden: 0 },
    objects: rules.objectLabel === null ? null : objectsIn(raw, labels, image.dims, rules, numbered),
    remarks: remark === null ? [] : [`${path.basename(file)}: ${remark}`],
  }
}

/** The numbers in the file where it can have any, or else the connected parts of the label. */
function objectsIn(
  raw: LabelArray,
  labels: Uint8Array,
  dims: Dims,
  { classes, objectLabel }: MaskRules,
  numbered: boolean | null,
): Uint32Array {
  if (numbered === true) return Uint32Array.from(raw)
  if (classes.length === 1) return objectsOf(raw, dims)
  return connectedComponents(labels, dims, dims[2] > 1 ? 26 : 8, { value: objectLabel ?? 1 }).ids
}

async function readObjects(
  masks: readonly string[],
  image: Pick<ImageVolume, 'dims' | 'affine' | 'info'>,
  rules: MaskRules,
  signal: AbortSignal | undefined,
): Promise<Truth> {
  const voxels = image.dims[0] * image.dims[1] * image.dims[2]
  const objects: Uint32Array[] = []
  const values: number[] = []
  for (const file of masks) {
    signal?.throwIfAborted()
    const { labels } = await readOne(file, image, signal)
    const pixels = indicesOf(labels)
    objects.push(pixels)
    values.push(labels[pixels[0] ?? 0] ?? 0)
  }
  const { ids, overlap, hidden } = mergeObjects(objects, voxels)
  // Without classes a file says only that something is there.
  const { labels: known, unknown } = rules.classes.length === 0 ? one(values) : mapMask(values, rules)
  const labels = Uint8Array.from(ids, (id) => (id === 0 ? 0 : (known[id - 1] ?? 0)))
  return {
    ...{ dims: image.dims, labels, unknown, names: new Map<number, string>(), overlap, hidden: hidden.length },
    objects: rules.objectLabel === null ? null : ids,
    remarks: [],
  }
}

function one(values: readonly number[]): { labels: Uint8Array; unknown: readonly number[] } {
  return { labels: Uint8Array.from(values, (value) => (value > 0 ? 1 : 0)), unknown: [] }
}
