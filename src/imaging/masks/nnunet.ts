import { existsSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { CodedError } from '../../core/contract/errors.ts'
import { badFile, readError, writeNewFile } from '../files.ts'
import { writeNiftiMask } from '../nifti/index.ts'
import { encodePng } from '../raster/index.ts'
import type { ImageVolume, LabelArray } from '../types.ts'
import { choosePart } from './choose.ts'
import { readJson } from './json.ts'
import { readLabelFile } from './labelFile.ts'
import { emptyLabels, smallestLabels } from './labels.ts'
import { plainGeometry, writeNiftiImage } from './niftiVolume.ts'
import { canBePng, writePngImage } from './pngImage.ts'
import type { LoadedMask, MaskName, MaskToWrite, ReadContext } from './types.ts'

const DATASET = 'dataset.json'
/** nnU-Net keeps label numbers in a byte where they fit, and nobody learns more classes than these. */
const MAX_LABELS = 65_535

const datasetSchema = z.object({
  channel_names: z.record(z.string(), z.string()).optional(),
  labels: z.record(z.string(), z.union([z.int().min(0), z.array(z.int().min(0))])),
  file_ending: z.string().max(16),
  /** What the label numbers were before they were made consecutive, in folders that were written here. */
  maskwright: z
    .object({ labels: z.array(z.object({ index: z.int().min(0), value: z.int().min(0), name: z.string() })) })
    .optional(),
})

/** How label values become nnU-Net's consecutive ones, and what they are called. */
export interface LabelPlan {
  readonly indexOf: ReadonlyMap<number, number>
  readonly labels: readonly { readonly index: number; readonly value: number; readonly name: string }[]
}

/** Numbers the values that occur from 1 in their order. Names are unique, and none is "background". */
export function planLabels(values: readonly number[], names: readonly MaskName[]): LabelPlan {
  const sorted = [...new Set(values)].filter((value) => value > 0).sort((a, b) => a - b)
  if (sorted.length > MAX_LABELS) {
    throw new CodedError('bad-request', `The masks hold ${sorted.length} different labels, too many for a data set.`)
  }
  const nameOf = new Map(names.map(({ value, name }) => [value, name]))
  const taken = new Set(['background'])
  const labels = sorted.map((value, i) => {
    const wanted = nameOf.get(value) ?? `label ${value}`
    let name = wanted
    for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${wanted} (${n})`
    taken.add(name.toLowerCase())
    return { index: i + 1, value, name }
  })
  return { indexOf: new Map(labels.map(({ index, value }) => [value, index])), labels }
}

export type NnunetKind = 'volumes' | 'grey' | 'colour'

/** What kind of data set an image can be in: all of a data set have the same. */
export function nnunetKind({ kind, channels }: Pick<ImageVolume, 'kind' | 'channels'>): NnunetKind {
  return kind === 'volume' ? 'volumes' : channels === 3 ? 'colour' : 'grey'
}

/** Makes the folders and dataset.json (nnU-Net v2, documentation/dataset_format.md). */
export async function beginNnunet(folder: string, kind: NnunetKind, plan: LabelPlan, cases: number): Promise<void> {
  await mkdir(join(folder, 'imagesTr'), { recursive: true })
  await mkdir(join(folder, 'labelsTr'))
  // Own properties whatever they are called: a label can have the name __proto__.
  const labels = Object.fromEntries([
    ['background', 0],
    ...plan.labels.map(({ index, name }) => [name, index] as const),
  ])
  const dataset = {
    channel_names: kind === 'colour' ? { 0: 'red', 1: 'green', 2: 'blue' } : { 0: 'intensity' },
    labels,
    numTraining: cases,
    file_ending: endingOf(kind),
    description: 'Written by Maskwright',
    maskwright: { labels: plan.labels },
  }
  await writeNewFile(join(folder, DATASET), `${JSON.stringify(dataset, null, 2)}\n`)
}

function endingOf(kind: NnunetKind): '.nii.gz' | '.png' {
  return kind === 'volumes' ? '.nii.gz' : '.png'
}

/** Adds a case: imagesTr/CASE_0000 and labelsTr/CASE. */
export async function addNnunet(
  folder: string,
  kind: NnunetKind,
  plan: LabelPlan,
  { labels, image, stem, signal }: MaskToWrite,
  pixels: ImageVolume,
): Promise<void> {
  if (nnunetKind(pixels) !== kind) {
    const words = { volumes: 'volumes', grey: 'grey pictures', colour: 'colour pictures' }
    throw new CodedError(
      'bad-request',
      `${stem} does not go with the others: a data set for nnU-Net holds ${words[kind]} alone; export the rest by itself.`,
    )
  }
  const imagePath = join(folder, 'imagesTr', `${stem}_0000${endingOf(kind)}`)
  const labelPath = join(folder, 'labelsTr', `${stem}${endingOf(kind)}`)
  const mapped = renumber(labels, plan.indexOf, stem)
  if (kind === 'volumes') {
    await writeNiftiImage(imagePath, pixels, signal)
    await writeNiftiMask(labelPath, mapped, plainGeometry(image))
    return
  }
  if (!canBePng(pixels)) {
    throw new CodedError(
      'bad-request',
      `${stem} holds ${pixels.voxelType} samples, which a PNG cannot hold; convert it to 16 bits and export again.`,
    )
  }
  await writePngImage(imagePath, pixels, signal)
  const small = smallestLabels(mapped)
  if (small instanceof Uint32Array) throw new RangeError('addNnunet: more than 65535 labels')
  await writeNewFile(
    labelPath,
    await encodePng({ width: image.dims[0], height: image.dims[1], channels: 1, data: small }),
  )
}

function renumber(labels: LabelArray, indexOf: ReadonlyMap<number, number>, stem: string): LabelArray {
  const result = emptyLabels(labels.length, indexOf.size)
  let [value, index] = [0, 0]
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] ?? 0
    if (label === 0) continue
    if (label !== value) {
      const found = indexOf.get(label)
      if (found === undefined) {
        throw new CodedError('conflict', `The mask of ${stem} was changed during the export; export again.`)
      }
      value = label
      index = found
    }
    result[i] = index
  }
  return result
}

/** Is this a raw data set of nnU-Net v2? */
export function isNnunetFolder(folder: string): boolean {
  return existsSync(join(folder, DATASET)) && existsSync(join(folder, 'labelsTr'))
}

/** The data set that a label file belongs to; null where it is none. */
export function nnunetOf(file: string): string | null {
  const folder = dirname(dirname(file))
  return /^labelsT[rs]$/.test(basename(dirname(file))) && existsSync(join(folder, DATASET)) ? folder : null
}

/**
 * Reads one case of a data set: the only one, or that called like the image. In folders that were written here the labels get
 * their former numbers; regions (lists of labels) give no names.
 */
export async function readNnunet(folder: string, context: ReadContext): Promise<LoadedMask> {
  const { file_ending: ending } = await readJson(
    join(folder, DATASET),
    datasetSchema,
    'a data set of nnU-Net',
    context.signal,
  )
  const labels = join(folder, 'labelsTr')
  const files = (
    await readdir(labels).catch((error: unknown) => {
      throw readError(error, labels)
    })
  ).filter((name) => name.endsWith(ending) && !name.startsWith('.'))
  const cases = files.map((name) => name.slice(0, name.length - ending.length)).sort()
  const chosen = choosePart(folder, cases, context.stems, 'cases')
  return readNnunetLabels(folder, join(labels, chosen + ending), context.signal)
}

/** Reads one label file of a data set, with the names and former numbers that its dataset.json gives. */
export async function readNnunetLabels(folder: string, file: string, signal?: AbortSignal): Promise<LoadedMask> {
  const dataset = await readJson(join(folder, DATASET), datasetSchema, 'a data set of nnU-Net', signal)
  const mask = await readLabelFile(file, signal)
  const names = new Map<number, string>()
  if (dataset.maskwright === undefined) {
    for (const [name, value] of Object.entries(dataset.labels)) {
      if (typeof value === 'number' && value > 0) names.set(value, name)
    }
    return { ...mask, format: 'nnunet', names }
  }
  const valueOf = new Map<number, number>()
  for (const { index, value, name } of dataset.maskwright.labels) {
    valueOf.set(index, value)
    names.set(value, name)
  }
  const largest = [...valueOf.values()].reduce((a, b) => Math.max(a, b), 0)
  const labels = emptyLabels(mask.labels.length, largest)
  for (let i = 0; i < labels.length; i++) {
    const index = mask.labels[i] ?? 0
    if (index === 0) continue
    const value = valueOf.get(index)
    if (value === undefined)
      throw badFile(file, `holds label ${index}, which dataset.json does not know; get both again.`)
    labels[i] = value
  }
  return { ...mask, format: 'nnunet', labels: smallestLabels(labels), names }
}
