import type { Affine, Dims, Vec3 } from '../../core/contract/index.ts'
import { paintBody, paintLungs, paintMuscles, paintTable, type BodyBuild } from './ctBody.ts'
import { paintBowel } from './ctBowel.ts'
import { createCtGrid, ellipsoid, paint, type CtGrid } from './ctGrid.ts'
import {
  paintGallbladder,
  paintKidney,
  paintLiver,
  paintMidline,
  paintSpleen,
  paintStomach,
  type Enhancement,
  type Lesion,
  type OrganPlace,
} from './ctOrgans.ts'
import { paintSpine } from './ctSpine.ts'
import { addCorrelatedNoise, blurAxis } from './noise.ts'
import { createRandom, type Random } from './random.ts'

/** A CT-like volume with its true labels; both x fastest. */
export interface CtCase {
  readonly dims: Dims
  /** Voxel to RAS+ mm. Voxels lie in LPS order: x grows to the patient's left, y to posterior, z to superior. */
  readonly affine: Affine
  /** Hounsfield units, -1024 to 1500. */
  readonly data: Int16Array<ArrayBuffer>
  /** 0 background, 1 liver, 2 spleen, 3 kidney, 4 vertebra. */
  readonly labels: Uint8Array<ArrayBuffer>
}

export const CT_LABELS = { liver: 1, spleen: 2, kidney: 3, vertebra: 4 } as const

const DIMS: Dims = [160, 160, 80]
const SPACING: Vec3 = [2.2, 2.2, 3.5]
/** Radius of the scanner's circle of reconstruction, mm; beyond it there is no data. */
const FIELD = 177

/** Each is drawn by the seed where it is not given. */
export interface CtOptions {
  /** How much contrast agent is seen: 0 none (a native scan), 1 a full dose. */
  readonly contrast?: number
  /** Phase of contrast: 0 portal venous, 1 late arterial. */
  readonly arterial?: number
  /** Hounsfield units by which fat in its cells darkens the liver. */
  readonly steatosis?: number
  /**
   * How the labels are drawn: `whole` organs, or the `core` of them as some collections do, livers without their
   * vessels and lesions and vertebrae without their arch. `whole` where it is not given.
   */
  readonly annotation?: 'whole' | 'core'
}

/**
 * Paints the abdomen of a patient who does not exist. The seed decides build, position, size and contrast of the
 * organs; the same seed gives the same voxels on every machine.
 */
export function generateCtCase(seed: number, options: CtOptions = {}): CtCase {
  const random = createRandom(seed)
  const scale: Vec3 = [random.range(0.95, 1.06), random.range(0.93, 1.06), random.range(0.95, 1.04)]
  const grid = createCtGrid(DIMS, SPACING, scale, random)
  const build: BodyBuild = {
    fat: random.range(9, 21),
    wall: random.range(11, 15),
    dome: random.range(236, 254),
    muscle: random.range(54, 66),
    ribShift: random.range(0, 29),
  }
  paintBody(grid, build)
  paintTable(grid, random)
  const drawn: Required<CtOptions> = {
    contrast: random.range(0.3, 1),
    arterial: random.range(0, 0.8),
    steatosis: random.chance(0.4) ? random.range(8, 20) : 0,
    annotation: 'whole',
  }
  paintInside(grid, build, { ...drawn, ...options }, random)
  return finish(grid, random)
}

function paintInside(grid: CtGrid, build: BodyBuild, options: Required<CtOptions>, random: Random): void {
  const hu = enhancement(options, random)
  const core = options.annotation === 'core'
  const place = (size: number, shift: number): OrganPlace => ({
    size: random.range(1 - size, 1 + size),
    shift: [random.range(-shift, shift), random.range(-shift, shift), random.range(-shift, shift)],
  })
  const whole = place(0.08, 5)
  const stomach = place(0.12, 6)
  paintMuscles(grid, build)
  paintSpine(grid, {
    marrow: random.range(130, 210),
    shift: random.range(0, 35),
    label: CT_LABELS.vertebra,
    archLabel: core ? 0 : CT_LABELS.vertebra,
  })
  paintBowel(grid, hu.bowelWall, random)
  paintSpleen(grid, build, place(0.14, 6), hu, CT_LABELS.spleen)
  const drunk = random.chance(0.5) ? random.range(15, 35) : random.range(185, 260)
  paintStomach(grid, build, stomach, hu, { value: drunk, level: random.range(-38, -22) })
  paintLiver(grid, build, whole, hu, lesions(hu, random), { label: CT_LABELS.liver, inside: core ? 0 : null }, random)
  paintGallbladder(grid, whole)
  paintKidney(grid, -1, place(0.1, 6), hu, CT_LABELS.kidney)
  paintKidney(grid, 1, place(0.1, 6), hu, CT_LABELS.kidney)
  paintLungs(grid, build)
  paintHeart(grid, hu)
  paintMidline(grid, hu, random)
}

