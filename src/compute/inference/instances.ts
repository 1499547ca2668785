import {
  componentSizes,
  connectedComponents,
  distanceTransform,
  fillHoles,
  hillTops,
  smoothed,
  watershed,
} from '../../core/voxels/index.ts'
import { channelValues } from './meaning.ts'
import type { Dims, Vec3 } from '../../core/contract/schemas.ts'
import type { InstanceSettings } from '../../core/contract/recipes.ts'
import type { OutputMeaning } from './meaning.ts'

export interface ObjectsAsked {
  /** Class by class the probabilities of an image; after them, with a border class, those of the inside of objects alone. */
  readonly sums: Float32Array
  readonly dims: Dims
  /** mm, where it is known. */
  readonly spacing: Vec3 | null
  readonly meaning: OutputMeaning
  readonly settings: InstanceSettings
}

/** A pass between two hills of distances that is not lower by so many pixels is a matter of pixels. */
const LEAST_DEPTH = 0.5

/**
 * Tells the objects of one label apart: where its probability is above the threshold there are objects, and a watershed
 * divides what touches.
 * - `distance`: floods the distance to the background, smoothed, from its hills (hillTops, where `seed` is the pass).
 * - `border`: floods the probability of an inside, smoothed, from the parts where it is above `seed`. What has no such part
 *   is an object of its own.
 * Numbers from 1 on, in the order of the objects' first voxels; those of fewer voxels than `smallest` are left out.
 */
export function objectsOf({ sums, dims, spacing, meaning, settings }: ObjectsAsked): Uint32Array<ArrayBuffer> {
  const voxels = dims[0] * dims[1] * dims[2]
  const values = channelValues(meaning)
  const channel = values.indexOf(settings.label)
  const plane = (at: number): Float32Array => sums.subarray(at * voxels, (at + 1) * voxels)
  if (channel < 0) return new Uint32Array(voxels)
  const whole = plane(channel)
  const mask = Uint8Array.from(whole, (p) => (p > settings.threshold ? 1 : 0))
  if (meaning.inference.fillHoles) fillHoles(mask, dims)
  const bordered = meaning.border && settings.kind === 'border' && channel === 1
  const ids = bordered
    ? byInside(plane(values.length), mask, dims, settings)
    : byDistance(mask, dims, spacing, settings)
  return numbered(ids, settings.smallest)
}

function byInside(inside: Float32Array, mask: Uint8Array, dims: Dims, settings: InstanceSettings): Uint32Array {
  const sure = Uint8Array.from(mask, (set, i) => (set === 1 && (inside[i] ?? 0) > settings.seed ? 1 : 0))
  const seeds = connectedComponents(sure, dims, 6)
  const sizes = componentSizes(seeds)
  const markers = seeds.ids.map((id) => ((sizes[id] ?? 0) >= settings.smallestSeed ? id : 0))
  const ids = watershed(negative(smoothed(inside, dims, settings.smooth)), markers, mask, dims)
  const left = Uint8Array.from(mask, (set, i) => (set === 1 && ids[i] === 0 ? 1 : 0))
  const others = connectedComponents(left, dims, 6)
  return ids.map((id, i) => (id !== 0 || left[i] === 0 ? id : seeds.count + (others.ids[i] ?? 0)))
}

function byDistance(mask: Uint8Array, dims: Dims, spacing: Vec3 | null, settings: InstanceSettings): Uint32Array {
  // In units of the finest axis, so that settings mean pixels.
  const finest = spacing === null ? 1 : Math.min(...spacing.filter((_, axis) => (dims[axis] ?? 1) > 1))
  const distances = distanceTransform(mask, dims, spacing === null ? [] : spacing.map((each) => each / finest))
  // Where everything is object there is no background to be away from.
  const height = Float32Array.from(distances, (value) => (Number.isFinite(value) ? value : 1))
  const flooded = smoothed(height, dims, settings.smooth).map((value, i) => (mask[i] === 1 ? Math.max(value, 1e-6) : 0))
  const { markers } = hillTops(flooded, dims, {
    pass: settings.seed,
    depth: LEAST_DEPTH,
    smallest: settings.smallestSeed,
  })
  return watershed(negative(flooded), markers, mask, dims, 'all')
}

function negative(values: Float32Array): Float32Array {
  return values.map((value) => -value)
}

function numbered(ids: Uint32Array, smallest: number): Uint32Array<ArrayBuffer> {
  const most = ids.reduce((top, id) => Math.max(top, id), 0)
  const sizes = new Float64Array(most + 1)
  for (const id of ids) sizes[id] = (sizes[id] ?? 0) + 1
  const numbers = new Uint32Array(most + 1)
  const out = new Uint32Array(ids.length)
  let count = 0
  ids.forEach((id, i) => {
    if (id === 0 || (sizes[id] ?? 0) < smallest) return
    if (numbers[id] === 0) numbers[id] = ++count
    out[i] = numbers[id] ?? 0
  })
  return out
}
