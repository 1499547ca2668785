import { basename } from 'node:path'
import { setImmediate as pause } from 'node:timers/promises'
import { z } from 'zod'
import type { Dims } from '../../core/contract/schemas.ts'
import { badFile, writeAtomically } from '../files.ts'
import { stemOf } from '../sniff.ts'
import { connectedComponents } from './components.ts'
import { readJson } from './json.ts'
import { emptyLabels, smallestLabels } from './labels.ts'
import { countsOfString, paintPolygon, polygonSteps, paintRle, shapeOf } from './rle.ts'
import { choosePart } from './choose.ts'
import type { LoadedMask, MaskName, MaskToWrite, ReadContext } from './types.ts'

/** Without an image at hand whose extent would say more. */
const MAX_VOXELS = 2 ** 28

/** Steps of painting that are taken for one image, and more for each voxel of it: some seconds. More is no annotation, but made to keep busy. */
const MAX_STEPS = 2 ** 30
const STEPS_A_VOXEL = 8
/** Steps after which others get their turn. */
const BREATH = 2 ** 24

const rleSchema = z.object({
  size: z.tuple([z.int().positive(), z.int().positive()]),
  counts: z.union([z.array(z.number()), z.string()]),
})
const cocoSchema = z.object({
  images: z.array(
    z.object({
      id: z.union([z.int(), z.string()]),
      file_name: z.string().default(''),
      width: z
        .int()
        .positive()
        .max(2 ** 28),
      height: z
        .int()
        .positive()
        .max(2 ** 28),
      /** Which slice of which case this is, in files that were written here. */
      maskwright: z.object({ case: z.string(), slice: z.int().min(0), slices: z.int().min(1) }).optional(),
    }),
  ),
  categories: z.array(z.object({ id: z.int().min(0), name: z.string() })).default([]),
  annotations: z.array(
    z.object({
      image_id: z.union([z.int(), z.string()]),
      category_id: z.int().min(0).max(0xffffffff),
      segmentation: z.union([rleSchema, z.array(z.array(z.number()))]).optional(),
    }),
  ),
})
type Coco = z.infer<typeof cocoSchema>
type CocoImage = Coco['images'][number]

/**
 * Writes masks as COCO instance annotations, one case after the other: a picture, or each slice of a volume across its third axis, is an
 * image; each connected part of a label (8 neighbours) in it an annotation with uncompressed RLE, which pycocotools reads; label
 * values are category ids. `iscrowd` is 0, since training programs leave crowds out.
 */
export async function writeCoco(
  path: string,
  cases: AsyncIterable<MaskToWrite> | Iterable<MaskToWrite>,
  names: readonly MaskName[],
): Promise<void> {
  await writeAtomically(path, packed(cocoText(cases, names)))
}

/** Small pieces of text as larger ones of bytes. */
async function* packed(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  let waiting: string[] = []
  let length = 0
  for await (const text of texts) {
    waiting.push(text)
    length += text.length
    if (length < 2 ** 18) continue
    yield encoder.encode(waiting.join(''))
    waiting = []
    length = 0
  }
  yield encoder.encode(waiting.join(''))
}

async function* cocoText(
  cases: AsyncIterable<MaskToWrite> | Iterable<MaskToWrite>,
  names: readonly MaskName[],
): AsyncGenerator<string> {
  const images: object[] = []
  const used = new Set<number>()
  let annotations = 0
  yield '{"info":{"description":"Masks written by Maskwright","version":"1.0"},"annotations":['
  for await (const { labels, image, stem, signal } of cases) {
    const [width, height, slices] = image.dims
    for (let slice = 0; slice < slices; slice++) {
      signal?.throwIfAborted()
      const id = images.length + 1
      images.push({ id, ...fileOf(image.source.path, stem, slice, slices), width, height })
      const page = labels.subarray(slice * width * height, (slice + 1) * width * height)
      for (const component of connectedComponents(page, [width, height, 1])) {
        const { rle, area, bbox } = shapeOf(component, width, height)
        used.add(component.label)
        yield `${annotations === 0 ? '' : ','}\n${JSON.stringify({
          id: ++annotations,
          image_id: id,
          category_id: component.label,
          segmentation: rle,
          area,
          bbox,
          iscrowd: 0,
        })}`
      }
      await pause()
    }
  }
  const categories = categoriesOf(used, names)
  yield `],\n"images":${JSON.stringify(images)},\n"categories":${JSON.stringify(categories)}}\n`
}

function fileOf(path: string, stem: string, slice: number, slices: number): object {
  const maskwright = { case: stem, slice, slices }
  if (slices === 1) return { file_name: basename(path), maskwright }
  return { file_name: `${stem}_${String(slice).padStart(4, '0')}.png`, maskwright }
}

function categoriesOf(used: ReadonlySet<number>, names: readonly MaskName[]): object[] {
  const all = new Map(names.map(({ value, name }) => [value, name]))
  for (const value of used) if (!all.has(value)) all.set(value, `label ${value}`)
  return [...all].sort(([a], [b]) => a - b).map(([id, name]) => ({ id, name, supercategory: '' }))
}

/** A COCO file, with what belongs to each image at hand. */
export interface CocoFile {
  readonly path: string
  readonly cases: ReadonlyMap<string, readonly CocoImage[]>
  readonly annotations: ReadonlyMap<string, readonly Annotation[]>
  /** Of the categories in use. */
  readonly largest: number
  readonly zero: boolean
  readonly categories: Coco['categories']
}

