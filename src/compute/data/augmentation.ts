import { mirrorIndex } from './padding.ts'
import { randomBetween } from './random.ts'
import type { Random } from './random.ts'
import type { TrainingImage } from './trainingImage.ts'

export interface AugmentationOptions {
  /**
   * Mirror patches at random. Off unless asked for: in the body, left and right differ, and a network that is shown
   * mirrored patients no longer tells a liver from a spleen by its side.
   */
  readonly flips: boolean
  /**
   * Changes of shape, brightness, contrast and noise: null for none, 0 for slight ones, 1 for such as patients and scans differ by.
   */
  readonly vary: number | null
}

/** From patch to image coordinates, and from image to patch intensities. */
export interface Augmentation {
  readonly matrix: readonly [number, number, number, number]
  readonly gain: number
  readonly offset: number
  readonly noise: number
}

export const IDENTITY: Augmentation = { matrix: [1, 0, 0, 1], gain: 1, offset: 0, noise: 0 }

/**
 * What may be changed, slightly and by as much as patients and scans differ. All but the share are to either side: radians, logarithms
 * of factors, the shear as a tangent, and of the intensities, of which the window is 1, a factor and a shift.
 */
const RANGES = {
  /** Share of the patches whose shape changes. */
  geometric: [0.5, 0.8],
  turn: [0.2, 0.3],
  scale: [0.13, 0.25],
  stretch: [0, 0.12],
  shear: [0, 0.15],
  gain: [0.1, 0.25],
  offset: [0.05, 0.1],
} as const

/** So many slices show enough that they may be changed by as much as patients differ. */
const MANY_SLICES = 100

/**
 * How widely patches of so many slices vary, corrected and replayed: a few are to be learned as they are within seconds, of many what
 * they have in common counts.
 * Three corrected slices of an abdomen and 60 steps brought its spleen to 0.91 of Dice with slight changes and to 0.87 with wide ones;
 * hippocampi of five patients (175 slices, 1,000 steps) brought those of others to 0.78 with slight changes and to 0.80 with wide ones.
 */
export function varietyFor(slices: number): number {
  return Math.min(1, slices / MANY_SLICES)
}

export function augmentation({ flips, vary }: AugmentationOptions, random: Random): Augmentation {
  const flipX = flips && random() < 0.5 ? -1 : 1
  const flipY = flips && random() < 0.5 ? -1 : 1
  if (vary === null) return { ...IDENTITY, matrix: [flipX, 0, 0, flipY] }
  const reach = (name: keyof typeof RANGES): number => RANGES[name][0] + vary * (RANGES[name][1] - RANGES[name][0])
  const within = (name: keyof typeof RANGES): number => randomBetween(random, -reach(name), reach(name))
  const [a, b, c, d] = random() < reach('geometric') ? changeOfShape(within) : IDENTITY.matrix
  return {
    matrix: [a * flipX, b * flipY, c * flipX, d * flipY],
    gain: 1 + within('gain'),
    offset: within('offset'),
    noise: random() < 0.5 ? randomBetween(random, 0, 0.04) : 0,
  }
}

/** Stretched along one axis and squeezed along the other, sheared, scaled, turned. */
function changeOfShape(within: (name: 'turn' | 'scale' | 'stretch' | 'shear') => number): Augmentation['matrix'] {
  const angle = within('turn')
  const scale = Math.exp(within('scale'))
  const stretch = Math.exp(within('stretch'))
  const shear = within('shear')
  const cos = Math.cos(angle) * scale
  const sin = Math.sin(angle) * scale
  return [cos * stretch, shear * cos - sin / stretch, sin * stretch, shear * sin + cos / stretch]
}

export interface PatchPlace {
  readonly centerX: number
  readonly centerY: number
  /** Width and height in pixels. */
  readonly size: number
}

/**
 * Copies one patch into the buffers from `offset` on: intensities by bilinear, classes by nearest interpolation; beyond
 * its border the image continues as its mirror image. Intensities stay in [0, 1].
 */
export function copyAugmented(
  { image, classes, width, height }: TrainingImage,
  { centerX, centerY, size }: PatchPlace,
  { matrix, gain, offset: lift, noise }: Augmentation,
  random: Random,
  outImage: Float32Array,
  outClasses: Uint8Array,
  offset: number,
): void {
  const [a, b, c, d] = matrix
  const half = (size - 1) / 2
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const u = centerX + a * (x - half) + b * (y - half)
      const v = centerY + c * (x - half) + d * (y - half)
      const x0 = Math.floor(u)
      const y0 = Math.floor(v)
      const fx = u - x0
      const fy = v - y0
      const left = mirrorIndex(x0, width)
      const right = mirrorIndex(x0 + 1, width)
      const upper = mirrorIndex(y0, height) * width
      const lower = mirrorIndex(y0 + 1, height) * width
      const above = (image[upper + left] ?? 0) * (1 - fx) + (image[upper + right] ?? 0) * fx
      const below = (image[lower + left] ?? 0) * (1 - fx) + (image[lower + right] ?? 0) * fx
      // The sum of two uniform numbers: near enough to normal noise, and much cheaper.
      const speckle = noise === 0 ? 0 : noise * (random() + random() - 1)
      const value = (above * (1 - fy) + below * fy) * gain + lift + speckle
      const to = offset + y * size + x
      outImage[to] = value > 0 ? Math.min(value, 1) : 0
      outClasses[to] = classes[(fy < 0.5 ? upper : lower) + (fx < 0.5 ? left : right)] ?? 0
    }
  }
}
