import type { Affine, Vec3 } from '../../core/contract/schemas.ts'
import { isUsableAffine, spacingOf } from '../../core/geometry/index.ts'

/** Signs of the world axes of a file in RAS+. */
export const LPS_TO_RAS: Vec3 = [-1, -1, 1]

/** Where a volume lies, as its file says: steps along its axes and its first voxel in a world of its own. */
export interface Frame {
  /** One a voxel axis: two of a single slice, of which the third follows. */
  readonly directions: readonly (readonly number[])[]
  readonly origin: readonly number[]
  /** Of the file's world axes in RAS+. */
  readonly signs: Vec3
  /** Of the file's unit. */
  readonly mm: number
}

/** The affine in RAS+ mm and its spacing; null where the numbers make none. */
export function affineOf({ directions, origin, signs, mm }: Frame): { affine: Affine; spacing: Vec3 } | null {
  const [x, y] = [vector(directions[0]), vector(directions[1])]
  const z = directions.length > 2 ? vector(directions[2]) : perpendicular(x, y, 1 / mm)
  const start = vector(origin)
  const affine: Affine = [0, 1, 2].map((world) => {
    const sign = (signs[world] ?? 1) * mm
    // + 0: a mirrored nought is no negative one.
    return [x, y, z, start].map((v) => (v[world] ?? 0) * sign + 0)
  })
  affine.push([0, 0, 0, 1])
  return isUsableAffine(affine) ? { affine, spacing: spacingOf(affine) } : null
}

function vector(values: readonly number[] = []): Vec3 {
  return [values[0] ?? 0, values[1] ?? 0, values[2] ?? 0]
}

function perpendicular(a: Vec3, b: Vec3, length: number): Vec3 {
  const cross: Vec3 = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
  const scale = length / Math.hypot(...cross)
  return [cross[0] * scale, cross[1] * scale, cross[2] * scale]
}
