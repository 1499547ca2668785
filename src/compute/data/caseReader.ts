import path from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import { readImage, readTruth as readMasks } from '../../imaging/index.ts'
import { unpackTruth } from './packed.ts'
import type { ImageVolume, MaskFiles as Masks, MaskRules, Truth } from '../../imaging/index.ts'
import type { CaseFiles } from '../recipes/types.ts'
import type { PackedTruth } from './packed.ts'

export interface MaskFiles extends Masks {
  /** What was read before, where reading it again would take long. */
  readonly packed?: PackedTruth | undefined
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

/** The truth of a case in the order of its image's voxels. Throws as `readTruth` of imaging. */
export async function readTruth(
  files: MaskFiles,
  image: Pick<ImageVolume, 'dims' | 'affine' | 'info'>,
  rules: MaskRules,
  signal?: AbortSignal,
): Promise<Truth> {
  if (files.packed !== undefined) return { ...NOTHING_SAID, dims: image.dims, ...unpackTruth(files.packed) }
  return readMasks(files, image, rules, signal)
}
