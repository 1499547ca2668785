import { readImage } from '../registry.ts'
import { writeVolume } from '../nifti/index.ts'
import { writeTiffStack } from '../tiff/index.ts'
import { Mismatch } from '../mismatch.ts'
import { plainGeometry } from './niftiVolume.ts'
import { writeProven, type Proven } from './proof.ts'
import { defaultFormat, refuseTarget } from './target.ts'
import type { ImageVolume } from '../types.ts'
import type { MaskTarget } from './types.ts'

/** The ending of such files for an image: a volume for volumes, pages for pictures. */
export function valueMapExtension(image: Pick<ImageVolume, 'source' | 'dims'>): '.nii.gz' | '.tiff' {
  return defaultFormat(image) === 'png' ? '.tiff' : '.nii.gz'
}

/**
 * Writes numbers that belong to the voxels of an image, one or several for each: NIfTI in the image's place, several along its
 * fourth dimension, or 32-bit TIFF, a page each, by the ending. Read back and compared number by number before it gets its
 * name. `values`: map after map, each in the image's voxel order. Throws as `writeProven`.
 */
export async function writeValueMaps(
  path: string,
  values: Float32Array<ArrayBuffer>,
  image: MaskTarget,
  signal?: AbortSignal,
): Promise<Proven> {
  const { dims, spacing } = image
  const voxels = dims[0] * dims[1] * dims[2]
  const maps = values.length / voxels
  if (!Number.isInteger(maps) || maps < 1) throw new RangeError(`${values.length} values for ${voxels} voxels`)
  const nifti = path.toLowerCase().endsWith('.nii.gz')
  await refuseTarget(path, nifti ? 'nifti' : 'tiff', image)
  const pages = Array.from({ length: maps }, (_, m) => ({ data: values.subarray(m * voxels, (m + 1) * voxels) }))
  return writeProven(path, {
    ending: nifti ? '.nii.gz' : '.tiff',
    signal,
    async write(aside) {
      if (nifti) {
        const { affine } = plainGeometry(image)
        await writeVolume(aside, { dims, affine, spacing, data: values, frames: maps })
      } else {
        await writeTiffStack(aside, pages, dims[0], dims[1] * dims[2], {
          spacing: image.info.spacingKnown ? spacing : undefined,
          signal,
        })
      }
    },
    async check(aside) {
      if (!nifti) await compare(aside, values, undefined, signal)
      else for (const [frame, { data }] of pages.entries()) await compare(aside, data, frame, signal)
    },
  })
}

async function compare(
  path: string,
  wanted: Float32Array,
  frame: number | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const image = await readImage(path, { signal, ...(frame === undefined ? {} : { selection: { frame } }) })
  try {
    let at = 0
    for await (const piece of image.voxels.pieces({ signal })) {
      for (const value of piece) {
        if (!Object.is(value, wanted[at])) {
          throw new Mismatch(`value ${at} is ${value} instead of ${wanted[at] ?? 'nothing'}`)
        }
        at++
      }
    }
    if (at !== wanted.length) throw new Mismatch(`it has ${at} values instead of ${wanted.length}`)
  } finally {
    await image.voxels.close()
  }
}
