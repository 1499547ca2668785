import { ellipsoid, FAT, paint, type CtGrid } from './ctGrid.ts'
import type { Random } from './random.ts'

/** What differs between patients in the body wall and chest. mm. */
export interface BodyBuild {
  /** Subcutaneous fat at the flank. */
  readonly fat: number
  readonly wall: number
  /** Height of the right dome of the diaphragm; the left one lies 12 mm lower. */
  readonly dome: number
  readonly muscle: number
  readonly ribShift: number
}

/** Half axes of the standard body's outline at height w: chest, waist, hip. */
function halfWidth(w: number): number {
  const waist = (w - 95) / 90
  return 143 + 7 * Math.min(1.6, waist * waist)
}
function halfDepth(w: number): number {
  const belly = (w - 110) / 130
  return 110 + 4 * Math.min(1, belly * belly)
}

/** Height of the diaphragm over (u, v): two domes that fall off to the costophrenic recess. */
export function diaphragm(build: BodyBuild, u: number, v: number): number {
  const right = dome(build.dome, u + 66, v - 4)
  const left = dome(build.dome - 12, u - 70, v - 4)
  return Math.max(right, left)
}
function dome(peak: number, du: number, dv: number): number {
  const r = (du * du) / (74 * 74) + (dv * dv) / (84 * 84)
  return peak - 74 * Math.min(1.25, r)
}

/** Air, skin, fat, muscle wall with ribs and sternum, the fat that fills the cavity. Fills `grid.depth`. */
export function paintBody(grid: CtGrid, build: BodyBuild): void {
  const { hu, depth, u, v, w, texture, surface } = grid
  for (let i = 0; i < hu.length; i++) {
    const pu = u[i] ?? 0
    const pv = v[i] ?? 0
    const pw = w[i] ?? 0
    const a = pu / halfWidth(pw)
    const b = pv / halfDepth(pw)
    const aa = a * a
    const bb = b * b
    // Squircle-like outline: an ellipse filled out towards its corners.
    const rho = Math.sqrt(Math.max(0, aa + bb - 0.32 * aa * bb))
    const below = rho < 1e-3 ? 100 : (1 - rho) * (Math.sqrt(pu * pu + pv * pv) / rho)
    if (below < -1.5) {
      depth[i] = below - 30
      continue
    }
    const tone = texture[i] ?? 0
    const chest = Math.max(0, Math.min(1, (pw - 150) / 80))
    const fat =
      build.fat * (0.75 + 0.25 * aa + (b > 0 ? 0.35 * bb : 0.1 * bb)) * (1 - 0.45 * chest) + 2 * (surface[i] ?? 0)
    const rectus = b < 0 && Math.abs(pu) < 66 ? 1 - 0.75 * Math.exp(-(pu * pu) / 60) : 1
    const inside = below - fat - build.wall * rectus
    depth[i] = inside
    let value: number
    if (below < 2.2) value = 25
    else if (below < fat) value = FAT + 7 * tone
    else if (inside < 0) {
      // Three sheets of muscle at the flank, with thin fat between.
      const sheets = Math.cos(((below - fat) / build.wall) * 6 * Math.PI)
      value = build.muscle + 10 * tone - (aa > 0.5 && b < 0.6 ? 16 * Math.max(0, sheets) : 0)
      value = ribs(value, build, pu, pv, pw, inside + build.wall * 0.5, a, b)
    } else value = FAT + 4 + 8 * tone + 9 * (surface[i] ?? 0)
    const cover = Math.min(1, (below + 1.5) / 3)
    hu[i] = -1000 + cover * (value + 1000)
  }
}

/** Ribs: oblique hoops in the middle of the wall, cortical shell over marrow, ending at the costal margin. */
function ribs(
  soft: number,
  build: BodyBuild,
  u: number,
  v: number,
  w: number,
  across: number,
  a: number,
  b: number,
): number {
  const margin = 88 + 95 * Math.max(0, -b) + 30 * (1 - Math.min(1, Math.abs(a) * 1.3))
  if (b < 0 && w > 206) {
    const sternum = Math.hypot(u / 17, across / 5)
    if (sternum < 1) return sternum > 0.6 ? 300 : 130
  }
  if (w < margin || Math.abs(u) < 34) return soft
  const along = w + build.ribShift - 0.62 * v
  const phase = along / 29
  const off = (phase - Math.round(phase)) * 29
  const r = Math.hypot(off / 6.6, across / 4.4)
  if (r > 1) return soft
  const cartilage = w - margin < 16 && b < -0.2
  if (cartilage) return r > 0.75 ? 130 : 105
  return r > 0.55 ? 520 : 190
}

