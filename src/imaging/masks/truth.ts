import { basename } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import type { Dims } from '../../core/contract/schemas.ts'
import { indicesOf, mapMask, mergeObjects, objectsOf, type MaskMapping } from '../../core/recipes/index.ts'
import { connectedComponents } from '../../core/voxels/index.ts'
import type { LabelArray } from '../types.ts'
import { compareWithImage, resampleMask, type Grid } from './compare.ts'
import { readMask } from './read.ts'

/** What is known of the masks of a set before one is opened. */
export interface MaskRules extends MaskMapping {
  /** Label whose objects are told apart; null: nobody asks for objects. */
  readonly objectLabel: number | null
}

export interface MaskFiles {
  /** One label map, or one file for each object. */
  readonly masks: readonly string[]
  /** The values of the one mask number objects. null: where there are several, and one class alone. */
  readonly numbered: boolean | null
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

/**
 * The truth of a case in the order of its image's voxels. Throws CodedError('bad-file') with a sentence for the user where a
 * mask is damaged or does not fit the image.
 */
export async function readTruth(files: MaskFiles, image: Grid, rules: MaskRules, signal?: AbortSignal): Promise<Truth> {
  return files.masks.length === 1
    ? readLabels(files, image, rules, signal)
    : readObjects(files.masks, image, rules, signal)
}

async function readOne(
  file: string,
  image: Grid,
  signal: AbortSignal | undefined,
): Promise<{ labels: LabelArray; names: ReadonlyMap<number, string>; remark: string | null }> {
  const mask = await readMask(file, { signal })
  const { fit, difference } = compareWithImage(mask, image)
  const sized = mask.dims.join() === image.dims.join()
  if (fit === 'shape' || (!sized && fit !== 'same')) {
    const extent = (dims: readonly number[]): string => (dims[2] === 1 ? dims.slice(0, 2) : dims).join(' x ')
    throw new CodedError(
      'bad-file',
      `${basename(file)} is ${extent(mask.dims)}, its image ${extent(image.dims)}; make the mask anew.`,
    )
  }
  const labels = fit === 'same' && difference !== null ? resampleMask(mask, image) : mask.labels
  return { labels, names: mask.names, remark: fit === 'moved' ? difference : null }
}

async function readLabels(
  { masks, numbered }: MaskFiles,
  image: Grid,
  rules: MaskRules,
  signal: AbortSignal | undefined,
): Promise<Truth> {
  const [file = ''] = masks
  const { labels: raw, names, remark } = await readOne(file, image, signal)
  const { labels, unknown } = mapMask(raw, rules)
  return {
    ...{ dims: image.dims, labels, unknown, names, overlap: 0, hidden: 0 },
    objects: rules.objectLabel === null ? null : objectsIn(raw, labels, image.dims, rules, numbered),
    remarks: remark === null ? [] : [`${basename(file)}: ${remark}`],
  }
}

/** The numbers in the file where it can have any, or else the connected parts of the label; none where no label is. */
function objectsIn(
  raw: LabelArray,
  labels: Uint8Array,
  dims: Dims,
  { classes, objectLabel }: MaskRules,
  numbered: boolean | null,
): Uint32Array {
  const labelled = classes.length === 0 ? raw : Uint32Array.from(raw, (value, i) => (labels[i] === 0 ? 0 : value))
  if (numbered === true) return Uint32Array.from(labelled)
  if (classes.length === 1) return objectsOf(labelled, dims)
  return connectedComponents(labels, dims, dims[2] > 1 ? 26 : 8, { value: objectLabel ?? 1 }).ids
}

/** Small files: most of the time goes into waiting for the disk. */
const AT_ONCE = 8

async function readObjects(
  masks: readonly string[],
  image: Grid,
  rules: MaskRules,
  signal: AbortSignal | undefined,
): Promise<Truth> {
  const voxels = image.dims[0] * image.dims[1] * image.dims[2]
  const objects: Uint32Array[] = []
  const values: number[] = []
  for (let first = 0; first < masks.length; first += AT_ONCE) {
    signal?.throwIfAborted()
    const files = masks.slice(first, first + AT_ONCE)
    for (const { labels } of await Promise.all(files.map((file) => readOne(file, image, signal)))) {
      const pixels = indicesOf(labels)
      objects.push(pixels)
      values.push(labels[pixels[0] ?? 0] ?? 0)
    }
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
