import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CodedError } from '../core/contract/errors.ts'
import { imageKey, isMaskName, maskKey } from '../core/recipes/index.ts'
import { isSupported, stemOf, type MaskFiles } from '../imaging/index.ts'

/** A prediction and the truth of the same case. */
export interface ScoredPair {
  /** The prediction's stem. */
  readonly id: string
  readonly predicted: string
  readonly truth: MaskFiles
}

export interface ScoredPairs {
  readonly pairs: readonly ScoredPair[]
  /** Predictions without a truth, and cases of the truth without a prediction, by their names. */
  readonly withoutTruth: readonly string[]
  readonly withoutPrediction: readonly string[]
}

/** The Cell Tracking Challenge: the truth of t000.tif. */
const MAN_SEG = /^man_seg(\d+)$/i
/** What is written beside predicted masks. */
const BESIDE = /\.(probabilities|entropy)$/i
/** Where two files have one name, the likelier mask first: what loses nothing, then what JPEG has blurred. */
const ENDINGS = /\.(nii|nii\.gz|png|tiff?|nrrd|mh[ad]|hdr|bmp|jpe?g)$/i
const ORDER = ['nii', 'nii.gz', 'nrrd', 'mha', 'mhd', 'hdr', 'png', 'tif', 'tiff', 'bmp', 'jpg', 'jpeg']

const inOrder = new Intl.Collator('en', { numeric: true }).compare

/**
 * Pairs predictions with truths by file stem. The truth is a folder of masks, called as their images or with what says that they
 * are masks (NAME_mask, segmentation-N; also within masks/ or labels/ of it, or beside the images), or the layout of the 2018
 * Data Science Bowl, ID/masks/*.png with one file for each object.
 *
 * @throws CodedError `file-missing` where a folder cannot be read or nothing pairs.
 */
export async function pairPredictions(truthDir: string, predictedDir: string): Promise<ScoredPairs> {
  const truths = await findTruths(truthDir)
  const predicted = (await listFolder(predictedDir)).images.filter((name) => !BESIDE.test(stemOf(name)))
  const pairs: ScoredPair[] = []
  const withoutTruth: string[] = []
  const used = new Set<NamedTruth>()
  for (const file of likeliest(predicted)) {
    const truth = truthOf(stemOf(file), truths)
    if (truth === null || used.has(truth)) withoutTruth.push(file)
    else {
      pairs.push({ id: stemOf(file), predicted: join(predictedDir, file), truth })
      used.add(truth)
    }
  }
  if (pairs.length === 0) {
    throw new CodedError(
      'file-missing',
      `No mask in ${predictedDir} has the name of one in ${truthDir}; both must be called as their image.`,
    )
  }
  const withoutPrediction = truths.filter((truth) => !used.has(truth)).map(({ stem }) => stem)
  return { pairs, withoutTruth, withoutPrediction }
}

interface NamedTruth extends MaskFiles {
  readonly stem: string
}

/** By the same name, then by the same without what says that it is a mask or an image. */
function truthOf(stem: string, truths: readonly NamedTruth[]): NamedTruth | null {
  const wanted = [stem, imageKey(stem), maskKey(stem)]
  const exact = truths.find((truth) => truth.stem === stem)
  return exact ?? truths.find((truth) => wanted.includes(keyOf(truth.stem))) ?? null
}

function keyOf(stem: string): string {
  const number = MAN_SEG.exec(stem)?.[1]
  return number === undefined ? maskKey(stem) : `t${number}`
}

async function findTruths(dir: string): Promise<NamedTruth[]> {
  const here = await listFolder(dir)
  const inside = here.folders.includes('stage1_train') ? join(dir, 'stage1_train') : dir
  const objects: NamedTruth[] = []
  for (const stem of (inside === dir ? here : await listFolder(inside)).folders) {
    const folder = join(inside, stem)
    if (!(await listFolder(folder)).folders.includes('masks')) continue
    const masks = join(folder, 'masks')
    const { images } = await listFolder(masks)
    if (images.length > 0) objects.push({ stem, masks: images.map((name) => join(masks, name)), numbered: null })
  }
  if (objects.length > 0) return objects
  const within = ['masks', 'labels', 'label'].find((name) => here.folders.includes(name))
  const folder = within === undefined || here.images.length > 0 ? dir : join(dir, within)
  const files = likeliest(masksAmong(folder === dir ? here.images : (await listFolder(folder)).images))
  return files.map((name) => {
    const stem = stemOf(name)
    return { stem, masks: [join(folder, name)], numbered: MAN_SEG.test(stem) ? true : null }
  })
}

/** Where masks lie beside their images, those that are called masks alone. */
function masksAmong(files: readonly string[]): readonly string[] {
  const isMask = (file: string): boolean => isMaskName(stemOf(file)) || MAN_SEG.test(stemOf(file))
  const masks = files.filter(isMask)
  const images = files.filter((file) => !isMask(file)).map(stemOf)
  const names = new Set([...images, ...images.map(imageKey)])
  return masks.some((file) => names.has(keyOf(stemOf(file)))) ? masks : files
}

/** One file of each name, the likeliest mask, in the order of the names. */
function likeliest(files: readonly string[]): string[] {
  const ending = (file: string): number => ORDER.indexOf(ENDINGS.exec(file)?.[1]?.toLowerCase() ?? '')
  const found = new Map<string, string>()
  for (const file of [...files].sort((a, b) => ending(a) - ending(b))) {
    if (!found.has(stemOf(file))) found.set(stemOf(file), file)
  }
  return [...found.values()].sort(inOrder)
}

async function listFolder(dir: string): Promise<{ images: string[]; folders: string[] }> {
  try {
    const entries = (await readdir(dir, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.'))
    const names = (wanted: typeof entries): string[] => wanted.map(({ name }) => name).sort(inOrder)
    return {
      images: names(entries.filter((entry) => !entry.isDirectory() && isSupported(entry.name))),
      folders: names(entries.filter((entry) => entry.isDirectory())),
    }
  } catch (cause) {
    throw new CodedError('file-missing', `${dir} cannot be read; it must be a folder of masks.`, { cause })
  }
}
