import { CodedError } from '../../core/contract/errors.ts'
import { rangeOf } from '../../imaging/index.ts'
import { imageSlice } from '../data/gridSampling.ts'
import { sliceGrid } from '../data/planes.ts'
import { preparePicture } from '../data/prepare.ts'
import { networkSize, resizePlanes } from '../data/resize.ts'
import { tidyLabels } from './tidying.ts'
import { channelValues, entropyOf, foldedClasses, labelsOf, outputMeaning } from './meaning.ts'
import { objectsOf } from './instances.ts'
import { predictPictures } from './pictures.ts'
import { createScatter, eachVoxel } from './slicePlaces.ts'
import { stopIfCancelled } from './turns.ts'
import type { Vec3 } from '../../core/contract/schemas.ts'
import type { InferenceSettings, InstanceSettings } from '../../core/contract/recipes.ts'
import type { ImageVolume } from '../../imaging/index.ts'
import type { SliceGrid } from '../data/planes.ts'
import type { AnyModel } from '../models/cache.ts'
import type { OutputMeaning } from './meaning.ts'
import type { RunOptions } from './network.ts'

export interface PredictImageOptions extends Pick<RunOptions, 'signal' | 'onProgress' | 'notify' | 'memory'> {
  /** Instead of what the model's card says. */
  readonly inference?: Partial<InferenceSettings>
  readonly objects?: InstanceSettings
  readonly probabilities?: boolean
  readonly entropy?: boolean
  readonly instances?: boolean
}

/** All in the image's voxel order, x fastest. */
export interface ImagePrediction {
  /** Label values. */
  readonly labels: Uint8Array<ArrayBuffer>
  /**
   * Class by class, a value from 0 to 1 for each voxel; `values` says which label each class is, 0 background. Of networks
   * with a border class that counts as its label. Null where they were not asked for.
   */
  readonly probabilities: { readonly values: readonly number[]; readonly data: Float32Array<ArrayBuffer> } | null
  /** 0 sure, 1 all classes equally likely (entropyOf); null where it was not asked for. */
  readonly entropy: Float32Array<ArrayBuffer> | null
  /** Numbers of objects, 0 where none is; null where they were not asked for. */
  readonly objects: Uint32Array<ArrayBuffer> | null
}

/** How a model without settings of its own tells objects apart. */
const PLAIN_INSTANCES: Omit<InstanceSettings, 'label'> = {
  kind: 'distance',
  threshold: 0.5,
  seed: 0.9,
  smooth: 1,
  smallest: 0,
  smallestSeed: 0,
  border: 2,
}

/** What several planes, or objects, are made of takes at most so many bytes. */
const MOST_BYTES = 3 * 2 ** 30

/**
 * Predicts an image as the model's card says: a picture as it is, a volume slice by slice in each plane that is asked for, the
 * planes' probabilities averaged; parts and holes as asked for. Of a volume in one plane no more is held than its labels,
 * unless probabilities or objects are wanted.
 *
 * Throws CodedError as runNetwork does, what the voxels throw, and 'bad-request' where the volume is too large for what is wanted.
 */
export async function predictImage(
  model: AnyModel,
  image: ImageVolume,
  options: PredictImageOptions = {},
): Promise<ImagePrediction> {
  try {
    return await predictWhole(model, image, options)
  } catch (error) {
    if (!(error instanceof RangeError) || !NO_ROOM.test(error.message)) throw error
    throw new CodedError(
      'bad-request',
      `There is too little memory for an image of ${image.dims.join(' x ')} at once; crop it, or export regions of it and predict those.`,
      { cause: error, detail: error.message },
    )
  }
}

/** What V8 says where an array cannot be had. */
const NO_ROOM = /array buffer allocation failed|invalid (?:typed )?array (?:buffer )?length/i

async function predictWhole(
  model: AnyModel,
  image: ImageVolume,
  { inference, objects: rules, probabilities = false, entropy = false, instances = false, ...run }: PredictImageOptions,
): Promise<ImagePrediction> {
  const meaning = outputMeaning(model, inference)
  const settings = instances ? objectSettings(model, meaning, rules) : null
  const { signal } = run
  const grids = gridsFor(image, meaning.inference.planes)
  const range = await intensityRange(model, image, signal)
  const voxels = image.dims[0] * image.dims[1] * image.dims[2]
  const keep = probabilities || instances || grids.length > 1 || grids.some(({ axis }) => axis === null)
  const values = channelValues(meaning)
  const objectChannel = instances && meaning.border ? 1 : 0
  const sums = keep ? allocated((values.length + objectChannel) * voxels) : null
  const labels = new Uint8Array(voxels)
  const unsure = entropy ? new Float32Array(voxels) : null
  const weight = 1 / grids.length
  const slices = grids.reduce((sum, grid) => sum + grid.slices, 0)
  let before = 0
  for (const grid of grids) {
    const scatter = sums === null ? null : createScatter(image.dims, grid, values.length + objectChannel, sums, weight)
    const start = before
    await predictSlicesOf(
      model,
      image,
      grid,
      meaning,
      range,
      run,
      (index, given) => {
        const pixels = grid.width * grid.height
        // Inside objects alone, before their border is added: where the seeds are.
        const inside = objectChannel === 1 ? given.slice(pixels, 2 * pixels) : null
        const folded = foldedClasses(given, pixels, meaning)
        if (scatter !== null) {
          scatter.add(index, inside === null ? folded : joined(folded, inside))
          return
        }
        const found = labelsOf(folded, pixels, meaning)
        const doubt = unsure === null ? null : entropyOf(folded, pixels, meaning)
        eachVoxel(image.dims, grid, index, (pixel, voxel) => {
          labels[voxel] = found[pixel] ?? 0
          if (unsure !== null && doubt !== null) unsure[voxel] = doubt[pixel] ?? 0
        })
      },
      (share) => run.onProgress?.((start + share * grid.slices) / slices),
    )
    before += grid.slices
  }
  stopIfCancelled(signal)
  if (sums !== null) {
    labels.set(labelsOf(sums, voxels, meaning))
    unsure?.set(entropyOf(sums, voxels, meaning))
  }
  tidyLabels(labels, image.dims, meaning.inference)
  const objects =
    settings !== null && sums !== null
      ? objectsOf({ sums, dims: image.dims, spacing: spacingOf(image), meaning, settings })
      : null
  return {
    labels,
    probabilities: probabilities && sums !== null ? { values, data: sums.subarray(0, values.length * voxels) } : null,
    entropy: unsure,
    objects,
  }
}

