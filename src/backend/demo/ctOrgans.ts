import type { Vec3 } from '../../core/contract/index.ts'
import { diaphragm, type BodyBuild } from './ctBody.ts'
import { ellipsoid, FAT, paint, smoothMin, unite, type CtGrid } from './ctGrid.ts'
import { paintTube, paintVesselTree, type TubePoint } from './ctTubes.ts'
import type { Random } from './random.ts'

/** Hounsfield units of this patient's organs in this phase of contrast. */
export interface Enhancement {
  readonly liver: number
  readonly spleen: number
  readonly cortex: number
  readonly medulla: number
  readonly aorta: number
  readonly veins: number
  readonly bowelWall: number
}

export interface OrganPlace {
  /** Size relative to the standard organ. */
  readonly size: number
  /** Standard mm. */
  readonly shift: Vec3
}

const plus = (a: Vec3, b: Vec3): Vec3 => [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
const times = (a: Vec3, k: number): Vec3 => [a[0] * k, a[1] * k, a[2] * k]

export function paintSpleen(grid: CtGrid, build: BodyBuild, place: OrganPlace, hu: Enhancement, label: number): void {
  const shape = ellipsoid(plus([96, 30, 186], place.shift), times([34, 52, 47], place.size))
  paint(
    grid,
    shape.bounds,
    (u, v, w, i) =>
      Math.max(
        shape.distance(u, v, w, i) + 2.5 * (grid.surface[i] ?? 0),
        3.5 - (grid.depth[i] ?? 0),
        w - diaphragm(build, u, v) + 1,
      ),
    (i) => hu.spleen + 4 * (grid.texture[i] ?? 0),
    { label, halo: 1.5 },
  )
}

/** Stomach: wall, contents with a flat level (the patient lies on the back, gas rises to the front), gas. */
export function paintStomach(
  grid: CtGrid,
  build: BodyBuild,
  place: OrganPlace,
  hu: Enhancement,
  contents: { readonly value: number; readonly level: number },
): void {
  const fundus = ellipsoid(plus([58, -12, 192], place.shift), times([38, 46, 40], place.size))
  const antrum = ellipsoid(plus([16, -56, 156], place.shift), times([46, 24, 25], place.size))
  const { spacing, dims, scale } = grid
  const rowOf = (i: number): number => Math.floor(i / dims[0]) % dims[1]
  const levelRow = (dims[1] - 1) / 2 + ((contents.level + place.shift[1]) * scale[1]) / spacing[1]
  paint(
    grid,
    unite(fundus.bounds, antrum.bounds),
    (u, v, w, i) =>
      Math.max(
        smoothMin(fundus.distance(u, v, w, i), antrum.distance(u, v, w, i), 30) + 2.5 * (grid.surface[i] ?? 0),
        3 - (grid.depth[i] ?? 0),
        w - diaphragm(build, u, v) + 1.5,
      ),
    (i, d) => {
      if (d > -5 - 1.5 * (grid.surface[i] ?? 0)) return hu.bowelWall
      return rowOf(i) < levelRow ? -930 : contents.value + 10 * (grid.texture[i] ?? 0)
    },
    { halo: 2.5 },
  )
}

export interface Lesion {
  readonly at: Vec3
  /** mm */
  readonly radius: number
  readonly hu: number
}

/** `inside` is what vessels and lesions are labelled; null: as the liver around them. */
export function paintLiver(
  grid: CtGrid,
  build: BodyBuild,
  place: OrganPlace,
  hu: Enhancement,
  lesions: readonly Lesion[],
  { label, inside: insideLabel }: { label: number; inside: number | null },
  random: Random,
): void {
  const at = (centre: Vec3): Vec3 => plus(centre, place.shift)
  const right = ellipsoid(at([-70, 2, 182]), times([68, 80, 66], place.size))
  const lower = ellipsoid(at([-100, 14, 136]), times([33, 44, 56], place.size))
  const left = ellipsoid(at([-4, -54, 200]), times([68, 32, 34], place.size))
  // The visceral surface is hollow: porta, duodenum, colic flexure press into it.
  const hollow = ellipsoid(at([-34, 12, 122]), [40, 46, 46])
  paint(
    grid,
    unite(right.bounds, lower.bounds, left.bounds),
    (u, v, w, i) => {
      const lobes = smoothMin(
        smoothMin(right.distance(u, v, w, i), lower.distance(u, v, w, i), 22),
        left.distance(u, v, w, i),
        22,
      )
      return Math.max(
        lobes + 3 * (grid.surface[i] ?? 0),
        -hollow.distance(u, v, w, i),
        3.5 - (grid.depth[i] ?? 0),
        w - diaphragm(build, u, v) + 1,
      )
    },
    (i) => hu.liver + 5 * (grid.texture[i] ?? 0),
    { label, halo: 2 },
  )
  // The fissure of the falciform ligament parts the left lobe.
  const fissure = ellipsoid(at([-30, -58, 176]), [2.2, 24, 26])
  paint(grid, fissure.bounds, fissure.distance, () => FAT + 30)

  const inside = { label: insideLabel, onlyLabel: label }
  const vein = (): number => hu.veins
  const cava = at([-28, 14, 212])
  const hilum = at([-38, -4, 168])
  for (const target of [at([-116, 28, 206]), at([-82, -44, 200]), at([-6, -52, 206])]) {
    paintVesselTree(grid, { at: cava, radius: 7 }, target, 3, vein, inside, random)
  }
  for (const target of [at([-106, 34, 168]), at([-108, -22, 164]), at([-98, 22, 128]), at([12, -62, 190])]) {
    paintVesselTree(grid, { at: hilum, radius: 6.4 }, target, 3, vein, inside, random)
  }
  for (const lesion of lesions) {
    const ball = ellipsoid(at(lesion.at), [lesion.radius, lesion.radius * 0.9, lesion.radius * 0.95])
    paint(
      grid,
      ball.bounds,
      (u, v, w, i) => ball.distance(u, v, w, i) + 1.5 * (grid.surface[i] ?? 0),
      (_i, d) => (d > -3 ? (lesion.hu + hu.liver) / 2 : lesion.hu),
      inside,
    )
  }
}

export function paintGallbladder(grid: CtGrid, place: OrganPlace): void {
  const bag = ellipsoid(plus([-56, -44, 148], place.shift), [14, 21, 23])
  paint(grid, bag.bounds, bag.distance, (_i, d) => (d > -2 ? 60 : 11), { halo: 0.5 })
}

/** One kidney: cortex, pyramids of the medulla, sinus fat with the pelvis, perirenal fat. `side` -1 right, 1 left. */
export function paintKidney(grid: CtGrid, side: -1 | 1, place: OrganPlace, hu: Enhancement, label: number): void {
  const [cu, cv, cw] = plus([side * 66, 40, side < 0 ? 104 : 116], place.shift)
  const size = place.size
  // The hilum looks forward and to the middle; the upper pole leans to the spine.
  const turn = 0.6
  const [cosine, sine] = [Math.cos(turn), Math.sin(turn)]
  const toLocal = (u: number, v: number, w: number): Vec3 => {
    const lean = side * (u - cu) + 0.24 * (w - cw)
    return [(cosine * lean + sine * (v - cv)) / size, (-sine * lean + cosine * (v - cv)) / size, (w - cw) / size]
  }
  const bean = ellipsoid([0, 0, 0], [25, 30, 54])
  const hilum = ellipsoid([-24, 0, 0], [15, 11, 17])
  const sinus = ellipsoid([-8, 0, 0], [10, 12, 29])
  const bounds = {
    u: [cu - 48, cu + 48],
    v: [cv - 40, cv + 40],
    w: [cw - 60, cw + 60],
  } as const
  const outline = (u: number, v: number, w: number, i: number): number => {
    const [a, b, c] = toLocal(u, v, w)
    return Math.max(bean.distance(a, b, c, i), -hilum.distance(a, b, c, i)) * size + 1.6 * (grid.surface[i] ?? 0)
  }
  paint(
    grid,
    bounds,
    outline,
    (i, d, u, v, w) => {
      const [a, b, c] = toLocal(u, v, w)
      const core = sinus.distance(a, b, c, i) + 2 * (grid.surface[i] ?? 0)
      if (core < 0) return core < -5 && Math.abs(c) < 16 ? 22 : FAT + 45
      const column = Math.cos(c * 0.42 + 2.2 * Math.atan2(b, a))
      return d < -6.5 && column > -0.35 ? hu.medulla : hu.cortex
    },
    { label, halo: 7 },
  )
}

/** Pancreas, duodenum, and the great vessels of the abdomen. */
export function paintMidline(grid: CtGrid, hu: Enhancement, random: Random): void {
  const lobule = (i: number): number => hu.spleen - 28 + 22 * (grid.texture[i] ?? 0)
  const tail = random.range(-6, 8)
  paintTube(
    grid,
    [
      { at: [-30, -14, 132], radius: 13 },
      { at: [-8, -24, 146], radius: 10 },
      { at: [24, -18, 156 + tail * 0.5], radius: 9.5 },
      { at: [56, 4, 164 + tail], radius: 10 },
      { at: [74, 18, 170 + tail], radius: 8 },
    ],
    lobule,
    { halo: 1 },
  )
  paintTube(
    grid,
    [
      { at: [-30, -46, 150], radius: 12 },
      { at: [-52, -16, 142], radius: 12 },
      { at: [-50, 2, 104], radius: 12 },
      { at: [-16, 2, 88], radius: 11 },
      { at: [30, -4, 96], radius: 11 },
    ],
    (i, d) => (d > -3.5 ? hu.bowelWall : 28 + 12 * (grid.texture[i] ?? 0)),
    { halo: 1 },
  )
  const aorta = (): number => hu.aorta
  const vein = (): number => hu.veins
  const wallOfAorta = { halo: 1.5 } as const
  paintTube(
    grid,
    [
      { at: [12, 16, 330], radius: 12.5 },
      { at: [9, 12, 180], radius: 11.5 },
      { at: [6, 10, 40], radius: 9.5 },
    ],
    aorta,
    wallOfAorta,
  )
  for (const side of [-1, 1]) {
    const iliac: readonly TubePoint[] = [
      { at: [6, 10, 40], radius: 6.5 },
      { at: [6 + side * 34, 16, -20], radius: 6 },
    ]
    paintTube(grid, iliac, aorta)
    paintTube(
      grid,
      [
        { at: [7, 11, 126], radius: 3.4 },
        { at: [side * 46, 36, 110], radius: 2.6 },
      ],
      aorta,
      { label: null },
    )
    paintTube(
      grid,
      [
        { at: [-18, 16, 118], radius: 5 },
        { at: [side * 46, 32, 112], radius: 4 },
      ],
      vein,
      { label: null },
    )
  }
  paintTube(
    grid,
    [
      { at: [-24, 14, 255], radius: 13 },
      { at: [-24, 16, 200], radius: 13 },
      { at: [-20, 18, 120], radius: 12 },
      { at: [-18, 19, -20], radius: 11.5 },
    ],
    vein,
  )
  const superior: readonly TubePoint[] = [
    { at: [8, 4, 150], radius: 4.5 },
    { at: [4, -14, 120], radius: 4 },
    { at: [6, -22, 60], radius: 3.5 },
  ]
  paintTube(grid, superior, aorta)
  const portal: readonly TubePoint[] = [
    { at: [-8, -24, 60], radius: 5 },
    { at: [-10, -16, 130], radius: 6.5 },
    { at: [-16, -8, 150], radius: 7.5 },
    { at: [-38, -4, 170], radius: 7 },
  ]
  paintTube(grid, portal, vein, { label: null })
  const splenic: readonly TubePoint[] = [
    { at: [-14, -8, 150], radius: 5 },
    { at: [34, 0, 162], radius: 4.5 },
    { at: [72, 24, 176], radius: 4 },
  ]
  paintTube(grid, splenic, vein, { label: null })
}
