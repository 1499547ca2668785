import { luminance } from './colour.ts'
import type { ImageVolume } from './types.ts'

export interface IntensityRange {
  /** 0.5th and 99.5th percentile of the scaled intensities; never equal. */
  readonly low: number
  readonly high: number
  /** Smallest and largest scaled intensity. */
  readonly min: number
  readonly max: number
}

/** As many samples give percentiles that are exact enough for a display window, in a fraction of a second. */
const SAMPLES = 2 ** 18

/** Hounsfield units: air is about -1000; what lies below -250 is air, lung and the edges between. */
const AIR = -900
const TISSUE = -250
/** Every CT reaches this: bone, if nothing else. */
const BONE = 200

/**
 * Robust range of an image's scaled intensities (brightness, where it is in colour). Voxels that are not finite are left
 * out; a large image is sampled evenly for the percentiles, never for the extremes. [0, 1] where nothing is finite.
 * Where the values reach from air to bone in Hounsfield units, the percentiles are taken of tissue alone: air fills
 * much of a CT and would leave the organs a tenth of the window.
 */
export function robustRange(volume: Pick<ImageVolume, 'data' | 'channels' | 'slope' | 'inter'>): IntensityRange {
  const { slope, inter } = volume
  const values = volume.channels === 3 && volume.data instanceof Uint8Array ? luminance(volume.data) : volume.data
  let min = Infinity
  let max = -Infinity
  for (const value of values) {
    if (value < min && value > -Infinity) min = value
    if (value > max && value < Infinity) max = value
  }
  if (min === Infinity || max === -Infinity) return { low: 0, high: 1, min: 0, max: 1 }
  const [lowest, highest] = slope < 0 ? [max, min] : [min, max]
  const hounsfield = lowest * slope + inter <= AIR && highest * slope + inter >= BONE
  const tissue = hounsfield ? sample(values, (value) => value * slope + inter > TISSUE) : null
  const sorted = tissue !== null && tissue.length > 0 ? tissue : sample(values)
  let low = percentile(sorted, 0.005)
  let high = percentile(sorted, 0.995)
  // Nearly everything has one value: the extremes say more, and a constant image gets a window around it.
  if (low === high) [low, high] = [min, max]
  const scaled = [low, high, min, max].map((value) => value * slope + inter)
  const [a = 0, b = 0, c = 0, d = 0] = scaled
  const range = { low: Math.min(a, b), high: Math.max(a, b), min: Math.min(c, d), max: Math.max(c, d) }
  if (range.low !== range.high) return range
  const margin = Math.max(0.5, Math.abs(range.low) * 1e-6)
  return { ...range, low: range.low - margin, high: range.high + margin }
}

/** Finite values at even distances, ascending. An odd step does not keep in time with rows of even length. */
function sample(values: ArrayLike<number>, keep = (_value: number): boolean => true): Float64Array {
  const step = values.length <= SAMPLES ? 1 : Math.ceil(values.length / SAMPLES) | 1
  const picked = new Float64Array(Math.ceil(values.length / step))
  let count = 0
  for (let i = 0; i < values.length; i += step) {
    const value = values[i] ?? 0
    if (Number.isFinite(value) && keep(value)) picked[count++] = value
  }
  return picked.subarray(0, count).sort()
}

/** Linear between neighbours, as numpy's default. */
function percentile(sorted: Float64Array, fraction: number): number {
  const position = fraction * (sorted.length - 1)
  const below = sorted[Math.floor(position)] ?? 0
  const above = sorted[Math.ceil(position)] ?? below
  return below + (above - below) * (position - Math.floor(position))
}
