import type { Affine, Axis, Dims, Vec3 } from '../contract/schemas.ts'
import { linearPart, nearestRotation, type Matrix3 } from './affine.ts'

/** For a voxel axis: the world axis (0 x, 1 y, 2 z of RAS+) it runs along most, and in which sense. */
interface AxisDirection {
  readonly world: Axis
  readonly sign: 1 | -1
}

const POSITIVE = ['R', 'A', 'S'] as const
const NEGATIVE = ['L', 'P', 'I'] as const

/** Directions that differ by less are a tie: what single precision does to them must not decide. */
const TIE = 1e-6

/**
 * Which world axis each voxel axis is closest to. Shear and spacing are removed first (polar factor), then the pair of axes that is
 * closest goes first and none is taken twice: nibabel's `io_orientation` but for its older versions' order, so both name an image alike.
 * Of two voxel axes that are as close (45 degrees), the one is taken that leans towards the positive side of the other world axes:
 * the choice goes by where the axes point in the patient, not by the order in which they are stored.
 */
export function axisDirections(affine: Affine): readonly [AxisDirection, AxisDirection, AxisDirection] {
  const scaled = unitColumns(linearPart(affine))
  const rotation = nearestRotation(scaled) ?? scaled
  const chosen: [AxisDirection | null, AxisDirection | null, AxisDirection | null] = [null, null, null]
  const free = { worlds: new Set<Axis>([0, 1, 2]), axes: new Set<Axis>([0, 1, 2]) }
  while (free.axes.size > 0) {
    let best: { world: Axis; axis: Axis } | null = null
    for (const world of free.worlds) {
      for (const axis of free.axes) {
        if (best === null || isCloser(rotation, { world, axis }, best)) best = { world, axis }
      }
    }
    if (best === null) break
    const { world, axis } = best
    chosen[axis] = { world, sign: rotation[world][axis] < 0 ? -1 : 1 }
    free.worlds.delete(world)
    free.axes.delete(axis)
  }
  const of = (axis: Axis): AxisDirection => chosen[axis] ?? { world: axis, sign: 1 }
  return [of(0), of(1), of(2)]
}

function isCloser(rotation: Matrix3, a: { world: Axis; axis: Axis }, b: { world: Axis; axis: Axis }): boolean {
  const difference = Math.abs(rotation[a.world][a.axis]) - Math.abs(rotation[b.world][b.axis])
  if (Math.abs(difference) > TIE) return difference > 0
  if (a.world !== b.world) return a.world < b.world
  const sign = (axis: Axis): number => (rotation[a.world][axis] < 0 ? -1 : 1)
  for (const world of [0, 1, 2] as const) {
    const lean = sign(a.axis) * rotation[world][a.axis] - sign(b.axis) * rotation[world][b.axis]
    if (Math.abs(lean) > TIE) return lean > 0
  }
  return false
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
