import { mkdir, readdir } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { CodedError } from '../../core/contract/errors.ts'
import type { Dims } from '../../core/contract/schemas.ts'
import { badFile, readError, writeNewFile } from '../files.ts'
import { encodePng } from '../raster/index.ts'
import { writeNiftiMask } from '../nifti/index.ts'
import { readImageInfo } from '../registry.ts'
import type { ImageVolume, LabelArray } from '../types.ts'
import { choosePart } from './choose.ts'
import { connectedComponents, type Component } from './components.ts'
import { readJson } from './json.ts'
import { emptyLabels } from './labels.ts'
import { readLabelFile } from './labelFile.ts'
import { plainGeometry, writeNiftiImage } from './niftiVolume.ts'
import { canBePng, writePngImage } from './pngImage.ts'
import type { LoadedMask, MaskToWrite, ReadContext } from './types.ts'

/** A folder with more files than this is of use to nobody. */
const MAX_INSTANCES = 20_000
/** Of volumes, each of whose files spans the whole volume. */
const MAX_PARTS = 2_000
const LABEL = /^label-(\d{1,10})_/i
/** The names of the labels, beside the folder of masks. */
export const INSTANCE_NAMES = 'labels.json'
const namesSchema = z.object({
  dims: z.tuple([z.int().positive(), z.int().positive(), z.int().positive()]),
  labels: z.array(z.object({ value: z.int().min(1).max(0xffffffff), name: z.string() })),
})

/**
 * Writes a mask in the layout of the 2018 Data Science Bowl into a new folder: images/NAME.png and masks/, with one file an instance, an
 * instance being a connected part of a label (8 neighbours in a picture, 26 in a volume). Pictures: binary PNGs of 0 and 255. Volumes:
 * NIfTI of 0 and 1 in the image's geometry. The file names say the label, "label-2_0001.png". The image is written where a PNG
 * holds its samples without loss, and always for volumes.
 */
export async function writeInstances(
  folder: string,
  { labels, image, stem, names, signal }: MaskToWrite,
  pixels: ImageVolume | null,
): Promise<void> {
  const volume = image.dims[2] > 1
  const components = connectedComponents(labels, image.dims)
  const most = volume ? MAX_PARTS : MAX_INSTANCES
  if (components.length > most) {
    throw new CodedError(
      'bad-request',
      `The mask has ${components.length} separate parts, too many for a file each (${most}); save it as NIfTI, TIFF or COCO.`,
    )
  }
  const masks = join(folder, 'masks')
  await mkdir(masks, { recursive: true })
  await mkdir(join(folder, 'images'))
  if (volume && pixels !== null) await writeNiftiImage(join(folder, 'images', `${stem}.nii.gz`), pixels, signal)
  else if (pixels !== null && canBePng(pixels)) {
    await writePngImage(join(folder, 'images', `${stem}.png`), pixels, signal)
  }
  const numbers = new Map<number, number>()
  const scratch = new Uint8Array(labels.length)
  for (const component of components) {
    signal?.throwIfAborted()
    const number = (numbers.get(component.label) ?? 0) + 1
    numbers.set(component.label, number)
    const name = `label-${component.label}_${String(number).padStart(4, '0')}`
    paint(scratch, component, volume ? 1 : 255)
    if (volume) await writeNiftiMask(join(masks, `${name}.nii.gz`), scratch, plainGeometry(image))
    else await writeNewFile(join(masks, `${name}.png`), await binaryPng(scratch, image.dims))
    paint(scratch, component, 0)
  }
  const present = names.filter(({ value }) => numbers.has(value))
  await writeNewFile(
    join(folder, INSTANCE_NAMES),
    `${JSON.stringify({ dims: image.dims, labels: present }, null, 2)}\n`,
  )
}

function binaryPng(data: Uint8Array, [width, height]: Dims): Promise<Uint8Array> {
  return encodePng({ width, height, channels: 1, data })
}

