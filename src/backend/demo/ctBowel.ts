import type { Vec3 } from '../../core/contract/index.ts'
import { FAT, type CtGrid } from './ctGrid.ts'
import { paintTube, type TubePoint } from './ctTubes.ts'
import type { Random } from './random.ts'

const GAS = -920

/** Colon around the cavity, loops of small bowel and mesenteric vessels in its lower half. Painted before the organs. */
export function paintBowel(grid: CtGrid, wall: number, random: Random): void {
  const lift = random.range(-12, 12)
  const ascending: TubePoint[] = [
    { at: [-92, 10, -20], radius: 25 },
    { at: [-98, 8, 40], radius: 22 },
    { at: [-92, -4, 86 + lift], radius: 21 },
    { at: [-60, -52, 92 + lift], radius: 18 },
    { at: [0, -70, 78 + lift], radius: 17 },
    { at: [58, -62, 100 + lift], radius: 18 },
    { at: [98, -22, 140], radius: 17 },
    { at: [108, 16, 130], radius: 16 },
    { at: [108, 26, 70], radius: 15 },
    { at: [102, 22, -20], radius: 14 },
  ]
  loops(grid, ascending, wall, random.range(-2, 9), 'stool')
  for (let loop = 0; loop < 24; loop++) {
    const points: TubePoint[] = []
    let at: Vec3 = [random.range(-62, 66), random.range(-62, 8), random.range(-12, 104)]
    const radius = random.range(9, 14)
    let heading = random.range(0, 2 * Math.PI)
    for (let step = 0; step < random.int(4, 7); step++) {
      points.push({ at, radius: radius * random.range(0.85, 1.1) })
      heading += random.range(-1.1, 1.1)
      at = [
        clamp(at[0] + 22 * Math.cos(heading), -72, 74),
        clamp(at[1] + 20 * Math.sin(heading), -74, 14),
        at[2] + random.range(-9, 9),
      ]
    }
    const gas = random.chance(0.3) ? random.range(-4, 6) : Number.POSITIVE_INFINITY
    loops(grid, points, wall, gas, random.chance(0.35) ? 'contrast' : 'fluid')
  }
  for (let vessel = 0; vessel < 26; vessel++) {
    const root: Vec3 = [random.range(-10, 12), random.range(-20, 0), random.range(20, 110)]
    const tip: Vec3 = [random.range(-64, 70), random.range(-58, 6), root[2] + random.range(-40, 10)]
    const points = [
      { at: root, radius: 2.4 },
      { at: tip, radius: 1.5 },
    ]
    paintTube(grid, points, () => 120, { label: null })
  }
}

/**
 * One piece of bowel. `gasAbove`: gas fills what lies more than this many mm in front of the tube's middle height
 * (negative v is anterior, where gas collects when the patient lies on the back).
 */
function loops(
  grid: CtGrid,
  points: readonly TubePoint[],
  wall: number,
  gasAbove: number,
  contents: 'stool' | 'fluid' | 'contrast',
): void {
  const { texture, surface } = grid
  for (let k = 0; k + 1 < points.length; k++) {
    const a = points[k]
    const b = points[k + 1]
    if (a === undefined || b === undefined) continue
    const middle = (a.at[1] + b.at[1]) / 2
    paintTube(
      grid,
      [a, b],
      (i, d, _u, v) => {
        const fold = 1.2 * (surface[i] ?? 0)
        if (d > -2.6 + fold) return d > 1 ? FAT : wall
        if (middle - v > gasAbove + 4 * (surface[i] ?? 0)) return GAS
        const tone = texture[i] ?? 0
        if (contents === 'stool') return tone > 0.9 ? -420 : 12 + 42 * tone
        return contents === 'contrast' ? 205 + 22 * tone : 24 + 10 * tone
      },
      { halo: 1.2 },
    )
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value))
}
