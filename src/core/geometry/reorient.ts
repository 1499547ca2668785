import type { Affine, Axis, Dims, Vec3 } from '../contract/schemas.ts'
import { determinant3, invertAffine, linearPart, multiplyAffines, spacingOf, voxelToWorld } from './affine.ts'
import { axisDirections } from './orientation.ts'

/**
 * The same voxels in another order of storage. Index `i` along new axis `k` is index `i` along the old axis `axes[k]`, or
 * its mirror `extent - 1 - i` where `flips[k]`.
 */
export interface Reorientation {
  readonly axes: readonly [Axis, Axis, Axis]
  readonly flips: readonly [boolean, boolean, boolean]
  /** Of the new order. */
  readonly dims: Dims
  /** Of the new order, RAS+ mm: every voxel stays where it is. */
  readonly affine: Affine
}

const AXES = [0, 1, 2] as const
const LETTERS: Readonly<Record<string, readonly [world: Axis, sign: 1 | -1]>> = {
  R: [0, 1],
  L: [0, -1],
  A: [1, 1],
  P: [1, -1],
  S: [2, 1],
  I: [2, -1],
}

/** Is this one of the 48 orders of axes, such as "RAS": three letters, one of each of R/L, A/P and S/I? */
export function isAxisCode(code: string): boolean {
  const worlds = AXES.map((k) => LETTERS[code[k] ?? '']?.[0])
  return code.length === 3 && AXES.every((world) => worlds.includes(world))
}

/**
 * How a volume has to be stored for its axes to grow in the directions of `code` ("RAS": first to the right, then to anterior,
 * then to superior). Oblique axes go by the direction they are closest to; nothing is resampled, so the affine stays oblique.
 * The result does not depend on the order in which the volume is stored. Throws RangeError where `code` is no axis code.
 */
export function reorientation(dims: Dims, affine: Affine, code: string): Reorientation {
  if (!isAxisCode(code)) throw new RangeError(`reorientation: ${code} is no axis code`)
  const directions = axisDirections(affine)
  const choose = (letter: string | undefined): readonly [Axis, boolean] => {
    const [world, sign] = LETTERS[letter ?? ''] ?? [0, 1]
    const axis = AXES.find((candidate) => directions[candidate].world === world) ?? world
    return [axis, directions[axis].sign !== sign]
  }
  const [first, second, third] = [choose(code[0]), choose(code[1]), choose(code[2])]
  return arranged(dims, affine, [first[0], second[0], third[0]], [first[1], second[1], third[1]])
}

/** The order of storage that is named by its axes and flips. */
export function arranged(
  dims: Dims,
  affine: Affine,
  axes: Reorientation['axes'],
  flips: Reorientation['flips'],
): Reorientation {
  const first: Vec3 = [0, 0, 0]
  for (const k of AXES) if (flips[k]) first[axes[k]] = dims[axes[k]] - 1
  const origin = voxelToWorld(affine, first)
  const row = (r: Axis): number[] => [
    ...AXES.map((k) => (flips[k] ? 0 - (affine[r]?.[axes[k]] ?? 0) : (affine[r]?.[axes[k]] ?? 0))),
    origin[r],
  ]
  return {
    axes,
    flips,
    dims: [dims[axes[0]], dims[axes[1]], dims[axes[2]]],
    affine: [row(0), row(1), row(2), [0, 0, 0, 1]],
  }
}

/** Does it leave every voxel in its place? */
export function isIdentity({ axes, flips }: Pick<Reorientation, 'axes' | 'flips'>): boolean {
  return AXES.every((k) => axes[k] === k && !flips[k])
}

/** What undoes it. */
export function inverseOrder({
  axes,
  flips,
}: Pick<Reorientation, 'axes' | 'flips'>): Pick<Reorientation, 'axes' | 'flips'> {
  const place = (old: Axis): Axis => AXES.find((k) => axes[k] === old) ?? old
  const back = [place(0), place(1), place(2)] as const
  return { axes: back, flips: [flips[back[0]], flips[back[1]], flips[back[2]]] }
}

/**
 * How the voxels of a volume have to be stored to lie, one for one, on those of `target`; null where no order does that: other
 * extents, or somewhere more than `tolerance` mm apart.
 */
