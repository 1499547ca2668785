import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import type { Dims } from '../../core/contract/schemas.ts'
import { badFile, readError, writeNewFile } from '../files.ts'
import { encodePng } from '../raster/index.ts'
import type { LabelArray } from '../types.ts'
import { LabelFiller, smallestLabels } from './labels.ts'
import { readPngMask } from './pictures.ts'
import type { LoadedMask, MaskToWrite } from './types.ts'

const SLICE = /^.*?(\d+)\.png$/i

/**
 * Label numbers as grey PNG, 8 bits where all are below 256, else 16: the one form in which every program gets the numbers and no
 * colours. A volume becomes a folder with a file a slice across its third axis, slice_0000.png on.
 */
export async function writePngMask(path: string, { labels, image, leastBits, signal }: MaskToWrite): Promise<void> {
  const small = smallestLabels(labels, leastBits)
  if (small instanceof Uint32Array) {
    throw new CodedError('bad-request', 'A PNG holds labels up to 65535; save this mask as NIfTI or TIFF.')
  }
  const [width, height, slices] = image.dims
  if (slices === 1) {
    await writeNewFile(path, await encodePng({ width, height, channels: 1, data: small }))
    return
  }
  await mkdir(path)
  for (let slice = 0; slice < slices; slice++) {
    signal?.throwIfAborted()
    const data = small.subarray(slice * width * height, (slice + 1) * width * height)
    const bytes = await encodePng({ width, height, channels: 1, data })
    await writeNewFile(join(path, `slice_${String(slice).padStart(4, '0')}.png`), bytes)
  }
}

/** The PNG files of a folder, by their numbers; empty where it holds others too that could be meant. */
export async function pngSlices(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw readError(error, folder)
  })
  const visible = names.filter((name) => !name.startsWith('.'))
  if (!visible.every((name) => SLICE.test(name))) return []
  const number = (name: string): number => Number(SLICE.exec(name)?.[1])
  return visible.sort((a, b) => number(a) - number(b) || (a < b ? -1 : 1))
}

/** A folder of numbered PNGs as the slices of a volume, in the order of their numbers. */
export async function readPngStack(
  folder: string,
  files: readonly string[],
  signal?: AbortSignal,
): Promise<LoadedMask> {
  let filler: LabelFiller | null = null
  let size = ''
  let dims: Dims = [1, 1, files.length]
  const warnings = new Set<string>()
  for (const name of files) {
    const path = join(folder, name)
    const slice = await readPngMask(path, { signal })
    const found = slice.dims.join()
    if (filler === null) {
      dims = [slice.dims[0], slice.dims[1], files.length]
      size = found
      filler = new LabelFiller(slice.labels.length * files.length, () => badFile(path, 'holds no label numbers.'))
    }
    if (found !== size) throw badFile(path, 'has another size than the other slices; take it out of the folder.')
    filler.add(slice.labels)
    for (const warning of slice.warnings) warnings.add(warning)
  }
  const labels: LabelArray = filler?.take() ?? new Uint8Array(0)
  return { format: 'png', dims, labels, affine: null, names: new Map(), warnings: [...warnings] }
}