interface Annotation {
  /** As people count it in the file. */
  readonly place: number
  readonly category: number
  readonly segmentation: NonNullable<Coco['annotations'][number]['segmentation']>
}

/** Throws CodedError('bad-file') where the file is no COCO file. */
export async function loadCoco(path: string, signal?: AbortSignal): Promise<CocoFile> {
  const coco = await readJson(path, cocoSchema, 'a COCO file of annotations', signal)
  const cases = grouped(coco.images, (image) => image.maskwright?.case ?? stemOf(image.file_name))
  const outlined = coco.annotations.flatMap(({ image_id, category_id, segmentation }, n) =>
    segmentation === undefined ? [] : [{ image: String(image_id), place: n + 1, category: category_id, segmentation }],
  )
  const zero = coco.annotations.some(({ category_id }) => category_id === 0)
  const largest = coco.annotations.reduce((most, { category_id }) => Math.max(most, category_id), 0) + (zero ? 1 : 0)
  const annotations = grouped(outlined, ({ image }) => image)
  return { path, cases, annotations, largest, zero, categories: coco.categories }
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}

/** The mask of one image: see `cocoMask`. */
export async function readCoco(path: string, context: ReadContext): Promise<LoadedMask> {
  return cocoMask(await loadCoco(path, context.signal), context)
}

/**
 * The mask of one image of a COCO file: that whose file is called like the image, or the only one. Later annotations lie over
 * earlier ones. Throws CodedError('bad-file') where the file is damaged or it cannot be told which image is meant.
 */
export async function cocoMask(
  { path, cases, annotations, largest, zero, categories }: CocoFile,
  { stems, voxels, signal }: ReadContext,
): Promise<LoadedMask> {
  const slices = cases.get(choosePart(path, [...cases.keys()], stems, 'images')) ?? []
  const dims = extentOf(path, slices, voxels)
  const [width, height] = dims
  const labels = emptyLabels(width * height * dims[2], largest)
  const warnings: string[] = []
  if (zero) warnings.push(`Category 0 became label ${largest}, since 0 is background.`)
  let covered = 0
  let polygons = 0
  const outlines = slices.flatMap((image) => {
    const slice = image.maskwright?.slice ?? 0
    return (annotations.get(String(image.id)) ?? []).map((annotation) => ({ ...annotation, slice }))
  })
  const limit = MAX_STEPS + STEPS_A_VOXEL * labels.length
  let [steps, paused] = [0, 0]
  const spend = async (count: number): Promise<void> => {
    steps += count
    if (steps > limit) {
      throw badFile(path, 'has outlines that would take too long to fill; simplify them or save them as run lengths.')
    }
    if (steps - paused < BREATH) return
    paused = steps
    await pause()
    signal?.throwIfAborted()
  }
  for (const [n, { place, slice, category, segmentation }] of outlines.entries()) {
    if (n % 256 === 0) {
      await pause()
      signal?.throwIfAborted()
    }
    const label = category === 0 ? largest : category
    const offset = slice * width * height
    let painted = 0
    const paint = (index: number): void => {
      const at = offset + index
      painted++
      if ((labels[at] ?? 0) !== 0) covered++
      labels[at] = label
    }
    if (Array.isArray(segmentation)) {
      polygons++
      for (const points of segmentation) {
        await spend(polygonSteps(points, height) + painted)
        painted = 0
        paintPolygon(points, width, height, paint)
      }
    } else if (!paintSegmentation(segmentation, width, height, paint)) {
      throw badFile(path, `has a damaged outline (annotation ${place}); get the file again from where it came from.`)
    }
    await spend(painted)
  }
  if (covered > 0) warnings.push(`Annotations overlap in ${covered} voxels; there the later one was taken.`)
  if (polygons > 0) warnings.push(`${polygons} outlines are polygons; the pixels whose centres lie inside were taken.`)
  const names = new Map(categories.map(({ id, name }) => [id === 0 ? largest : id, name]))
  return { format: 'coco', dims, labels: smallestLabels(labels), affine: null, names, warnings }
}

function paintSegmentation(
  { size, counts }: z.infer<typeof rleSchema>,
  width: number,
  height: number,
  paint: (index: number) => void,
): boolean {
  if (size[0] !== height || size[1] !== width) return false
  const lengths = typeof counts === 'string' ? countsOfString(counts) : counts
  return lengths !== null && paintRle({ size, counts: lengths }, paint)
}

function extentOf(path: string, slices: readonly CocoImage[], voxels: number): Dims {
  const [first] = slices
  if (first === undefined) throw badFile(path, 'holds no images; choose another file.')
  const count = first.maskwright?.slices ?? 1
  const places = new Set(slices.map((image) => image.maskwright?.slice ?? 0))
  const alike = slices.every(({ width, height }) => width === first.width && height === first.height)
  if (!alike || slices.length !== count || places.size !== count || [...places].some((slice) => slice >= count)) {
    throw badFile(path, 'has images that do not fit together; get the file again from where it came from.')
  }
  if (first.width * first.height * count > Math.max(voxels, MAX_VOXELS)) {
    throw badFile(path, 'states more voxels than its image can have; get the file again from where it came from.')
  }
  return [first.width, first.height, count]
}
