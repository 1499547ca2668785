import type { Affine, Vec3 } from '../../core/contract/schemas.ts'
import { qformToAffine, spacingOf } from '../../core/geometry/index.ts'
import type { AffineSource } from '../types.ts'
import type { NiftiHeader } from './header.ts'

export interface NiftiGeometry {
  readonly affine: Affine
  readonly affineSource: AffineSource
  readonly spacing: Vec3
  readonly spacingKnown: boolean
  readonly warnings: readonly string[]
}

/**
 * The affine by the rule of nibabel's `get_best_affine`: the sform where its code is positive, else the qform where its
 * code is, else axes by pixdim with x to the left and the origin in the middle of the volume. A form that is singular or
 * holds no numbers is passed over with a warning.
 */
export function geometryOf(header: NiftiHeader): NiftiGeometry {
  const warnings: string[] = []
  const spacingKnown = [1, 2, 3].slice(0, header.rank).every((i) => isLength(header.pixdim[i]))
  const pixdim: Vec3 = [lengthOf(header.pixdim[1]), lengthOf(header.pixdim[2]), lengthOf(header.pixdim[3])]
  if (!spacingKnown) warnings.push('The voxel size is not stated in full; 1 mm is assumed where it is missing.')
  if (header.lengthUnit === 1 || header.lengthUnit === 3) {
    const unit = header.lengthUnit === 1 ? 'metres' : 'micrometres'
    warnings.push(`The header states lengths in ${unit}; its numbers are shown as millimetres.`)
  }
  const chosen = bestAffine(header, pixdim, warnings)
  return { ...chosen, spacing: spacingFor(chosen.affine, pixdim), spacingKnown, warnings }
}

function bestAffine(
  header: NiftiHeader,
  pixdim: Vec3,
  warnings: string[],
): { affine: Affine; affineSource: AffineSource } {
  if (header.sformCode > 0) {
    const affine: Affine = [...header.srow.map((row) => [...row]), [0, 0, 0, 1]]
    if (isUsable(affine)) return { affine, affineSource: 'sform' }
    warnings.push('The orientation in the header (sform) is not usable and was passed over.')
  }
  if (header.qformCode > 0) {
    const [b, c, d] = header.quaternion
    const qfac = header.pixdim[0] === -1 ? -1 : 1
    const affine = qformToAffine({ b, c, d, offset: [...header.qoffset], spacing: pixdim, qfac })
    if (isUsable(affine)) return { affine, affineSource: 'qform' }
    warnings.push('The orientation in the header (qform) is not usable and was passed over.')
  }
  warnings.push('The header states no orientation; the letters L, R, A, P, S, I are assumed and may be wrong.')
  const centre = (axis: 0 | 1 | 2): number => ((header.dims[axis] - 1) / 2) * pixdim[axis]
  return {
    affine: [
      [-pixdim[0], 0, 0, centre(0)],
      [0, pixdim[1], 0, -centre(1)],
      [0, 0, pixdim[2], -centre(2)],
      [0, 0, 0, 1],
    ],
    affineSource: 'pixdim',
  }
}

/** All numbers finite, no two axes in the same direction, none of length zero. */
function isUsable(affine: Affine): boolean {
  if (!affine.flat().every(Number.isFinite)) return false
  const [x, y, z] = spacingOf(affine)
  if (x === 0 || y === 0 || z === 0) return false
  const unit = (row: number): Vec3 => {
    const [a = 0, b = 0, c = 0] = affine[row] ?? []
    return [a / x, b / y, c / z]
  }
  const [r0, r1, r2] = [unit(0), unit(1), unit(2)]
  const volume =
    r0[0] * (r1[1] * r2[2] - r1[2] * r2[1]) -
    r0[1] * (r1[0] * r2[2] - r1[2] * r2[0]) +
    r0[2] * (r1[0] * r2[1] - r1[1] * r2[0])
  return Math.abs(volume) > 1e-6
}

/** The affine is what counts; where pixdim says the same it is used, since it is not rounded by the rotation. */
function spacingFor(affine: Affine, pixdim: Vec3): Vec3 {
  const spacing = spacingOf(affine)
  for (const axis of [0, 1, 2] as const) {
    if (Math.abs(spacing[axis] - pixdim[axis]) <= 1e-3 * spacing[axis]) spacing[axis] = pixdim[axis]
  }
  return spacing
}

function isLength(value: number | undefined): boolean {
  return value !== undefined && Number.isFinite(value) && value !== 0
}

function lengthOf(value: number | undefined): number {
  return value !== undefined && isLength(value) ? Math.abs(value) : 1
}