/**
 * The lungs' bases over the diaphragm. Painted after the organs below it, so that nothing of them shows above, and
 * before the heart.
 */
export function paintLungs(grid: CtGrid, build: BodyBuild): void {
  const { hu, depth, u, v, w, texture, surface, dims } = grid
  const lowest = Math.floor(((build.dome - 120) * grid.scale[2]) / grid.spacing[2])
  const start = Math.max(0, lowest) * dims[0] * dims[1]
  for (let i = start; i < hu.length; i++) {
    const inside = (depth[i] ?? 0) - 2
    if (inside < -2) continue
    const pu = u[i] ?? 0
    const pv = v[i] ?? 0
    const hilum = Math.max(0, Math.min(1, (pv + 75) / 60))
    const medial = Math.abs(pu) - 8 - 20 * hilum - 5 * (surface[i] ?? 0)
    const over = (w[i] ?? 0) - diaphragm(build, pu, pv)
    if (over < -2) continue
    const d = -Math.min(inside, medial, over * 0.7, beforeBack(pu, pv))
    if (d >= 1) continue
    const cover = Math.min(1, 0.5 - d / 2)
    const spot = texture[i] ?? 0
    // Vessels seen end-on: the peaks of the texture; more of them dependent and near the hilum.
    const vessel = spot > 1.15 ? (spot - 1.15) * 900 : 0
    const value = -860 + 0.5 * pv + 22 * spot + Math.min(700, vessel)
    hu[i] = (hu[i] ?? 0) * (1 - cover) + cover * value
  }
}

/** mm in front of the muscles of the back, whose cross-section `paintMuscles` gives. */
function beforeBack(u: number, v: number): number {
  const aside = Math.abs(u) - ERECTOR.u
  const round = (Math.hypot(aside / (ERECTOR.ru + 2), (v - ERECTOR.v) / (ERECTOR.rv + 3)) - 1) * 18
  return aside < ERECTOR.ru ? Math.min(round, ERECTOR.v - v + 4) : round
}
const ERECTOR = { u: 34, v: 74, ru: 30, rv: 17 } as const

/** Muscles of the back and the psoas, which broadens downwards. */
export function paintMuscles(grid: CtGrid, build: BodyBuild): void {
  const meat = (i: number): number => build.muscle + 2 + 13 * (grid.texture[i] ?? 0)
  for (const side of [-1, 1]) {
    const erector = ellipsoid([side * ERECTOR.u, ERECTOR.v, 140], [ERECTOR.ru, ERECTOR.rv, 400])
    paint(grid, { ...erector.bounds, w: [-10, 300] }, erector.distance, meat)
    const lumborum = ellipsoid([side * 66, 58, 40], [17, 12, 75])
    paint(grid, lumborum.bounds, lumborum.distance, meat)
    const psoas = ellipsoid([side * 40, 40, -10], [19, 20, 125])
    paint(grid, psoas.bounds, psoas.distance, meat, { halo: 1.5 })
  }
}

/** The couch: two thin curved shells with foam between, in scanner space, so neither bent nor scaled. */
export function paintTable(grid: CtGrid, random: Random): void {
  const [nx, ny, nz] = grid.dims
  const top = halfDepth(120) * grid.scale[1] + random.range(4, 7)
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++) {
        const u = (x - (nx - 1) / 2) * grid.spacing[0]
        const v = (y - (ny - 1) / 2) * grid.spacing[1]
        const i = x + nx * (y + ny * z)
        const below = v - top + 0.0011 * u * u
        if (below < 0 || below > 26 || Math.abs(u) > 150 || (grid.hu[i] ?? 0) > -700) continue
        const shell = Math.min(Math.abs(below - 2.5), Math.abs(below - 23.5)) - 1.3
        const cover = Math.max(0, Math.min(1, 0.5 - shell / 2.4))
        grid.hu[i] = -930 + cover * 780
      }
    }
  }
}
