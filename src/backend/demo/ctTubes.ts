import type { Vec3 } from '../../core/contract/index.ts'
import { paint, type Bounds, type CtGrid, type PaintOptions, type Tissue } from './ctGrid.ts'
import type { Random } from './random.ts'

export interface TubePoint {
  readonly at: Vec3
  /** mm */
  readonly radius: number
}

/** Paints the chain of tapering capsules through `points` (two or more), standard body mm. */
export function paintTube(
  grid: CtGrid,
  points: readonly TubePoint[],
  tissue: Tissue,
  options: PaintOptions = {},
): void {
  for (let k = 0; k + 1 < points.length; k++) {
    const a = points[k]
    const b = points[k + 1]
    if (a === undefined || b === undefined) continue
    paint(grid, segmentBounds(a, b), segmentDistance(a, b), tissue, options)
  }
}

function segmentDistance(a: TubePoint, b: TubePoint): (u: number, v: number, w: number) => number {
  const [au, av, aw] = a.at
  const [du, dv, dw] = [b.at[0] - au, b.at[1] - av, b.at[2] - aw]
  const inverse = 1 / Math.max(1e-6, du * du + dv * dv + dw * dw)
  const widen = b.radius - a.radius
  return (u, v, w) => {
    const pu = u - au
    const pv = v - av
    const pw = w - aw
    const t = Math.max(0, Math.min(1, (pu * du + pv * dv + pw * dw) * inverse))
    const qu = pu - t * du
    const qv = pv - t * dv
    const qw = pw - t * dw
    return Math.sqrt(qu * qu + qv * qv + qw * qw) - a.radius - t * widen
  }
}

function segmentBounds(a: TubePoint, b: TubePoint): Bounds {
  const r = Math.max(a.radius, b.radius)
  const side = (k: 0 | 1 | 2): [number, number] => [Math.min(a.at[k], b.at[k]) - r, Math.max(a.at[k], b.at[k]) + r]
  return { u: side(0), v: side(1), w: side(2) }
}

/**
 * Paints a branching vessel: from `from` towards `target`, splitting in two `depth` times, each branch thinner
 * (a little less than Murray's law r^3 = r1^3 + r2^3 asks, so that the ends stay visible) and turned aside at random.
 */
export function paintVesselTree(
  grid: CtGrid,
  from: TubePoint,
  target: Vec3,
  depth: number,
  tissue: Tissue,
  options: PaintOptions,
  random: Random,
): void {
  const thin = from.radius * 0.83
  const reach = depth > 0 ? 0.5 : 1
  const wander = (length: number): number => random.normal() * 0.12 * length
  const length = Math.hypot(target[0] - from.at[0], target[1] - from.at[1], target[2] - from.at[2])
  const at: Vec3 = [
    from.at[0] + reach * (target[0] - from.at[0]) + wander(length),
    from.at[1] + reach * (target[1] - from.at[1]) + wander(length),
    from.at[2] + reach * (target[2] - from.at[2]) + wander(length),
  ]
  paintTube(grid, [from, { at, radius: thin }], tissue, options)
  if (depth === 0) return
  const spread = 0.5 * length
  for (const sign of [-1, 1]) {
    const angle = random.range(0, Math.PI)
    const aside: Vec3 = [
      target[0] + sign * spread * Math.cos(angle),
      target[1] + sign * spread * Math.sin(angle) * 0.8,
      target[2] + sign * spread * random.range(-0.8, 0.8),
    ]
    paintVesselTree(grid, { at, radius: thin }, aside, depth - 1, tissue, options, random)
  }
}
