import type { Affine, Vec3 } from '../contract/schemas.ts'

/** 3x3, rows. */
export type Matrix3 = readonly [Vec3, Vec3, Vec3]

function entry(affine: Affine, row: number, column: number): number {
  return affine[row]?.[column] ?? 0
}

/** The upper left 3x3 of an affine: the columns are the steps in mm along the voxel axes. */
export function linearPart(affine: Affine): Matrix3 {
  const row = (r: number): Vec3 => [entry(affine, r, 0), entry(affine, r, 1), entry(affine, r, 2)]
  return [row(0), row(1), row(2)]
}

/** World position in RAS+ mm of a voxel index; whole indices are voxel centres. */
export function voxelToWorld(affine: Affine, voxel: Vec3): Vec3 {
  const along = (row: number): number =>
    entry(affine, row, 0) * voxel[0] +
    entry(affine, row, 1) * voxel[1] +
    entry(affine, row, 2) * voxel[2] +
    entry(affine, row, 3)
  return [along(0), along(1), along(2)]
}

/** Distance in mm between neighbouring voxels along each axis: the lengths of the affine's columns. */
export function spacingOf(affine: Affine): Vec3 {
  const m = linearPart(affine)
  const column = (c: 0 | 1 | 2): number => Math.hypot(m[0][c], m[1][c], m[2][c])
  return [column(0), column(1), column(2)]
}

export function determinant3(m: Matrix3): number {
  return (
    m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) -
    m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
    m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
  )
}

/** Null where the matrix is singular or holds something that is not a finite number. */
export function invert3(m: Matrix3): Matrix3 | null {
  const det = determinant3(m)
  if (!Number.isFinite(det) || det === 0) return null
  const cofactor = (r0: 0 | 1 | 2, c0: 0 | 1 | 2, r1: 0 | 1 | 2, c1: 0 | 1 | 2): number =>
    (m[r0][c0] * m[r1][c1] - m[r0][c1] * m[r1][c0]) / det
  return [
    [cofactor(1, 1, 2, 2), -cofactor(0, 1, 2, 2), cofactor(0, 1, 1, 2)],
    [-cofactor(1, 0, 2, 2), cofactor(0, 0, 2, 2), -cofactor(0, 0, 1, 2)],
    [cofactor(1, 0, 2, 1), -cofactor(0, 0, 2, 1), cofactor(0, 0, 1, 1)],
  ]
}

/** The affine that takes world positions back to voxel indices; null where there is none. */
export function invertAffine(affine: Affine): Affine | null {
  const inverse = invert3(linearPart(affine))
  if (inverse === null) return null
  const [x, y, z] = [entry(affine, 0, 3), entry(affine, 1, 3), entry(affine, 2, 3)]
  return [...inverse.map(([a, b, c]) => [a, b, c, 0 - (a * x + b * y + c * z)]), [0, 0, 0, 1]]
}

/** All numbers finite, no axis of length zero, and no axis all but in the plane of the other two. */
export function isUsableAffine(affine: Affine): boolean {
  if (!affine.flat().every(Number.isFinite)) return false
  const [x, y, z] = spacingOf(affine)
  if (x === 0 || y === 0 || z === 0) return false
  const unit = (row: Vec3): Vec3 => [row[0] / x, row[1] / y, row[2] / z]
  const m = linearPart(affine)
  return Math.abs(determinant3([unit(m[0]), unit(m[1]), unit(m[2])])) > 1e-6
}

/** First `b`, then `a`. */
export function multiplyAffines(a: Affine, b: Affine): Affine {
  return [0, 1, 2, 3].map((row) =>
    [0, 1, 2, 3].map((column) => [0, 1, 2, 3].reduce((sum, k) => sum + entry(a, row, k) * entry(b, k, column), 0)),
  )
}

/**
 * The orthogonal matrix nearest to `m` (its polar factor), by Higham's Newton iteration
 * (SIAM J. Sci. Stat. Comput. 7, 1986); null where `m` is singular.
 */
export function nearestRotation(m: Matrix3): Matrix3 | null {
  let current = m
  for (let round = 0; round < 60; round++) {
    const inverse = invert3(current)
    if (inverse === null) return null
    const next = average(current, transpose(inverse))
    const change = largestDifference(current, next)
    current = next
    if (change < 1e-14) break
  }
  return current
}

function transpose(m: Matrix3): Matrix3 {
  return [
    [m[0][0], m[1][0], m[2][0]],
    [m[0][1], m[1][1], m[2][1]],
    [m[0][2], m[1][2], m[2][2]],
  ]
}

function average(a: Matrix3, b: Matrix3): Matrix3 {
  const row = (r: 0 | 1 | 2): Vec3 => [(a[r][0] + b[r][0]) / 2, (a[r][1] + b[r][1]) / 2, (a[r][2] + b[r][2]) / 2]
  return [row(0), row(1), row(2)]
}

function largestDifference(a: Matrix3, b: Matrix3): number {
  let largest = 0
  for (const r of [0, 1, 2] as const) {
    for (const c of [0, 1, 2] as const) largest = Math.max(largest, Math.abs(a[r][c] - b[r][c]))
  }
  return largest
}
