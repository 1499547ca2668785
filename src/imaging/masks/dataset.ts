import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Dims } from '../../core/contract/schemas.ts'
import type { ImageVolume, LabelArray } from '../types.ts'
import { cocoMask, loadCoco, writeCoco } from './coco.ts'
import { codecs } from './codecs.ts'
import { expectDims, expectLabels, expectPlace, expectRuns, runsOf } from './expect.ts'
import { addNnunet, beginNnunet, nnunetKind, planLabels, readNnunet, type NnunetKind } from './nnunet.ts'
import { Mismatch } from '../mismatch.ts'
import { writeProven, type Proven } from './proof.ts'
import type { MaskToWrite, WriteOptions } from './types.ts'

/** One case of a data set. */
export interface DatasetCase {
  /** What its files are called, without ending; different in every case. */
  readonly stem: string
  /** The labels that occur in its mask. */
  readonly values: readonly number[]
  /** Gives image and mask for as long as `use` runs. */
  open<T>(use: (image: ImageVolume, labels: LabelArray) => Promise<T>): Promise<T>
}

export interface DatasetOptions extends WriteOptions {
  /** `done` of all cases are written and compared. */
  readonly onProgress?: (done: number) => void
}

export type DatasetFormat = 'instances' | 'coco' | 'nnunet'

/**
 * Writes the masks of several cases as one data set into a new or empty folder, and the images where the layout has them: `instances`
 * has a folder a case, `coco` annotations/instances.json, `nnunet` the raw folder of nnU-Net v2. Every mask is read back and
 * compared before the folder gets its name; see `writeProven` for what is thrown and what stays.
 */
export async function writeDataset(
  folder: string,
  format: DatasetFormat,
  cases: readonly DatasetCase[],
  options: DatasetOptions = {},
): Promise<Proven> {
  if (new Set(cases.map(({ stem }) => stem.toLowerCase())).size < cases.length) {
    throw new RangeError('writeDataset: two cases of the same name')
  }
  const coco = new Map<string, { dims: Dims; runs: Uint32Array }>()
  return writeProven(folder, {
    signal: options.signal,
    write: async (aside) => {
      await mkdir(aside)
      if (format === 'instances') await writeInstanceFolders(aside, cases, options)
      else if (format === 'nnunet') await writeNnunetFolder(aside, cases, options)
      else await writeCocoFolder(aside, cases, options, coco)
    },
    check: async (aside) => {
      // The other formats were compared case by case, while their labels were at hand.
      if (coco.size === 0) return
      // Once for all: it is as long as there are cases.
      const file = await loadCoco(cocoFile(aside), options.signal)
      for (const [stem, { dims, runs }] of coco) {
        const context = { stems: [stem], voxels: dims[0] * dims[1] * dims[2], signal: options.signal }
        const mask = await cocoMask(file, context)
        expectDims(mask.dims, dims)
        inCase(stem, () => expectRuns(mask.labels, runs, dims))
      }
    },
  })
}

function cocoFile(folder: string): string {
  return join(folder, 'annotations', 'instances.json')
}

async function writeInstanceFolders(
  aside: string,
  cases: readonly DatasetCase[],
  options: DatasetOptions,
): Promise<void> {
  await each(cases, options, async (mask, image) => {
    const folder = join(aside, mask.stem)
    await mkdir(folder)
    await codecs.instances.write(folder, mask, image)
    await checked(mask.stem, () => codecs.instances.check(folder, mask))
  })
}

async function writeNnunetFolder(aside: string, cases: readonly DatasetCase[], options: DatasetOptions): Promise<void> {
  const plan = planLabels(
    cases.flatMap(({ values }) => values),
    options.names ?? [],
  )
  let kind: NnunetKind | null = null
  await each(cases, options, async (mask, image) => {
    if (kind === null) {
      kind = nnunetKind(image)
      await beginNnunet(aside, kind, plan, cases.length)
    }
    await addNnunet(aside, kind, plan, mask, image)
    const { labels, stem, signal } = mask
    const read = await readNnunet(aside, { stems: [stem], voxels: labels.length, signal })
    await checked(stem, () => {
      expectDims(read.dims, image.dims)
      expectPlace(read, image)
      expectLabels(read.labels, labels, image.dims)
    })
  })
}

async function writeCocoFolder(
  aside: string,
  cases: readonly DatasetCase[],
  options: DatasetOptions,
  expected: Map<string, { dims: Dims; runs: Uint32Array }>,
): Promise<void> {
  await mkdir(join(aside, 'annotations'))
  const { names = [], signal, onProgress } = options
  async function* masks(): AsyncGenerator<MaskToWrite> {
    for (const [n, one] of cases.entries()) {
      const { stem } = one
      signal?.throwIfAborted()
      // What is yielded outlives `open`, which frees the voxels of the image: COCO needs none.
      const mask = await one.open((image, labels) =>
        Promise.resolve({ labels: labels.slice(), image, stem, names, signal }),
      )
      expected.set(stem, { dims: mask.image.dims, runs: runsOf(mask.labels) })
      yield mask
      onProgress?.(n + 1)
    }
  }
  await writeCoco(cocoFile(aside), masks(), names)
}

async function each(
  cases: readonly DatasetCase[],
  { names = [], signal, onProgress }: DatasetOptions,
  work: (mask: MaskToWrite, image: ImageVolume) => Promise<void>,
): Promise<void> {
  for (const [n, one] of cases.entries()) {
    const { stem } = one
    signal?.throwIfAborted()
    await one.open((image, labels) => work({ labels, image, stem, names, signal }, image))
    onProgress?.(n + 1)
  }
}

/** Says of which case a mismatch is. */
async function checked(stem: string, check: () => void | Promise<void>): Promise<void> {
  try {
    await check()
  } catch (error) {
    throw error instanceof Mismatch ? new Mismatch(`in ${stem}, ${error.message}`, error) : error
  }
}

function inCase(stem: string, check: () => void): void {
  try {
    check()
  } catch (error) {
    throw error instanceof Mismatch ? new Mismatch(`in ${stem}, ${error.message}`, error) : error
  }
}
