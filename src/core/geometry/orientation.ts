import type { Affine, Axis, Dims, Vec3 } from '../contract/schemas.ts'
import { linearPart, nearestRotation, type Matrix3 } from './affine.ts'

/** For a voxel axis: the world axis (0 x, 1 y, 2 z of RAS+) it runs along most, and in which sense. */
interface AxisDirection {
  readonly world: Axis
  readonly sign: 1 | -1
}

const POSITIVE = ['R', 'A', 'S'] as const
const NEGATIVE = ['L', 'P', 'I'] as const

/**
 * Which world axis each voxel axis is closest to. Shear and spacing are removed first (polar factor), then the axes
 * choose in order and none is taken twice: the rule of nibabel's `io_orientation`, so both name an image alike.
 */
export function axisDirections(affine: Affine): readonly [AxisDirection, AxisDirection, AxisDirection] {
  const scaled = unitColumns(linearPart(affine))
  const rotation = nearestRotation(scaled) ?? scaled
  const free = new Set<Axis>([0, 1, 2])
  const choose = (axis: Axis): AxisDirection => {
    let best: Axis | null = null
    for (const world of free) {
      // A hair of tolerance, so that rounding does not decide a 45 degree tie: the lower axis wins.
      if (best === null || Math.abs(rotation[world][axis]) > Math.abs(rotation[best][axis]) + 1e-9) best = world
    }
    const world = best ?? axis
    free.delete(world)
    return { world, sign: rotation[world][axis] < 0 ? -1 : 1 }
  }
  return [choose(0), choose(1), choose(2)]
}

/** Three letters, the patient direction in which each voxel axis grows: "RAS", "LPS". */
export function orientationOf(affine: Affine): string {
  return axisDirections(affine)
    .map(({ world, sign }) => (sign > 0 ? POSITIVE : NEGATIVE)[world])
    .join('')
}

/** The axis of extent 1 where there is exactly one (2 where there are several): the image is one picture across it. */
export function singleSliceAxis(dims: Dims): Axis | null {
  if (dims[2] === 1) return 2
  if (dims[1] === 1) return 1
  if (dims[0] === 1) return 0
  return null
}

function unitColumns(m: Matrix3): Matrix3 {
  const norm = (c: Axis): number => Math.hypot(m[0][c], m[1][c], m[2][c]) || 1
  const norms: Vec3 = [norm(0), norm(1), norm(2)]
  const row = (r: Axis): Vec3 => [m[r][0] / norms[0], m[r][1] / norms[1], m[r][2] / norms[2]]
  return [row(0), row(1), row(2)]
}
