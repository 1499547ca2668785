import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { CodedError } from '../core/contract/errors.ts'
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

/** What the name of a mask can end in, "1_12_mask". */
const MASK_END = /[ _.-](mask|masks|seg|segmentation|label|labels|labelmap|truth|gt|manual)$/i
/** The Cell Tracking Challenge: the truth of t000.tif. */
const MAN_SEG = /^man_seg(\d+)$/i
/** What is written beside predicted masks. */
const BESIDE = /\.(probabilities|entropy)$/i
/** Where two files have one name, the likelier mask first: what loses nothing, then what JPEG has blurred. */
const ENDINGS = /\.(nii|nii\.gz|png|tiff?|nrrd|mh[ad]|hdr|bmp|jpe?g)$/i
const ORDER = ['nii', 'nii.gz', 'nrrd', 'mha', 'mhd', 'hdr', 'png', 'tif', 'tiff', 'bmp', 'jpg', 'jpeg']

const inOrder = new Intl.Collator('en', { numeric: true }).compare

/**
 * Pairs predictions with truths by file stem. The truth is a folder of masks NAME.ext or NAME_mask.ext (also within masks/ or
 * labels/ of it), or the layout of the 2018 Data Science Bowl, ID/masks/*.png with one file for each object.
 *
 * @throws CodedError `file-missing` where a folder cannot be read or nothing pairs.
 */
export async function pairPredictions(truthDir: string, predictedDir: string): Promise<ScoredPairs> {
  const truths = await findTruths(truthDir)
  const predicted = (await listFolder(predictedDir)).images.filter((name) => !BESIDE.test(stemOf(name)))
  const predictions = byName(predictedDir, predicted)
  const pairs: ScoredPair[] = []
  const withoutTruth: string[] = []
  const used = new Set<string>()
  for (const [name, file] of predictions) {
    const truth = truths.get(name)
    if (truth === undefined) withoutTruth.push(basename(file))
    else {
      pairs.push({ id: stemOf(file), predicted: file, truth })
      used.add(name)
    }
  }
  if (pairs.length === 0) {
    throw new CodedError(
      'file-missing',
      `No mask in ${predictedDir} has the name of one in ${truthDir}; both must be called as their image.`,
    )
  }
  return { pairs, withoutTruth, withoutPrediction: [...truths.keys()].filter((name) => !used.has(name)) }
}

async function findTruths(dir: string): Promise<Map<string, MaskFiles>> {
  const here = await listFolder(dir)
  const inside = here.folders.includes('stage1_train') ? join(dir, 'stage1_train') : dir
  const objects = new Map<string, MaskFiles>()
  for (const id of (inside === dir ? here : await listFolder(inside)).folders) {
    const folder = join(inside, id)
    if (!(await listFolder(folder)).folders.includes('masks')) continue
    const masks = join(folder, 'masks')
    const { images } = await listFolder(masks)
    if (images.length > 0) objects.set(id, { masks: images.map((name) => join(masks, name)), numbered: null })
  }
  if (objects.size > 0) return objects
  const within = ['masks', 'labels', 'label'].find((name) => here.folders.includes(name))
  const folder = within === undefined || here.images.length > 0 ? dir : join(dir, within)
  const { images } = folder === dir ? here : await listFolder(folder)
  return new Map([...byName(folder, images)].map(([name, file]) => [name, { masks: [file], numbered: numbered(file) }]))
}

function numbered(file: string): true | null {
  return MAN_SEG.test(stemOf(file)) ? true : null
}

/** Files by what their image is called, in the order of the names. */
function byName(dir: string, files: readonly string[]): Map<string, string> {
  const found = new Map<string, string>()
  for (const file of [...files].sort(likelierFirst)) {
    const stem = stemOf(file)
    const number = MAN_SEG.exec(stem)?.[1]
    const name = number === undefined ? stem.replace(MASK_END, '') : `t${number}`
    if (!found.has(name)) found.set(name, join(dir, file))
  }
  return new Map([...found].sort(([a], [b]) => inOrder(a, b)))
}

/** What says that it is a mask, then by ending. */
function likelierFirst(a: string, b: string): number {
  const named = (file: string): number => (MASK_END.test(stemOf(file)) ? 0 : 1)
  const ending = (file: string): number => ORDER.indexOf(ENDINGS.exec(file)?.[1]?.toLowerCase() ?? '')
  return named(a) - named(b) || ending(a) - ending(b)
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
