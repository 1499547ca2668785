import { describingPass } from '../inference/forwardPass.ts'
import { channelValues, labelsOf, outputMeaning } from '../inference/meaning.ts'
import { doubtOf, eachByCard, tidied } from '../inference/predict.ts'
import type { ComputeSlice } from '../../core/contract/compute.ts'
import type { Size } from '../data/resize.ts'
import type { OutputMeaning } from '../inference/meaning.ts'
import type { RunOptions } from '../inference/network.ts'
import type { AnyModel } from '../models/cache.ts'

export interface ExaminedSlice {
  readonly index: number
  /** As predicted: height x width label values, x fastest. */
  readonly labels: Uint8Array<ArrayBuffer>
  /** 0 sure to 255 all classes equally likely. */
  readonly entropy: Uint8Array<ArrayBuffer>
  /** Mean entropy of its pixels, 0 to 1. */
  readonly score: number
  /** Share of its pixels whose label changes with the look of the picture, 0 to 1; null where it was not asked for. */
  readonly disagreement: number | null
  /** What the deepest layer says of the slice, of length 1; of networks from elsewhere what their classes say. */
  readonly features: Float32Array<ArrayBuffer>
}

interface ExamineOptions extends Omit<RunOptions, 'overlap' | 'pass'> {
  readonly disagreement?: boolean
}

/** How a slice is shown once more: moved by so many pixels both ways, and lighter (below 1) or darker. */
interface Look {
  readonly by: number
  readonly gamma: number
}

/**
 * Small changes that mean nothing to a person. Mirrored pictures are none: a network that has learned where left is takes them
 * for something else altogether (on hippocampi it then disagrees with itself on nine tenths of what it finds).
 */
const LOOKS: readonly Look[] = [
  { by: 3, gamma: 0.75 },
  { by: -3, gamma: 1.33 },
]

/**
 * How unsure a model is of slices, and how it sees them, in the order given. Disagreement takes two more predictions of each
 * slice. Throws as runNetwork does; nothing is given then.
 */
export async function examineSlices(
  model: AnyModel,
  slices: readonly ComputeSlice[],
  { disagreement = false, onProgress, ...options }: ExamineOptions = {},
): Promise<ExaminedSlice[]> {
  const meaning = outputMeaning(model)
  const rounds = disagreement ? 1 + LOOKS.length : 1
  const round = (at: number): RunOptions => ({ ...options, onProgress: (done) => onProgress?.((at + done) / rounds) })
  const plain: Uint8Array[] = []
  const examined: ExaminedSlice[] = []
  await eachByCard(model, slices, { ...round(0), pass: describingPass }, (slice, { folded, features }) => {
    const entropy = doubtOf(slice, folded, meaning)
    if (disagreement) plain.push(labelsOf(folded, entropy.length, meaning))
    examined.push({
      index: slice.index,
      labels: tidied(slice, folded, meaning),
      entropy,
      score: entropy.reduce((sum, value) => sum + value, 0) / (255 * Math.max(1, entropy.length)),
      disagreement: null,
      features: unitLength(features ?? classFeatures(folded, slice, meaning)),
    })
  })
  if (!disagreement) return examined
  const changed = new Float64Array(slices.length)
  for (const [at, { by, gamma }] of LOOKS.entries()) {
    const moved = slices.map((slice) => movedSlice(slice, by))
    const change = (image: Float32Array): Float32Array => lightened(image, gamma)
    await eachByCard(model, moved, { ...round(1 + at), change }, (slice, { folded }, i) => {
      const labels = labelsOf(folded, slice.width * slice.height, meaning)
      changed[i] = (changed[i] ?? 0) + changedShare(plain[i] ?? labels, labels, slice, by) / LOOKS.length
    })
  }
  return examined.map((each, i) => ({ ...each, disagreement: changed[i] ?? 0 }))
}

/** The slice moved to the right and down, or to the left and up; its edges are repeated where nothing is known. */
function movedSlice(slice: ComputeSlice, by: number): ComputeSlice {
  const { width, height, data } = slice
  const bytes = data.length / (width * height)
  const moved = new Uint8Array(data.length)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = within(y - by, height) * width + within(x - by, width)
      moved.set(data.subarray(from * bytes, (from + 1) * bytes), (y * width + x) * bytes)
    }
  }
  return { ...slice, data: moved }
}

function within(at: number, extent: number): number {
  return Math.min(extent - 1, Math.max(0, at))
}

/** Values between the least and the largest by a power of their share of the way; the two stay. */
function lightened(image: Float32Array, gamma: number): Float32Array {
  const low = image.reduce((least, value) => Math.min(least, value), Infinity)
  const extent = image.reduce((most, value) => Math.max(most, value), -Infinity) - low
  return extent > 0 ? image.map((value) => low + extent * ((value - low) / extent) ** gamma) : image
}

/** Of the pixels that are in both pictures, those that have another label. */
function changedShare(plain: Uint8Array, moved: Uint8Array, { width, height }: Size, by: number): number {
  let different = 0
  let shared = 0
  for (let y = Math.max(0, by); y < height + Math.min(0, by); y++) {
    for (let x = Math.max(0, by); x < width + Math.min(0, by); x++) {
      if (moved[y * width + x] !== plain[(y - by) * width + x - by]) different++
      shared++
    }
  }
  return different / Math.max(1, shared)
}

/** Rows and columns of the grid that networks without features are described by. */
const GRID = 4

/**
 * What can be said of a slice by a network that is run from elsewhere: each class's mean probability in each field of a grid.
 */
function classFeatures(
  folded: Float32Array,
  { width, height }: Size,
  meaning: OutputMeaning,
): Float32Array<ArrayBuffer> {
  const channels = channelValues(meaning).length
  const features = new Float32Array(channels * GRID * GRID)
  const counts = new Float32Array(GRID * GRID)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const field = Math.floor((y * GRID) / height) * GRID + Math.floor((x * GRID) / width)
      counts[field] = (counts[field] ?? 0) + 1
      for (let c = 0; c < channels; c++) {
        const to = c * GRID * GRID + field
        features[to] = (features[to] ?? 0) + (folded[c * width * height + y * width + x] ?? 0)
      }
    }
  }
  return features.map((sum, at) => sum / Math.max(1, counts[at % (GRID * GRID)] ?? 1))
}

/** All zeros stay so. */
function unitLength(features: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const length = Math.sqrt(features.reduce((sum, value) => sum + value * value, 0))
  return length > 0 && Number.isFinite(length)
    ? features.map((value) => value / length)
    : new Float32Array(features.length)
}
