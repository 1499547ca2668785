import { distanceTransform, fillHoles, hillTops, smoothed, watershed } from '../../core/voxels/index.ts'
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

/** A pass between two hills that is not lower by so many pixels of distance is a matter of pixels. */
const LEAST_DEPTH = 0.25

/**
 * Tells the objects of one label apart: where its probability is above the threshold there are objects, and a watershed
 * divides what touches. It floods the distance to the background, smoothed, from its hills: two are two objects where the pass
 * between them is lower than the share `seed` of the lower one (hillTops). `border`: the distance times the probability of an
 * inside, so that a border between two objects is a pass even where together they are as thick as one.
 * Numbers from 1 on, in the order of the objects' first voxels; those of fewer voxels than `smallest` are left out.
 */
export function objectsOf({ sums, dims, spacing, meaning, settings }: ObjectsAsked): Uint32Array<ArrayBuffer> {
  const voxels = dims[0] * dims[1] * dims[2]
  const values = channelValues(meaning)
  const channel = values.indexOf(settings.label)
  const plane = (at: number): Float32Array => sums.subarray(at * voxels, (at + 1) * voxels)
  if (channel < 0) return new Uint32Array(voxels)
  const mask = Uint8Array.from(plane(channel), (p) => (p > settings.threshold ? 1 : 0))
  if (meaning.inference.fillHoles) fillHoles(mask, dims)
  const bordered = meaning.border && settings.kind === 'border' && channel === 1
  const height = distances(mask, dims, spacing)
  if (bordered) {
    const inside = plane(values.length)
    height.forEach((value, i) => (height[i] = value * (inside[i] ?? 0)))
  }
  // All of the mask is part of some hill, be it ever so low.
  const landscape = smoothed(height, dims, settings.smooth).map((value, i) =>
    mask[i] === 1 ? Math.max(value, 1e-6) : 0,
  )
  const rules = { pass: settings.seed, depth: LEAST_DEPTH, smallest: settings.smallestSeed }
  const { markers } = hillTops(landscape, dims, rules)
  const flooded = watershed(
    landscape.map((value) => -value),
    markers,
    mask,
    dims,
    'all',
  )
  return numbered(flooded, settings.smallest)
}

/** In units of the finest axis, so that settings mean pixels. */
function distances(mask: Uint8Array, dims: Dims, spacing: Vec3 | null): Float32Array<ArrayBuffer> {
  const finest = spacing === null ? 1 : Math.min(...spacing.filter((_, axis) => (dims[axis] ?? 1) > 1))
  const found = distanceTransform(mask, dims, spacing === null ? [] : spacing.map((each) => each / finest))
  // Where everything is object there is no background to be away from.
  return Float32Array.from(found, (value) => (Number.isFinite(value) ? value : 1))
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