export function ontoGrid(
  volume: { readonly dims: Dims; readonly affine: Affine },
  target: { readonly dims: Dims; readonly affine: Affine },
  tolerance: number,
): Reorientation | null {
  const inverse = invertAffine(volume.affine)
  if (inverse === null) return null
  const steps = linearPart(multiplyAffines(inverse, target.affine))
  const strongest = (k: Axis): Axis => {
    const lengths = AXES.map((axis) => Math.abs(steps[axis][k]))
    const at = lengths.indexOf(Math.max(...lengths))
    return at === 1 ? 1 : at === 2 ? 2 : 0
  }
  const axes = [strongest(0), strongest(1), strongest(2)] as const
  if (new Set(axes).size < 3) return null
  const flips = [steps[axes[0]][0] < 0, steps[axes[1]][1] < 0, steps[axes[2]][2] < 0] as const
  const result = arranged(volume.dims, volume.affine, axes, flips)
  if (AXES.some((k) => result.dims[k] !== target.dims[k])) return null
  return largestDistance(target.dims, result.affine, target.affine) <= tolerance ? result : null
}

/**
 * How far apart, in mm, two affines put a voxel of a volume at most. It is found at a corner, since the distance is a convex
 * function of the index. Infinity where one of them holds something that is not a finite number.
 */
export function largestDistance(dims: Dims, a: Affine, b: Affine): number {
  let largest = 0
  for (let corner = 0; corner < 8; corner++) {
    const voxel: Vec3 = [0, 0, 0]
    for (const axis of AXES) if ((corner >> axis) & 1) voxel[axis] = dims[axis] - 1
    const [p, q] = [voxelToWorld(a, voxel), voxelToWorld(b, voxel)]
    const distance = Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2])
    if (!Number.isFinite(distance)) return Infinity
    largest = Math.max(largest, distance)
  }
  return largest
}

/** The most, in degrees, by which the angle between two axes differs from a right one; 90 where two run alike. */
export function shearOf(affine: Affine): number {
  const m = linearPart(affine)
  const lengths = spacingOf(affine)
  const cosine = (a: Axis, b: Axis): number =>
    Math.abs(m[0][a] * m[0][b] + m[1][a] * m[1][b] + m[2][a] * m[2][b]) / (lengths[a] * lengths[b])
  const largest = Math.max(cosine(0, 1), cosine(0, 2), cosine(1, 2))
  if (!(largest < 1) || determinant3(m) === 0) return 90
  return (Math.asin(largest) * 180) / Math.PI
}

/**
 * An affine without what storing it in numbers of a relative `precision` (2^-24: single) did to its origin. Whoever stores a mirrored
 * volume rounds another corner, so the origin comes back with an error in its last digits, of which there are others in each order of
 * storage. A number of few decimals within that error is what was meant; other origins are rounded to what the farthest corner can be
 * stored in, so that they come out alike too wherever the voxel size is a round number.
 */
export function withoutRounding(dims: Dims, affine: Affine, precision: number): Affine {
  return affine.map((row, r) => {
    if (r === 3) return [...row]
    const [a = 0, b = 0, c = 0, origin = 0] = row
    let farthest = Math.abs(origin)
    for (let corner = 1; corner < 8; corner++) {
      const at = (axis: Axis): number => ((corner >> axis) & 1) * (dims[axis] - 1)
      farthest = Math.max(farthest, Math.abs(origin + a * at(0) + b * at(1) + c * at(2)))
    }
    return [a, b, c, meant(origin, 2 * precision * farthest, 2 * precision * 2 ** Math.floor(Math.log2(farthest)))]
  })
}

/** A number of so few decimals is met by chance this seldom: once in so many times. */
const CHANCE = 8

function meant(value: number, error: number, step: number): number {
  if (!Number.isFinite(value) || !(step > 0)) return value
  for (let decimals = 0; decimals <= 12 && 10 ** -decimals >= 2 * CHANCE * error; decimals++) {
    const candidate = Number(value.toFixed(decimals))
    if (Math.abs(candidate - value) <= error) return candidate + 0
  }
  const steps = Math.round(value / step)
  // A half goes to the even one, as it does where numbers are stored.
  return (steps - value / step === 0.5 && steps % 2 !== 0 ? steps - 1 : steps) * step + 0
}
