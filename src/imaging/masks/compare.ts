import type { Affine, Dims } from '../../core/contract/schemas.ts'
import {
  invertAffine,
  isIdentity,
  largestDistance,
  multiplyAffines,
  ontoGrid,
  orientationOf,
  reorderVoxels,
  resampleNearest,
  spacingOf,
} from '../../core/geometry/index.ts'
import type { ImageVolume, LabelArray, MaskVolume } from '../types.ts'
import { emptyLabels } from './labels.ts'

/** What a mask is held against. */
export type Grid = Pick<ImageVolume, 'dims' | 'affine' | 'info'>

export interface MaskComparison {
  /** `same`: lies on the image voxel for voxel. `moved`: same extent, another place. `shape`: another extent. */
  readonly fit: 'same' | 'moved' | 'shape'
  /**
   * What differs, in a sentence; null where nothing does. Of `same`: the voxels are stored in another order of the axes, and
   * `resampleMask` puts each where it belongs, without loss.
   */
  readonly difference: string | null
  /** Both have a geometry, so that the mask can be resampled onto the image. */
  readonly canResample: boolean
}

/** Places that differ by less than this part of a voxel are the same: files round to single precision. */
const TOLERANCE = 0.01
const TOLERANCE_MM = 1e-3

/** Holds a mask against an image. Where one of them has no geometry, only the extent counts. */
export function compareWithImage(mask: Pick<MaskVolume, 'dims' | 'affine'>, image: Grid): MaskComparison {
  const sameExtent = mask.dims.join() === image.dims.join()
  const extent = (dims: Dims): string => (dims[2] === 1 ? dims.slice(0, 2) : dims).join(' x ')
  const shape = `The mask has ${extent(mask.dims)} voxels, the image ${extent(image.dims)}.`
  const [from, to] = [mask.affine, placeOf(image)]
  if (from === null || to === null || invertAffine(from) === null) {
    return { fit: sameExtent ? 'same' : 'shape', difference: sameExtent ? null : shape, canResample: false }
  }
  const order = ontoGrid({ dims: mask.dims, affine: from }, { dims: image.dims, affine: to }, tolerance(to))
  if (order !== null) {
    const difference = `The mask is stored in the axis order ${orientationOf(from)} and the image in ${orientationOf(to)}; each voxel is put where it lies.`
    return { fit: 'same', difference: isIdentity(order) ? null : difference, canResample: true }
  }
  if (!sameExtent) return { fit: 'shape', difference: shape, canResample: true }
  const apart = largestDistance(image.dims, from, to)
  const words = apart < 0.1 ? apart.toPrecision(1) : apart.toFixed(1)
  return { fit: 'moved', difference: `The mask lies elsewhere: up to ${words} mm from the image.`, canResample: true }
}

/**
 * Nearest neighbour by the affines of both: each voxel of the image gets the label of the mask's voxel whose centre is nearest to
 * its own (of two equally near ones, that with the higher index), and 0 where its centre lies in no voxel of the mask. Exact,
 * voxel for voxel, where both lie on the same grid. Throws RangeError where one has no geometry.
 */
export function resampleMask(mask: MaskVolume, image: Grid): LabelArray {
  const to = placeOf(image)
  const inverse = mask.affine === null ? null : invertAffine(mask.affine)
  if (mask.affine === null || to === null || inverse === null) {
    throw new RangeError('resampleMask: a mask or image without geometry')
  }
  const order = ontoGrid({ dims: mask.dims, affine: mask.affine }, { dims: image.dims, affine: to }, tolerance(to))
  if (order !== null) return isIdentity(order) ? mask.labels : reorderVoxels(mask.labels, mask.dims, order)
  const [nx, ny, nz] = image.dims
  const result = emptyLabels(nx * ny * nz, 2 ** (8 * mask.labels.BYTES_PER_ELEMENT) - 1)
  return resampleNearest(mask.labels, mask.dims, multiplyAffines(inverse, to), image.dims, result)
}

function tolerance(affine: Affine): number {
  return TOLERANCE * Math.min(...spacingOf(affine)) + TOLERANCE_MM
}

/** An image whose header states no position has an affine that was made up: no place to hold anything against. */
function placeOf({ affine, info }: Grid): Affine | null {
  return info.affineSource === 'pixdim' ? null : affine
}
