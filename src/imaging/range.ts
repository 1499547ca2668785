import { luminance } from './colour.ts'
import type { ImageVolume, VoxelArray } from './types.ts'
import type { StoreOptions } from './voxels/index.ts'

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
 * Robust range of scaled intensities (brightness, where they are in colour). Voxels that are not finite are left
 * out; a large image is sampled evenly for the percentiles, never for the extremes. [0, 1] where nothing is finite.
 * Where the values reach from air to bone in Hounsfield units, the percentiles are taken of tissue alone: air fills
 * much of a CT and would leave the organs a tenth of the window.
 */
export function robustRange(image: {
  readonly data: VoxelArray
  readonly channels: 1 | 3
  readonly slope: number
  readonly inter: number
}): IntensityRange {
  const gathered = new Gathering(image, image.data.length / image.channels)
  gathered.add(image.data)
  return gathered.range()
}

/** `robustRange` of all the voxels of an image, read once. Throws what its voxels throw. */
export async function rangeOf(volume: ImageVolume, options: StoreOptions = {}): Promise<IntensityRange> {
  const [nx, ny, nz] = volume.dims
  const gathered = new Gathering(volume, nx * ny * nz)
  for await (const piece of volume.voxels.pieces(options)) gathered.add(piece)
  return gathered.range()
}

type Scaling = Pick<ImageVolume, 'channels' | 'slope' | 'inter'>

/** Takes voxels in file order and keeps the extremes and evenly spread samples. */
class Gathering {
  readonly #scaling: Scaling
  /** An odd step does not keep in time with rows of even length. */
  readonly #step: number
  readonly #samples: Float64Array
  #count = 0
  /** Of the next sample, counted from the start of the next piece. */
  #next = 0
  #min = Infinity
  #max = -Infinity

  constructor(scaling: Scaling, voxels: number) {
    this.#scaling = scaling
    this.#step = voxels <= SAMPLES ? 1 : Math.ceil(voxels / SAMPLES) | 1
    this.#samples = new Float64Array(Math.ceil(voxels / this.#step))
  }

  add(piece: VoxelArray): void {
    const values = this.#scaling.channels === 3 && piece instanceof Uint8Array ? luminance(piece) : piece
    const [min, max] = extremes(values)
    this.#min = Math.min(this.#min, min)
    this.#max = Math.max(this.#max, max)
    let at = this.#next
    for (; at < values.length; at += this.#step) {
      const value = values[at] ?? 0
      if (Number.isFinite(value)) this.#samples[this.#count++] = value
    }
    this.#next = at - values.length
  }

  range(): IntensityRange {
    const { slope, inter } = this.#scaling
    const [min, max] = [this.#min, this.#max]
    if (min === Infinity || max === -Infinity) return { low: 0, high: 1, min: 0, max: 1 }
    const [lowest, highest] = slope < 0 ? [max, min] : [min, max]
    const hounsfield = lowest * slope + inter <= AIR && highest * slope + inter >= BONE
    const all = this.#samples.subarray(0, this.#count)
    const tissue = hounsfield ? all.filter((value) => value * slope + inter > TISSUE) : all
    const sorted = (tissue.length > 0 ? tissue : all).sort()
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
}

/** The smallest and the largest finite value; [Infinity, -Infinity] where there is none. */
function extremes(values: VoxelArray): [number, number] {
  let min = Infinity
  let max = -Infinity
  // eslint-disable-next-line @typescript-eslint/prefer-for-of -- iterators take five times as long, and there can be billions
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0
    if (value < min && value > -Infinity) min = value
    if (value > max && value < Infinity) max = value
  }
  return [min, max]
}

/** Linear between neighbours, as numpy's default. */
function percentile(sorted: Float64Array, fraction: number): number {
  const position = fraction * (sorted.length - 1)
  const below = sorted[Math.floor(position)] ?? 0
  const above = sorted[Math.ceil(position)] ?? below
  return below + (above - below) * (position - Math.floor(position))
}
