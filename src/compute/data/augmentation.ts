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
  /** Rotations, scalings and changes of brightness, contrast and noise. */
  readonly vary: boolean
}

/** From patch to image coordinates, and from image to patch intensities. */
export interface Augmentation {
  readonly matrix: readonly [number, number, number, number]
  readonly gain: number
  readonly offset: number
  readonly noise: number
}

export const IDENTITY: Augmentation = { matrix: [1, 0, 0, 1], gain: 1, offset: 0, noise: 0 }

/** How often the shape of what is seen changes. */
const GEOMETRIC = 0.8
/** Radians to either side; the others are of logarithms of factors, to either side, but for the shear. */
const TURN = 0.3
const SCALE = 0.25
const STRETCH = 0.12
const SHEAR = 0.15

/**
 * Patients differ in size, tilt and build, and scans in brightness, by more than five or ten of them show: on hippocampi half of these ranges
 * gave two hundredths of Dice less on other patients, for a model of five of them, and random exponents (gamma) made nothing better.
 */
export function augmentation({ flips, vary }: AugmentationOptions, random: Random): Augmentation {
  const flipX = flips && random() < 0.5 ? -1 : 1
  const flipY = flips && random() < 0.5 ? -1 : 1
  if (!vary) return { ...IDENTITY, matrix: [flipX, 0, 0, flipY] }
  const [a, b, c, d] = random() < GEOMETRIC ? changeOfShape(random) : IDENTITY.matrix
  return {
    matrix: [a * flipX, b * flipY, c * flipX, d * flipY],
    gain: randomBetween(random, 0.75, 1.25),
    offset: randomBetween(random, -0.1, 0.1),
    noise: random() < 0.5 ? randomBetween(random, 0, 0.04) : 0,
  }
}

/** Stretched along one axis and squeezed along the other, sheared, scaled, turned. */
function changeOfShape(random: Random): Augmentation['matrix'] {
  const angle = randomBetween(random, -TURN, TURN)
  const scale = Math.exp(randomBetween(random, -SCALE, SCALE))
  const stretch = Math.exp(randomBetween(random, -STRETCH, STRETCH))
  const shear = randomBetween(random, -SHEAR, SHEAR)
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
