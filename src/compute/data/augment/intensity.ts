import { mirrorIndex } from '../padding.ts'
import { randomBetween } from '../random.ts'
import { jitterStains } from './stain.ts'
import type { AugmentationSettings } from '../../../core/contract/recipes.ts'
import type { Random } from '../random.ts'
import type { UnitScale } from './stain.ts'

/**
 * Changes the intensities of a patch (channels x height x width) in place: stains or colour channels, turned round, blur, scale and offset,
 * gamma between the patch's extremes, noise. Each in an amount that is drawn evenly.
 */
export function changeIntensities(
  image: Float32Array,
  { width, height, channels }: { readonly width: number; readonly height: number; readonly channels: number },
  settings: AugmentationSettings,
  unit: UnitScale | null,
  random: Random,
): void {
  const { scale, offset, gamma, noise, blur, stain, invert } = settings
  if (stain > 0 && channels === 3) jitterStains(image, stain, unit, random)
  if (invert > 0 && random() < invert) turnRound(image)
  if (blur > 0) {
    const sigma = randomBetween(random, 0, blur)
    for (let c = 0; c < channels; c++) {
      gaussian(image.subarray(c * width * height, (c + 1) * width * height), width, height, sigma)
    }
  }
  const gain = randomBetween(random, scale[0], scale[1])
  const lift = randomBetween(random, -offset, offset)
  if (gain !== 1 || lift !== 0) for (let i = 0; i < image.length; i++) image[i] = (image[i] ?? 0) * gain + lift
  const exponent = randomBetween(random, gamma[0], gamma[1])
  if (exponent !== 1) applyGamma(image, exponent)
  if (noise > 0) {
    const deviation = randomBetween(random, 0, noise)
    for (let i = 0; i < image.length; i++) image[i] = (image[i] ?? 0) + deviation * normal(random)
  }
}

/** Bright becomes dark; the extremes change places. */
function turnRound(image: Float32Array): void {
  const { low, high } = extremesOf(image)
  for (let i = 0; i < image.length; i++) image[i] = low + (high - (image[i] ?? 0))
}

function extremesOf(image: Float32Array): { low: number; high: number } {
  let low = Infinity
  let high = -Infinity
  for (const value of image) {
    if (value < low) low = value
    if (value > high) high = value
  }
  return { low, high }
}

/** The extremes stay where they are. */
function applyGamma(image: Float32Array, exponent: number): void {
  const { low, high } = extremesOf(image)
  const range = high - low
  if (!(range > 0)) return
  for (let i = 0; i < image.length; i++) image[i] = low + range * (((image[i] ?? 0) - low) / range) ** exponent
}

/** Blurs one plane in place. Less than a fifth of a pixel does nothing. */
export function gaussian(plane: Float32Array, width: number, height: number, sigma: number): void {
  if (sigma < 0.2) return
  const radius = Math.ceil(3 * sigma)
  const kernel = Float64Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-((i - radius) ** 2) / (2 * sigma ** 2)),
  )
  const total = kernel.reduce((sum, value) => sum + value, 0)
  const between = new Float32Array(plane.length)
  convolve(plane, between, kernel, total, { length: width, stride: 1, lines: height, line: width })
  convolve(between, plane, kernel, total, { length: height, stride: width, lines: width, line: 1 })
}

function convolve(
  from: Float32Array,
  to: Float32Array,
  kernel: Float64Array,
  total: number,
  axis: { readonly length: number; readonly stride: number; readonly lines: number; readonly line: number },
): void {
  const radius = (kernel.length - 1) / 2
  const { length, stride, lines, line } = axis
  for (let n = 0; n < lines; n++) {
    for (let i = 0; i < length; i++) {
      let sum = 0
      const inside = i >= radius && i < length - radius
      for (let k = -radius; k <= radius; k++) {
        const at = inside ? i + k : mirrorIndex(i + k, length)
        sum += (kernel[k + radius] ?? 0) * (from[n * line + at * stride] ?? 0)
      }
      to[n * line + i * stride] = sum / total
    }
  }
}

/** Quantiles of the normal distribution: a draw is a look-up, which a picture's worth of noise needs. */
const QUANTILES = 4096
let quantiles: Float32Array | null = null

function normal(random: Random): number {
  quantiles ??= Float32Array.from({ length: QUANTILES }, (_, i) => quantile((i + 0.5) / QUANTILES))
  return quantiles[Math.floor(random() * QUANTILES)] ?? 0
}

/** By bisection of the distribution function, itself by the series of the error function. */
function quantile(share: number): number {
  let [low, high] = [-6, 6]
  for (let n = 0; n < 40; n++) {
    const middle = (low + high) / 2
    if (distribution(middle) < share) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** Phi(x) = 1/2 + phi(x) (x + x^3 / 3 + x^5 / (3 5) + …) */
function distribution(x: number): number {
  let term = x
  let sum = x
  for (let n = 3; n < 200; n += 2) {
    term *= (x * x) / n
    sum += term
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI)
}
