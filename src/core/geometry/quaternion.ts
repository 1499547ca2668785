import type { Affine, Vec3 } from '../contract/schemas.ts'
import { determinant3, linearPart, nearestRotation, spacingOf, type Matrix3 } from './affine.ts'

/** The fields of a NIfTI header that make its qform. */
export interface Qform {
  readonly b: number
  readonly c: number
  readonly d: number
  /** Position of voxel (0, 0, 0) in mm. */
  readonly offset: Vec3
  /** mm, positive. */
  readonly spacing: Vec3
  /** -1: the third axis is mirrored after the rotation. */
  readonly qfac: 1 | -1
}

/**
 * The affine of a qform (nifti1.h, method 2). b, c, d are stored in single precision and often rounded so that
 * b*b + c*c + d*d > 1; the square root then has a negative radicand. As nibabel does, a is then taken as 0 and b, c, d are
 * brought to length 1, instead of giving NaN.
 */
export function qformToAffine(qform: Qform): Affine {
  let { b, c, d } = qform
  let a = 1 - (b * b + c * c + d * d)
  if (a < 0) {
    const norm = Math.hypot(b, c, d)
    if (norm > 0) {
      b /= norm
      c /= norm
      d /= norm
    }
    a = 0
  } else {
    a = Math.sqrt(a)
  }
  const [dx, dy, dz] = qform.spacing
  const k = dz * qform.qfac
  const [ox, oy, oz] = qform.offset
  return [
    [(a * a + b * b - c * c - d * d) * dx, 2 * (b * c - a * d) * dy, 2 * (b * d + a * c) * k, ox],
    [2 * (b * c + a * d) * dx, (a * a + c * c - b * b - d * d) * dy, 2 * (c * d - a * b) * k, oy],
    [2 * (b * d - a * c) * dx, 2 * (c * d + a * b) * dy, (a * a + d * d - c * c - b * b) * k, oz],
    [0, 0, 0, 1],
  ]
}

/** The qform nearest to an affine (shear cannot be kept); null where the affine is singular. */
export function affineToQform(affine: Affine): Qform | null {
  const spacing = spacingOf(affine)
  const linear = linearPart(affine)
  const qfac = determinant3(linear) < 0 ? -1 : 1
  const row = (r: Vec3): Vec3 => [r[0] / spacing[0], r[1] / spacing[1], (qfac * r[2]) / spacing[2]]
  const rotation = nearestRotation([row(linear[0]), row(linear[1]), row(linear[2])])
  if (rotation === null) return null
  const [b, c, d] = rotationToQuaternion(rotation)
  return { b, c, d, offset: [affine[0]?.[3] ?? 0, affine[1]?.[3] ?? 0, affine[2]?.[3] ?? 0], spacing, qfac }
}

/**
 * Is a qform as it is stored that of an affine? The numbers themselves are compared: near half a turn, their single precision moves the
 * far end of a volume by tenths of a mm.
 */
export function isQformOf(stored: Qform, affine: Affine): boolean {
  const wanted = affineToQform(affine)
  if (wanted?.qfac !== stored.qfac) return false
  const near = (sign: 1 | -1): boolean =>
    (['b', 'c', 'd'] as const).every((name) => Math.abs(stored[name] - sign * wanted[name]) < 1e-5)
  // Of half a turn, both directions are the same.
  const halfTurn = Math.hypot(wanted.b, wanted.c, wanted.d) > 1 - 1e-6
  const size = Math.min(...wanted.spacing)
  return (
    (near(1) || (halfTurn && near(-1))) &&
    wanted.spacing.every((length, axis) => Math.abs((stored.spacing[axis] ?? 0) - length) <= 1e-5 * length) &&
    wanted.offset.every((value, axis) => Math.abs(value - (stored.offset[axis] ?? 0)) < 1e-3 * size)
  )
}

/** b, c, d of the unit quaternion with a >= 0; the largest component is found first, for accuracy (Shepperd 1978). */
function rotationToQuaternion(r: Matrix3): Vec3 {
  const trace = r[0][0] + r[1][1] + r[2][2]
  const squares = [1 + trace, 1 + 2 * r[0][0] - trace, 1 + 2 * r[1][1] - trace, 1 + 2 * r[2][2] - trace]
  const largest = squares.indexOf(Math.max(...squares))
  const q = Math.sqrt(squares[largest] ?? 1) / 2
  const f = 1 / (4 * q)
  const sums: Vec3 = [f * (r[1][2] + r[2][1]), f * (r[0][2] + r[2][0]), f * (r[0][1] + r[1][0])]
  const differences: Vec3 = [f * (r[2][1] - r[1][2]), f * (r[0][2] - r[2][0]), f * (r[1][0] - r[0][1])]
  if (largest === 0) return differences
  const axis = largest === 1 ? 0 : largest === 2 ? 1 : 2
  const vector: Vec3 = [
    axis === 0 ? q : axis === 1 ? sums[2] : sums[1],
    axis === 1 ? q : axis === 0 ? sums[2] : sums[0],
    axis === 2 ? q : axis === 0 ? sums[1] : sums[0],
  ]
  const sign = differences[axis] < 0 ? -1 : 1
  return [vector[0] * sign, vector[1] * sign, vector[2] * sign]
}
