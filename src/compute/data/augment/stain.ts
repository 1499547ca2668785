import { randomBetween } from '../random.ts'
import type { NetworkInput } from '../../../core/contract/network.ts'
import type { Random } from '../random.ts'

/** From prepared values of each channel to light between 0 and 1: value x gain + offset. */
export interface UnitScale {
  readonly gain: readonly number[]
  readonly offset: readonly number[]
}

/** The largest sample of colour pictures. */
const WHITE = 255

/** null where a prepared picture does not tell how bright it was. */
export function unitScale({ normalization, standardize }: NetworkInput): UnitScale | null {
  if (normalization.kind === 'zscore') return null
  const range = normalization.kind === 'none' ? WHITE : 1
  const of = (values: readonly number[] | undefined, c: number, other: number): number =>
    values?.[c] ?? values?.[0] ?? other
  return {
    gain: [0, 1, 2].map((c) => of(standardize?.deviation, c, 1) / range),
    offset: [0, 1, 2].map((c) => of(standardize?.mean, c, 0) / range),
  }
}

/** Optical densities of haematoxylin, eosin and a residual in red, green and blue (Ruifrok and Johnston 2001). */
const STAINS = [
  [0.65, 0.7, 0.29],
  [0.07, 0.99, 0.11],
  [0.27, 0.57, 0.78],
] as const

const UNMIXED = inverse(STAINS)

function inverse(m: readonly (readonly [number, number, number])[]): readonly (readonly number[])[] {
  const at = (r: number, c: number): number => m[r % 3]?.[c % 3] ?? 0
  const minor = (r: number, c: number): number =>
    at(r + 1, c + 1) * at(r + 2, c + 2) - at(r + 1, c + 2) * at(r + 2, c + 1)
  const det = [0, 1, 2].reduce((sum, c) => sum + at(0, c) * minor(0, c), 0)
  return [0, 1, 2].map((r) => [0, 1, 2].map((c) => minor(c, r) / det))
}

/** Darker light than this does not tell stains apart. */
const DARKEST = 1 / WHITE
/** Shifts are so much smaller than scalings: density of a background that no stain explains. */
const SHIFT = 0.25

/**
 * Scales the amount of each stain in an RGB patch (3 x height x width, prepared) by 1 +- `amount` and shifts its optical density (base
 * e) by +- amount / 4, in place. Where light cannot be told from prepared values, each colour channel is scaled and shifted by itself.
 * A picture without colour stays without.
 */
export function jitterStains(image: Float32Array, amount: number, unit: UnitScale | null, random: Random): void {
  const scale = [0, 1, 2].map(() => randomBetween(random, 1 - amount, 1 + amount))
  const shift = [0, 1, 2].map(() => randomBetween(random, -amount, amount))
  const pixels = image.length / 3
  if (isGrey(image, pixels, unit)) return
  if (unit === null) {
    for (let c = 0; c < 3; c++) {
      for (let i = c * pixels; i < (c + 1) * pixels; i++) image[i] = (image[i] ?? 0) * (scale[c] ?? 1) + (shift[c] ?? 0)
    }
    return
  }
  // Unmix, scale, mix: one matrix for optical densities, and a constant.
  const matrix = [0, 1, 2].map((from) =>
    [0, 1, 2].map((to) =>
      [0, 1, 2].reduce((sum, s) => sum + (UNMIXED[from]?.[s] ?? 0) * (scale[s] ?? 1) * (STAINS[s]?.[to] ?? 0), 0),
    ),
  )
  const constant = [0, 1, 2].map((to) =>
    [0, 1, 2].reduce((sum, s) => sum + SHIFT * (shift[s] ?? 0) * (STAINS[s]?.[to] ?? 0), 0),
  )
  const density = [0, 0, 0]
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++) {
      const light = (image[c * pixels + i] ?? 0) * (unit.gain[c] ?? 1) + (unit.offset[c] ?? 0)
      density[c] = -Math.log(Math.max(light, DARKEST))
    }
    for (let c = 0; c < 3; c++) {
      const [a, b, d] = [matrix[0]?.[c] ?? 0, matrix[1]?.[c] ?? 0, matrix[2]?.[c] ?? 0]
      const changed = a * (density[0] ?? 0) + b * (density[1] ?? 0) + d * (density[2] ?? 0) + (constant[c] ?? 0)
      image[c * pixels + i] = (Math.min(1, Math.exp(-changed)) - (unit.offset[c] ?? 0)) / (unit.gain[c] ?? 1)
    }
  }
}

function isGrey(image: Float32Array, pixels: number, unit: UnitScale | null): boolean {
  const light = (c: number, i: number): number =>
    (image[c * pixels + i] ?? 0) * (unit?.gain[c] ?? 1) + (unit?.offset[c] ?? 0)
  for (let i = 0; i < pixels; i++) {
    const red = light(0, i)
    if (Math.abs(red - light(1, i)) > 2e-3 || Math.abs(red - light(2, i)) > 2e-3) return false
  }
  return true
}
