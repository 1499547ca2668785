import { paint, type CtGrid } from './ctGrid.ts'

export interface SpineBuild {
  /** Hounsfield units of spongy bone. */
  readonly marrow: number
  /** mm by which the discs are shifted along the column. */
  readonly shift: number
  readonly label: number
  /** Label of the arch with its processes: that of the body, or 0. */
  readonly archLabel: number
}

const PERIOD = 35
const DISC = 8
/** Centre of the vertebral bodies and of the canal, v in standard mm. */
const BODY_V = 42
const CANAL_V = 69

/** The vertebral column: bodies with cortical shell and discs, arch with processes, canal with the thecal sac. */
export function paintSpine(grid: CtGrid, build: SpineBuild): void {
  const { texture } = grid
  const bounds = { u: [-46, 46], v: [20, 106], w: [-30, 330] } as const
  const disc = (w: number): number => {
    const phase = (w + build.shift) / PERIOD
    return Math.abs(phase - Math.round(phase)) * PERIOD - DISC / 2
  }
  const body = (u: number, v: number, w: number): number => {
    // Waist of the body: narrower between its end plates; its back is hollowed towards the canal.
    const waist = 2.2 * Math.max(0, Math.min(1, disc(w) / 9))
    const a = u / (24 - waist)
    const b = (v - BODY_V) / (18 - waist)
    const outline = (Math.sqrt(a * a + b * b) - 1) * 19
    const canal = 12.5 - Math.hypot(u * 0.8, v - CANAL_V)
    return Math.max(outline, canal)
  }
  paint(
    grid,
    bounds,
    (u, v, w) => Math.max(body(u, v, w) + 0.5, disc(w)),
    (i) => 92 + 8 * (texture[i] ?? 0),
  )
  paint(
    grid,
    bounds,
    (u, v, w) => Math.max(body(u, v, w), 1 - disc(w)),
    (i, d) => (d > -2.6 ? 430 : build.marrow + 38 * (texture[i] ?? 0)),
    { label: build.label },
  )
  // Arch: pedicles high on the body, laminae, transverse and spinous processes; ligament where there is no bone.
  const ring = (u: number, v: number): number => Math.abs(Math.hypot(u * 0.9, v - CANAL_V) - 12.5) - 4
  const level = (w: number): number => {
    const phase = (w + build.shift) / PERIOD
    return phase - Math.floor(phase)
  }
  paint(
    grid,
    bounds,
    (u, v) => Math.max(ring(u, v), CANAL_V - 6 - v),
    (i) => 62 + 8 * (texture[i] ?? 0),
  )
  paint(
    grid,
    bounds,
    (u, v, w) => {
      const t = level(w)
      const off = (centre: number, half: number): number => (Math.abs(t - centre) - half) * PERIOD
      const pedicle = Math.max(Math.abs(Math.abs(u) - 14) - 4.5, Math.abs(v - 61) - 9, off(0.6, 0.17))
      const lamina = Math.max(ring(u, v), CANAL_V - 4 - v, off(0.42, 0.3))
      const transverse = Math.max(
        Math.abs(v - 66 - 0.1 * Math.abs(u)) - 4,
        Math.abs(u) - 41,
        15 - Math.abs(u),
        off(0.56, 0.13),
      )
      const spinous = Math.max(Math.abs(u) - 3.6, 80 - v, v - 100, off(0.3, 0.26))
      return Math.min(pedicle, lamina, transverse, spinous)
    },
    (i, d) => (d > -2 ? 400 : build.marrow + 60 + 30 * (texture[i] ?? 0)),
    { label: build.archLabel },
  )
  paint(
    grid,
    bounds,
    (u, v) => Math.hypot(u * 0.85, v - CANAL_V) - 8.5,
    (_i, _d, u, v) => (Math.hypot(u, v - CANAL_V) < 4.5 ? 42 : 16),
  )
}
