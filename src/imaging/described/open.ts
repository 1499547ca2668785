import type { Affine, Vec3 } from '../../core/contract/schemas.ts'
import { orientationOf, shearOf } from '../../core/geometry/index.ts'
import { greyIfColourless } from '../colour.ts'
import type { ImageFormat, ImageInfo, ImageVolume, ReadOptions } from '../types.ts'
import { memoryStore, plainStore, ROUNDED, streamedStore, type VoxelStore } from '../voxels/index.ts'
import { arrange, type Arrangement, type Components, type FileAxis } from './axes.ts'
import { conversion, elementBytes, heldType } from './elements.ts'
import { checkParts, readSamples, type Samples } from './parts.ts'
import { interleaved, picked } from './source.ts'

/** A volume as its text header describes it. */
export interface Described {
  /** The file with the header. */
  readonly path: string
  readonly format: ImageFormat
  /** Fastest first. */
  readonly axes: readonly FileAxis[]
  readonly components: Components
  readonly samples: Samples
  readonly littleEndian: boolean
  /** RAS+ mm. */
  readonly affine: Affine | null
  readonly spacing: Vec3
  readonly spacingKnown: boolean
  readonly warnings: readonly string[]
}

/** Axes that stand at other angles to each other than this many degrees from a right one are said to be sheared. */
const SHEAR = 0.1

export function describedInfo(image: Described, { selection = {} }: ReadOptions): ImageInfo {
  return infoOf(image, arrange(image.axes, image.components, selection, image.path), selection.frame)
}

function infoOf(image: Described, arrangement: Arrangement, frame: number | undefined): ImageInfo {
  const { affine, samples } = image
  const { dims, frameSizes, frames, kind, components } = arrangement
  const warnings = [...image.warnings]
  if (frames > 1 && frame === undefined) warnings.push(`The file holds ${frames} frames; the first one is used.`)
  if (affine !== null && shearOf(affine) > SHEAR) {
    warnings.push(
      'The axes of the image are not at right angles to each other; distances on the screen are approximate.',
    )
  }
  return {
    format: image.format,
    dims: [...dims, ...(frameSizes.length === 0 ? [1] : frameSizes)],
    spacing: image.spacing,
    spacingKnown: image.spacingKnown,
    datatype: kind === 'complex' ? (samples.element === 'float32' ? 'complex64' : 'complex128') : samples.element,
    channels: kind === 'complex' ? 1 : kind === 'colour' ? 3 : components,
    channelNames: kind === 'channels' ? Array.from({ length: components }, (_, i) => `Component ${i + 1}`) : [],
    affine,
    affineSource: affine === null ? 'none' : 'sform',
    orientation: affine === null ? null : orientationOf(affine),
    slope: 1,
    inter: 0,
    byteOrder: image.littleEndian ? 'little' : 'big',
    compressed: samples.encoding === 'packed',
    frames,
    complex: kind === 'complex',
    levels: 1,
    tiled: false,
    disagreement: null,
    warnings,
  }
}

/** Opens the chosen image of it: its voxels are read where they lie, or stream in. Throws a CodedError. */
export async function openDescribed(image: Described, options: ReadOptions): Promise<ImageVolume> {
  const { selection = {} } = options
  const { path } = image
  const arrangement = arrange(image.axes, image.components, selection, path)
  const info = infoOf(image, arrangement, selection.frame)
  await checkParts(image.samples)
  const warnings = [...info.warnings]
  const rounded = (): void => {
    warnings.push(ROUNDED)
  }
  const { voxels, channels } = await settled(await storeOf(image, arrangement, rounded), options)
  return {
    info,
    kind: 'volume',
    dims: arrangement.dims,
    channels,
    voxelType: voxels.voxelType,
    voxels,
    slope: 1,
    inter: 0,
    affine: info.affine,
    spacing: info.spacing,
    spacingKnown: info.spacingKnown,
    orientation: info.orientation,
    source: { kind: 'volume', path },
    warnings,
  }
}

function storeOf(image: Described, arrangement: Arrangement, rounded: () => void): Promise<VoxelStore> {
  const { path, samples, littleEndian } = image
  const { dims, channels, part, group, taken, starts } = arrangement
  const text = samples.encoding === 'ascii'
  // Numbers in a text become what they are held as at once.
  const element = text ? heldType(samples.element) : samples.element
  const bytes = elementBytes(element)
  const read: Samples = {
    ...samples,
    element,
    byteLength: (samples.byteLength / elementBytes(samples.element)) * bytes,
  }
  const perVoxel = taken.length * starts.length * bytes
  const layout = {
    ...{ path, dims, channels, voxelType: heldType(element), rawVoxelBytes: perVoxel },
    convert: conversion(element, text || littleEndian, part, rounded),
  }
  const [only] = read.parts
  const whole = taken.length === group && starts.length === 1
  if (read.encoding === 'raw' && read.parts.length === 1 && only !== undefined && whole) {
    return plainStore({ ...layout, path: only.path, offset: only.start + only.skip + (starts[0] ?? 0) * bytes })
  }
  const count = dims[0] * dims[1] * dims[2] * group * bytes
  const places = taken.map((place) => place * bytes)
  return streamedStore({
    ...layout,
    source: (signal) => {
      const sources = starts.map((start) =>
        picked(readSamples(read, start * bytes, count, signal), group * bytes, places, bytes),
      )
      const [single] = sources
      return sources.length === 1 && single !== undefined ? single : interleaved(sources, bytes)
    },
  })
}

/** As many bytes are read before the image counts as open, so that a small file that is damaged is refused and not shown first. */
const SMALL = 8 * 2 ** 20

/** Small images are there when they are open, and a single slice in colour that has no colour is grey. */
async function settled(voxels: VoxelStore, options: ReadOptions): Promise<{ voxels: VoxelStore; channels: 1 | 3 }> {
  const { channels, dims } = voxels
  const single = channels === 3 && dims[2] === 1 && voxels.byteLength <= 2 ** 28
  if (voxels.byteLength > SMALL && !single) return { voxels, channels }
  try {
    await voxels.complete(options)
    const data = single ? await voxels.all(options) : null
    const grey = data instanceof Uint8Array ? greyIfColourless(data) : null
    if (grey === null) return { voxels, channels }
    await voxels.close()
    return { voxels: memoryStore(grey, dims), channels: 1 }
  } catch (error) {
    await voxels.close()
    throw error
  }
}
