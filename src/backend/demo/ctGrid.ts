import type { Dims, Vec3 } from '../../core/contract/index.ts'
import { noiseField } from './noise.ts'
import type { Random } from './random.ts'

/**
 * The voxel grid on which a CT phantom is painted. Anatomy is described in a standard body's millimetres: u to the
 * patient's left, v to posterior, both from the body's centre, w to superior from the lowest slice. Each voxel knows
 * its place in that body, bent by smooth noise, so that simple shapes come out organic. Arrays are x fastest.
 */
export interface CtGrid {
  readonly dims: Dims
  /** mm */
  readonly spacing: Vec3
  /** Size of this patient relative to the standard body, per axis. */
  readonly scale: Vec3
  readonly hu: Float32Array
  readonly labels: Uint8Array<ArrayBuffer>
  readonly u: Float32Array
  readonly v: Float32Array
  readonly w: Float32Array
  /** mm below the inner face of the body wall; negative in the wall and outside. Filled by the body painter. */
  readonly depth: Float32Array
  /** Smooth fields of about unit deviation: organ-sized, for surfaces, and fine, for tissue texture. */
  readonly surface: Float32Array
  readonly texture: Float32Array
}

export interface Bounds {
  readonly u: readonly [number, number]
  readonly v: readonly [number, number]
  readonly w: readonly [number, number]
}

/** Signed distance in standard mm, negative inside, of voxel i at (u, v, w). Approximate away from the surface. */
export type Distance = (u: number, v: number, w: number, i: number) => number
/** Hounsfield units of the tissue at voxel i, `d` as `Distance` gave it. */
export type Tissue = (i: number, d: number, u: number, v: number, w: number) => number

export interface PaintOptions {
  /** Label value for voxels inside; null leaves labels as they are. */
  readonly label?: number | null
  /** Only voxels that carry this label now are touched. */
  readonly onlyLabel?: number
  /** A layer of fat of this thickness in mm around the shape; it clears labels. */
  readonly halo?: number
}

const WARP = 6
/** mm over which a surface fades: about a voxel, so that the edge shows partial volume. */
const EDGE = 2
export const FAT = -105

export function createCtGrid(dims: Dims, spacing: Vec3, scale: Vec3, random: Random): CtGrid {
  const [nx, ny, nz] = dims
  const count = nx * ny * nz
  const bend = [26, 26, 18] as const
  const u = noiseField(dims, bend, random)
  const v = noiseField(dims, bend, random)
  const w = noiseField(dims, bend, random)
  let i = 0
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++, i++) {
        u[i] = ((x - (nx - 1) / 2) * spacing[0]) / scale[0] + WARP * (u[i] ?? 0)
        v[i] = ((y - (ny - 1) / 2) * spacing[1]) / scale[1] + WARP * (v[i] ?? 0)
        w[i] = (z * spacing[2]) / scale[2] + WARP * (w[i] ?? 0)
      }
    }
  }
  return {
    dims,
    spacing,
    scale,
    hu: new Float32Array(count).fill(-1000),
    labels: new Uint8Array(count),
    u,
    v,
    w,
    depth: new Float32Array(count),
    surface: noiseField(dims, [10, 10, 6], random),
    texture: noiseField(dims, [3, 3, 2], random),
  }
}

/** Half-open voxel range that surely holds standard coordinates low..high along axis `a`, bending included. */
function voxelRange(grid: CtGrid, a: 0 | 1 | 2, low: number, high: number): [number, number] {
  const n = grid.dims[a]
  const origin = a === 2 ? 0 : (n - 1) / 2
  const perMm = grid.scale[a] / grid.spacing[a]
  const margin = 2.5 * WARP
  return [
    Math.max(0, Math.floor(origin + (low - margin) * perMm)),
    Math.min(n, Math.ceil(origin + (high + margin) * perMm) + 1),
  ]
}

/** Paints one shape over what is there: tissue blended by coverage at its edge, label where the voxel's centre is inside. */
export function paint(
  grid: CtGrid,
  bounds: Bounds,
  distance: Distance,
  tissue: Tissue,
  options: PaintOptions = {},
): void {
  const { hu, labels, u, v, w } = grid
  const [nx, ny] = grid.dims
  const [x0, x1] = voxelRange(grid, 0, bounds.u[0], bounds.u[1])
  const [y0, y1] = voxelRange(grid, 1, bounds.v[0], bounds.v[1])
  const [z0, z1] = voxelRange(grid, 2, bounds.w[0], bounds.w[1])
  const label = options.label === undefined ? 0 : options.label
  const onlyLabel = options.onlyLabel ?? -1
  const halo = options.halo ?? 0
  const reach = halo + EDGE / 2
  for (let z = z0; z < z1; z++) {
    for (let y = y0; y < y1; y++) {
      const row = nx * (y + ny * z)
      for (let i = row + x0; i < row + x1; i++) {
        if (onlyLabel >= 0 && labels[i] !== onlyLabel) continue
        const pu = u[i] ?? 0
        const pv = v[i] ?? 0
        const pw = w[i] ?? 0
        const d = distance(pu, pv, pw, i)
        if (d >= reach) continue
        if (halo > 0) {
          const cover = Math.min(1, (reach - d) / EDGE)
          hu[i] = (hu[i] ?? 0) * (1 - cover) + cover * FAT
          if (d < halo) labels[i] = 0
        }
        if (d >= EDGE / 2) continue
        const cover = Math.min(1, 0.5 - d / EDGE)
        hu[i] = (hu[i] ?? 0) * (1 - cover) + cover * tissue(i, d, pu, pv, pw)
        if (d < 0 && label !== null) labels[i] = label
      }
    }
  }
}

/** An ellipsoid with its bounds. The distance is Quilez's first-order bound: k0 (k0 - 1) / k1. */
export function ellipsoid(centre: Vec3, radii: Vec3): { distance: Distance; bounds: Bounds } {
  const [cu, cv, cw] = centre
  const [iu, iv, iw] = [1 / radii[0], 1 / radii[1], 1 / radii[2]]
  return {
    distance: (u, v, w) => {
      const a = (u - cu) * iu
      const b = (v - cv) * iv
      const c = (w - cw) * iw
      const k0 = Math.sqrt(a * a + b * b + c * c)
      const k1 = Math.sqrt(a * a * iu * iu + b * b * iv * iv + c * c * iw * iw)
      return k1 === 0 ? -Math.min(radii[0], radii[1], radii[2]) : (k0 * (k0 - 1)) / k1
    },
    bounds: {
      u: [cu - radii[0], cu + radii[0]],
      v: [cv - radii[1], cv + radii[1]],
      w: [cw - radii[2], cw + radii[2]],
    },
  }
}

export function unite(...bounds: readonly Bounds[]): Bounds {
  const side = (key: keyof Bounds): [number, number] => [
    Math.min(...bounds.map((b) => b[key][0])),
    Math.max(...bounds.map((b) => b[key][1])),
  ]
  return { u: side('u'), v: side('v'), w: side('w') }
}

/** Polynomial smooth minimum (Quilez): the union of two shapes with a fillet of about `radius` mm. */
export function smoothMin(a: number, b: number, radius: number): number {
  const h = Math.max(0, radius - Math.abs(a - b)) / radius
  return Math.min(a, b) - 0.25 * h * h * radius
}
