import { verifyNiftiMask, writeVolume } from '../nifti/index.ts'
import { CodedError } from '../../core/contract/errors.ts'
import type { ImageVolume, LabelArray } from '../types.ts'
import { Mismatch } from './proof.ts'
import type { MaskTarget } from './types.ts'

/**
 * The image as one whose geometry is its affine alone, in mm: for data sets, in which image and mask are to have the same header
 * numbers, whatever the image's own file is. A position that the file does not state stays unstated.
 */
export function plainGeometry<T extends MaskTarget>(image: T): T {
  const affine = image.info.affineSource === 'pixdim' ? null : image.affine
  return { ...image, affine, source: { kind: 'volume', path: image.source.path } }
}

/** Writes the voxels of an image as NIfTI with the numbers that `plainGeometry` gives its mask. */
export async function writeNiftiImage(path: string, image: ImageVolume, signal?: AbortSignal): Promise<void> {
  const { dims, voxels, voxelType, channels, slope, inter, spacing } = image
  const { affine } = plainGeometry(image)
  const data = voxels.pieces({ signal })
  await writeVolume(path, { dims, affine, spacing, data, voxelType, channels, slope, inter })
}

/** Reopens a mask that was written. Throws a `Mismatch` with what differs. */
export async function checkNiftiMask(path: string, labels: LabelArray, image: MaskTarget): Promise<void> {
  try {
    await verifyNiftiMask(path, labels, image)
  } catch (error) {
    throw error instanceof CodedError && error.code === 'verify-failed' ? new Mismatch(error.message, error) : error
  }
}
