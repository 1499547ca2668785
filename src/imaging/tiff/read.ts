import type { Dims, ImageSelection, Vec3 } from '../../core/contract/schemas.ts'
import { greyIfColourless } from '../colour.ts'
import { abortError, badFile, fileSize } from '../files.ts'
import type { Pixels } from '../tiled.ts'
import type { ImageInfo, ImageVolume, ReadOptions } from '../types.ts'
import { memoryStore, streamedStore, typeOf } from '../voxels/index.ts'
import { readShown, sampleOf, TiffImage, wholeOf } from './open.ts'
import { refuseImplausibleStack } from './page.ts'
import { regionKind, type Wanted } from './region.ts'
import { eightBits } from './samples.ts'
import { openTiled } from './tiledImage.ts'

const REDUCED_COLOURS = 'The colours were reduced to 8 bits a channel.'

/** What a TIFF says of itself. Throws CodedError('bad-file'). */
export async function tiffInfo(path: string, { selection, signal }: ReadOptions = {}): Promise<ImageInfo> {
  const image = await TiffImage.open(path, signal)
  try {
    if (selection?.region !== undefined) return (await regionOf(path, { selection, signal }, null)).info
    image.chosen(selection)
    return image.info()
  } finally {
    await image.close()
  }
}

/** The files that an OME image is made of, this one among them. */
export async function tiffFiles(path: string, { signal }: ReadOptions = {}): Promise<readonly string[]> {
  const image = await TiffImage.open(path, signal)
  await image.close()
  return [...image.model.files].sort()
}

/**
 * Reads a picture, a stack (pages of one size, or the slices of a frame and channel), or a region of a slide. Slices of a
 * stack can still be arriving. Throws a CodedError that names the file.
 */
export async function readTiff(path: string, options: ReadOptions = {}): Promise<ImageVolume> {
  const { selection, signal } = options
  if (selection?.region !== undefined) return readTiffRegion(path, options)
  const image = await TiffImage.open(path, signal)
  let streaming = false
  try {
    const info = image.info()
    const { frame, channel } = image.chosen(selection)
    const [width, height] = [info.dims[0] ?? 1, info.dims[1] ?? 1]
    if (info.tiled) {
      const millions = Math.round((width * height) / 1e6)
      throw badFile(
        path,
        `has ${millions} million pixels and is shown tile by tile; open it in the workstation and choose a region of it.`,
      )
    }
    const { model } = image
    refuseImplausibleStack(path, await totalSize(image), model.first, model.slices)
    const wanted: Wanted = { channel: sampleOf(image, channel), as: 'image' }
    const kind = regionKind(model.first, wanted)
    if (model.slices === 1) {
      const page = await image.page(0, frame, channel)
      const { orientation } = model.first
      const pixels = await readShown(page, wholeOf(page.layout, orientation), wanted, orientation, { signal })
      return pictureOf(path, info, pixels)
    }
    for (let slice = 0; slice < model.slices; slice++) {
      if (model.place(slice, frame, channel) === null) await image.page(slice, frame, channel)
    }
    const reduced = kind.channels === 3 && kind.type === 'uint16'
    const voxelType = reduced ? 'uint8' : kind.type
    const dims: Dims = [width, height, model.slices]
    const layout = { path, dims, channels: kind.channels, voxelType }
    const voxels = await streamedStore({
      ...layout,
      source: (stop) => slicesOf(image, { frame, channel }, wanted, stop),
    })
    streaming = true
    return {
      ...describe(path, info),
      kind: 'volume',
      dims,
      channels: kind.channels,
      voxelType,
      voxels,
      warnings: reduced ? [...info.warnings, REDUCED_COLOURS] : info.warnings,
    }
  } finally {
    if (!streaming) await image.close()
  }
}

async function totalSize({ model }: TiffImage): Promise<number> {
  let total = 0
  for (const file of model.files) total += await fileSize(file)
  return total
}

/** Slice by slice, in the machine's byte order, which voxels are streamed in. Closes the image at the end of it. */
async function* slicesOf(
  image: TiffImage,
  { frame, channel }: { frame: number; channel: number },
  wanted: Wanted,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { slices, first } = image.model
  const { orientation } = first
  try {
    for (let slice = 0; slice < slices; slice++) {
      signal.throwIfAborted()
      const page = await image.page(slice, frame, channel)
      const { data, channels } = await readShown(page, wholeOf(page.layout, orientation), wanted, orientation, {
        signal,
      })
      const shown = channels === 3 && data instanceof Uint16Array ? eightBits(data) : data
      yield new Uint8Array(shown.buffer, shown.byteOffset, shown.byteLength)
    }
  } finally {
    await image.close()
  }
}

function describe(
  path: string,
  info: ImageInfo,
): Pick<ImageVolume, 'info' | 'slope' | 'inter' | 'affine' | 'spacing' | 'spacingKnown' | 'orientation' | 'source'> {
  return {
    info,
    slope: 1,
    inter: 0,
    affine: null,
    spacing: info.spacing,
    spacingKnown: info.spacingKnown,
    orientation: null,
    source: { kind: 'raster', path },
  }
}

/** A single picture. Colour without colour is grey; 16-bit colour, which no screen shows, becomes 8-bit. */
function pictureOf(path: string, info: ImageInfo, pixels: Pixels): ImageVolume {
  const warnings = [...info.warnings]
  let { data, channels } = pixels
  if (channels === 3 && (data instanceof Uint8Array || data instanceof Uint16Array)) {
    const grey = greyIfColourless(data)
    if (grey !== null) [data, channels] = [grey, 1]
    else if (data instanceof Uint16Array) {
      data = eightBits(data)
      warnings.push(REDUCED_COLOURS)
    }
  }
  const dims: Dims = [pixels.width, pixels.height, 1]
  return {
    ...describe(path, info),
    kind: 'image',
    dims,
    channels,
    voxelType: typeOf(data),
    voxels: memoryStore(data, dims, channels),
    warnings,
  }
}

async function readTiffRegion(path: string, options: ReadOptions): Promise<ImageVolume> {
  const data: { pixels?: Pixels } = {}
  const { info } = await regionOf(path, options, data)
  if (data.pixels === undefined) throw abortError()
  return pictureOf(path, info, data.pixels)
}

/** What a region is as an image of its own; its pixels too, where there is a place for them. */
async function regionOf(
  path: string,
  { selection, signal }: { selection?: ImageSelection | undefined; signal?: AbortSignal | undefined },
  result: { pixels?: Pixels } | null,
): Promise<{ info: ImageInfo }> {
  const tiled = await openTiled(path, { selection, signal })
  try {
    const region = selection?.region ?? { level: 0, x: 0, y: 0, width: 1, height: 1 }
    const { info, levels } = tiled
    tiled.check(region.level, region)
    const downsample = levels[region.level]?.downsample ?? 1
    const spacing: Vec3 = info.spacingKnown
      ? [info.spacing[0] * downsample, info.spacing[1] * downsample, info.spacing[2]]
      : info.spacing
    if (result !== null) result.pixels = await tiled.region(region.level, region, { signal })
    return { info: { ...info, dims: [region.width, region.height, 1, 1], frames: 1, levels: 1, tiled: false, spacing } }
  } finally {
    await tiled.close()
  }
}