function paint(labels: LabelArray, { runs }: Component, value: number): void {
  for (let r = 0; r < runs.length; r += 2) {
    const start = runs[r] ?? 0
    labels.fill(value, start, start + (runs[r + 1] ?? 0))
  }
}

/** Is this the folder of one image, or one of several? */
export async function isInstanceFolder(folder: string): Promise<boolean> {
  if (existsSync(join(folder, 'masks'))) return true
  return (await imageFolders(folder)).length > 0
}

async function imageFolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw readError(error, folder)
  })
  const inside = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  return inside.filter((name) => existsSync(join(folder, name, 'masks'))).sort()
}

/**
 * Reads one image's masks in the layout that `writeInstances` writes, or the plain one of the Data Science Bowl: there every file is an
 * instance, numbered from 1 in the order of the names. Where masks overlap, the later one is taken.
 */
export async function readInstances(path: string, context: ReadContext): Promise<LoadedMask> {
  const { stems, signal } = context
  const alone = existsSync(join(path, 'masks'))
  const folder = alone ? path : join(path, choosePart(path, await imageFolders(path), stems, 'images'))
  const masks = join(folder, 'masks')
  const files = (
    await readdir(masks).catch((error: unknown) => {
      throw readError(error, masks)
    })
  )
    .filter((name) => /\.(png|tiff?|bmp|nii|nii\.gz)$/i.test(name) && !name.startsWith('.'))
    .sort()
  const known = existsSync(join(folder, INSTANCE_NAMES))
    ? await readJson(join(folder, INSTANCE_NAMES), namesSchema, 'a list of labels', signal)
    : null
  const values = files.map((name) => Number(LABEL.exec(name)?.[1] ?? 0))
  const labelled = files.length > 0 && values.every((value) => value >= 1 && value <= 0xffffffff)
  const warnings: string[] = []
  let dims: Dims | null = files.length === 0 ? (known?.dims ?? (await extentOfImage(folder))) : null
  let affine: LoadedMask['affine'] = null
  let labels: LabelArray = new Uint8Array(0)
  let covered = 0
  const largest = labelled ? values.reduce((a, b) => Math.max(a, b), 0) : files.length
  if (dims !== null) labels = emptyLabels(dims[0] * dims[1] * dims[2], 0)
  for (const [n, name] of files.entries()) {
    signal?.throwIfAborted()
    const file = await readLabelFile(join(masks, name), signal)
    if (dims === null) {
      dims = file.dims
      affine = file.affine
      labels = emptyLabels(file.labels.length, largest)
    } else if (file.dims.join() !== dims.join()) {
      throw badFile(join(masks, name), 'has another size than the other masks; take it out of the folder.')
    }
    const label = labelled ? (values[n] ?? 0) : n + 1
    for (let i = 0; i < labels.length; i++) {
      if (file.labels[i] === 0) continue
      if (labels[i] !== 0) covered++
      labels[i] = label
    }
  }
  if (dims === null) throw badFile(folder, 'holds no masks and no image; choose another folder.')
  if (covered > 0)
    warnings.push(
      `Instances overlap in ${covered === 1 ? '1 voxel' : `${covered} voxels`}; there the later one was taken.`,
    )
  if (!labelled && files.length > 0)
    warnings.push('The file names say no labels; each instance has a number of its own.')
  const names = new Map(known?.labels.map(({ value, name }) => [value, name]) ?? [])
  return { format: 'instances', dims, labels, affine, names, warnings }
}

async function extentOfImage(folder: string): Promise<Dims | null> {
  const images = join(folder, 'images')
  const [name] = (await readdir(images).catch(() => [])).filter((file) => !file.startsWith('.')).sort()
  if (name === undefined) return null
  const { dims } = await readImageInfo(join(images, name))
  return [dims[0] ?? 1, dims[1] ?? 1, dims[2] ?? 1]
}