/** Hounsfield units: without contrast, and what a full dose adds in the portal venous and the late arterial phase. */
function enhancement({ contrast, arterial, steatosis }: Required<CtOptions>, random: Random): Enhancement {
  const mix = (native: number, portal: number, early: number, spread: number): number =>
    native + contrast * (portal + arterial * (early - portal) - native + random.range(-spread, spread))
  return {
    liver: mix(58, 110, 74, 8) - steatosis,
    spleen: mix(48, 122, 132, 7),
    cortex: mix(34, 184, 208, 14),
    medulla: mix(32, 148, 92, 10),
    aorta: mix(42, 158, 262, 10),
    veins: mix(40, 158, 98, 8),
    bowelWall: mix(40, 84, 96, 10),
  }
}

/** None to three round, dark foci in the liver: they belong to it. */
function lesions(hu: Enhancement, random: Random): Lesion[] {
  const spots: readonly Vec3[] = [
    [-98, -18, 196],
    [-80, 42, 178],
    [-52, -30, 206],
    [-108, 16, 140],
  ]
  const first = random.int(0, spots.length - 1)
  const found: Lesion[] = []
  for (let k = 0; k < random.int(0, 3); k++) {
    const at = spots[(first + k) % spots.length]
    const cyst = random.chance(0.4)
    const value = cyst ? random.range(4, 16) : hu.liver - random.range(35, 50)
    if (at !== undefined) found.push({ at, radius: random.range(5, 15), hu: value })
  }
  return found
}

function paintHeart(grid: CtGrid, hu: Enhancement): void {
  const heart = ellipsoid([22, -34, 288], [66, 52, 46])
  paint(
    grid,
    heart.bounds,
    (u, v, w, i) => Math.max(heart.distance(u, v, w, i), 4 - (grid.depth[i] ?? 0)),
    (i, d) => (d > -4 ? -70 : d > -14 ? 108 + 6 * (grid.texture[i] ?? 0) : hu.aorta),
  )
  const oesophagus = ellipsoid([14, -2, 260], [8, 7, 60])
  paint(grid, oesophagus.bounds, oesophagus.distance, (_i, d) => (d < -4.5 ? -200 : 52))
}

/** What the scanner does: blur of a voxel's volume, noise (more in the middle of the body), whole Hounsfield units. */
function finish(grid: CtGrid, random: Random): CtCase {
  const { hu, dims, spacing, labels } = grid
  blurAxis(hu, dims, 0, 0.11)
  blurAxis(hu, dims, 1, 0.11)
  blurAxis(hu, dims, 2, 0.1)
  addCorrelatedNoise(hu, dims, random.range(12, 17), random)
  const [nx, ny, nz] = dims
  const data = new Int16Array(hu.length)
  for (let y = 0; y < ny; y++) {
    for (let x = 0; x < nx; x++) {
      const inField = Math.hypot((x - (nx - 1) / 2) * spacing[0], (y - (ny - 1) / 2) * spacing[1]) < FIELD
      for (let z = 0, i = x + nx * y; z < nz; z++, i += nx * ny) {
        data[i] = inField ? Math.max(-1024, Math.min(1500, Math.round(hu[i] ?? 0))) : -1024
      }
    }
  }
  const [sx, sy, sz] = spacing
  const affine: Affine = [
    [-sx, 0, 0, round(((nx - 1) / 2) * sx + random.range(-8, 8))],
    [0, -sy, 0, round(((ny - 1) / 2) * sy + random.range(20, 60))],
    [0, 0, sz, round(random.range(-1180, -980))],
    [0, 0, 0, 1],
  ]
  return { dims, affine, data, labels }
}

const round = (mm: number): number => Math.round(mm * 10) / 10