function spacingOf({ dims, spacing, spacingKnown }: ImageVolume): Vec3 | null {
  return spacingKnown && dims[2] > 1 ? spacing : null
}

/** As asked for, or as the card says, or by distances those of the first label. */
function objectSettings(
  { card }: AnyModel,
  { instances, labels }: OutputMeaning,
  rules: InstanceSettings | undefined,
): InstanceSettings {
  const settings = rules ?? instances ?? { ...PLAIN_INSTANCES, label: labels[0]?.value ?? 1 }
  const values = labels.map(({ value }) => value)
  if (values.includes(settings.label)) return settings
  throw new CodedError(
    'bad-request',
    `${card.name} has no label ${settings.label} whose objects could be told apart; set instances.label to one of ${values.join(', ')}.`,
  )
}

/** Each plane once. An image of one slice has but one. */
function gridsFor(image: ImageVolume, planes: InferenceSettings['planes']): SliceGrid[] {
  const grids = planes.map((plane) => sliceGrid(image, plane)).filter((grid) => grid !== null)
  const first = sliceGrid(image, 'training')
  if (first === null) throw new Error('An image has at least one plane.')
  const all = grids.length === 0 ? [first] : grids
  const key = ({ axis }: SliceGrid): string => String(axis)
  return all.filter((grid, i) => all.findIndex((other) => key(other) === key(grid)) === i)
}

/** What percentiles of the case become 0 and 1, where the network asks for that. */
async function intensityRange(
  { card }: AnyModel,
  image: ImageVolume,
  signal: AbortSignal | undefined,
): Promise<{ low: number; high: number }> {
  return card.input.normalization.kind === 'percentile' ? await rangeOf(image, { signal }) : { low: 0, high: 1 }
}

/** Gives what the network says of each slice, averaged over copies and as large as the slice, in order. */
async function predictSlicesOf(
  model: AnyModel,
  image: ImageVolume,
  grid: SliceGrid,
  { activation, resize, inference }: OutputMeaning,
  range: { readonly low: number; readonly high: number },
  { signal, notify, memory }: PredictImageOptions,
  sink: (index: number, values: Float32Array) => void,
  onProgress: (share: number) => void,
): Promise<void> {
  const { card } = model
  const channels = card.architecture.inputChannels
  const size = networkSize(grid, resize)
  const read = async (index: number): Promise<Float32Array> => {
    const { data } = await imageSlice(image, grid, index, signal)
    const slice = {
      ...{ width: grid.width, height: grid.height, channels: image.channels },
      voxelType: grid.axis === null ? ('float32' as const) : image.voxelType,
      data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      ...{ slope: image.slope, inter: image.inter, ...range },
    }
    return preparePicture(slice, card.input, channels, resize).image
  }
  await predictPictures(
    'network' in model ? model.network : model.foreign,
    card.architecture.step,
    { sizes: Array.from({ length: grid.slices }, () => size), channels, image: read },
    (index, values, outputs) => {
      sink(index, resizePlanes(values, outputs, size, grid))
    },
    { activation, ...inference },
    {
      model: card.name,
      onProgress,
      ...(signal === undefined ? {} : { signal }),
      ...(notify === undefined ? {} : { notify }),
      ...(memory === undefined ? {} : { memory }),
    },
  )
}

function joined(first: Float32Array, second: Float32Array): Float32Array {
  const both = new Float32Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}

function allocated(count: number): Float32Array<ArrayBuffer> {
  try {
    if (4 * count > MOST_BYTES) throw new RangeError('too large')
    return new Float32Array(count)
  } catch (cause) {
    throw new CodedError(
      'bad-request',
      `This image takes ${(count / 2 ** 28).toFixed(1)} GB for probabilities, objects or several planes; predict it in one plane, without them, or crop it.`,
      { cause },
    )
  }
}
