import { basename } from 'node:path'
import type { Dims, Vec3, VoxelType } from '../../core/contract/schemas.ts'
import { orientationOf } from '../../core/geometry/index.ts'
import { badFile } from '../files.ts'
import type { ImageInfo, ImageVolume, ReadOptions } from '../types.ts'
import { memoryStore, streamedStore } from '../voxels/index.ts'
import { filesAt } from './folder.ts'
import { storedType } from './samples.ts'
import { greySlice, sliceBytes } from './slices.ts'
import { countOf, stacksOf, type Slice, type Stack } from './stacks.ts'

/** A series, or a part of one that is a volume by itself. */
export interface DicomSeries {
  /** For `selection.series`. */
  readonly id: string
  /** Of the series, as the file has it; '' where there is none. */
  readonly description: string
  /** "CT", "MR", … */
  readonly modality: string
  /** Slices over all frames. */
  readonly images: number
  readonly dims: readonly [number, number, number, number]
}

/** The series in a folder, or of a file, the largest first. Throws a CodedError where there are none. */
export async function listSeries(path: string, options: ReadOptions = {}): Promise<DicomSeries[]> {
  const { files } = await filesAt(path, options.signal)
  return stacksOf(files).map(describe)
}

function describe(stack: Stack): DicomSeries {
  const file = stack.frames[0]?.[0]?.file
  return {
    id: stack.id,
    description: file?.description ?? '',
    modality: file?.modality ?? '',
    images: countOf(stack),
    dims: [...dimsOf(stack), stack.frames.length],
  }
}

interface Chosen {
  readonly stack: Stack
  readonly first: Slice
  readonly info: ImageInfo
  readonly voxelType: VoxelType
  readonly channels: 1 | 3
  /** Values are stored scaled, since slices differ in how. */
  readonly scaled: boolean
}

async function choose(path: string, { selection, signal }: ReadOptions): Promise<Chosen> {
  const { files, broken, chosen } = await filesAt(path, signal)
  const stacks = stacksOf(files)
  const own = chosen === null ? undefined : stacks.find((stack) => slicesOf(stack).some(({ file }) => file === chosen))
  const wanted = selection?.series
  const stack = wanted === undefined ? (own ?? stacks[0]) : stacks.find(({ id }) => id === wanted)
  const first = stack?.frames[0]?.[0]
  if (stack === undefined || first === undefined) {
    throw badFile(
      path,
      'does not hold the series that was chosen; open it again and choose one of those that it holds.',
    )
  }
  const warnings: string[] = []
  if (stacks.length > 1 && wanted === undefined) {
    const { modality, images } = describe(stack)
    const which = chosen === null ? 'the largest' : 'that of the file'
    warnings.push(
      `There are ${stacks.length} series; ${which} is used (${[modality, `${images} images`].filter(Boolean).join(', ')}).`,
    )
  }
  if (broken.length > 0) {
    const named = broken.slice(0, 3).map((file) => basename(file.path))
    warnings.push(
      `${broken.length === 1 ? 'A DICOM file could not be read and is' : `${broken.length} DICOM files could not be read and are`} left out: ${named.join(', ')}${broken.length > 3 ? ', …' : ''}.`,
    )
  }
  return { stack, first, ...infoOf(stack, first, warnings) }
}

function slicesOf({ frames }: Stack): Slice[] {
  return frames.flat()
}

function dimsOf({ frames }: Stack): [number, number, number] {
  const { columns, rows, crop } = frames[0]?.[0]?.file.pixels ?? { columns: 0, rows: 0, crop: null }
  return [crop?.columns ?? columns, crop?.rows ?? rows, frames[0]?.length ?? 0]
}

function infoOf(stack: Stack, first: Slice, warnings: string[]): Omit<Chosen, 'stack' | 'first'> {
  const slices = slicesOf(stack)
  const { pixels } = first.file
  const types = new Set(slices.map(({ file }) => storedType(file.pixels)))
  const { slope, inter } = first.header
  const sameScale = slices.every(({ header }) => header.slope === slope && header.inter === inter)
  const scaled = types.size > 1 || !sameScale
  const stored = storedType(pixels)
  const voxelType: VoxelType = scaled ? (types.has('float64') ? 'float64' : 'float32') : stored
  const channels = pixels.samples === 3 || pixels.palette !== null ? 3 : 1
  warnings.push(...stack.warnings)
  if (scaled)
    warnings.push(
      'The slices are scaled differently; their values are held as decimal numbers, with the scaling applied.',
    )
  if (pixels.photometric === 'MONOCHROME1') {
    warnings.push('The lowest value stands for white (MONOCHROME1), so bright and dark look exchanged.')
  }
  const affine = stack.geometry?.affine ?? null
  const { spacing } = first.header
  const [nx, ny, nz] = dimsOf(stack)
  const info: ImageInfo = {
    format: 'dicom',
    dims: [nx, ny, nz, stack.frames.length],
    spacing: spacingOf(stack, first),
    spacingKnown: spacing !== null,
    datatype: channels === 3 ? 'rgb24' : stored,
    channels,
    channelNames: [],
    affine,
    affineSource: affine === null ? 'none' : 'sform',
    orientation: affine === null ? null : orientationOf(affine),
    slope: scaled ? 1 : slope,
    inter: scaled ? 0 : inter,
    byteOrder: pixels.bigEndian ? 'big' : 'little',
    compressed: first.file.compressed,
    frames: stack.frames.length,
    complex: false,
    levels: 1,
    tiled: false,
    disagreement: null,
    gaps: stack.gaps,
    warnings,
  }
  return { info, voxelType, channels, scaled }
}

function spacingOf({ geometry }: Stack, { header }: Slice): Vec3 {
  const [dx, dy] = header.spacing ?? [1, 1]
  const step = geometry?.affine.slice(0, 3).map((row) => row[2] ?? 0)
  return [dx, dy, step === undefined ? 1 : Math.hypot(...step)]
}

export async function dicomInfo(path: string, options: ReadOptions): Promise<ImageInfo> {
  return (await choose(path, options)).info
}

/** The files of a series, sorted. */
export async function dicomFiles(path: string, options: ReadOptions): Promise<readonly string[]> {
  const { stack } = await choose(path, options)
  return [...new Set(slicesOf(stack).map(({ file }) => file.path))].toSorted()
}

/** Opens a series. Resolves when all of its headers are read and in order; slices arrive one after the other. */
export async function readDicom(path: string, options: ReadOptions): Promise<ImageVolume> {
  const chosen = await choose(path, options)
  const { stack, first, info, voxelType, channels } = chosen
  const frame = options.selection?.frame ?? 0
  const slices = stack.frames[frame]
  if (slices === undefined) {
    throw badFile(
      path,
      `has ${stack.frames.length} frames, so there is none with the number ${frame + 1}; choose another one.`,
    )
  }
  const dims: Dims = dimsOf(stack)
  const warnings = [...info.warnings]
  if (options.selection?.frame === undefined && stack.frames.length > 1) {
    warnings.push(`There are ${stack.frames.length} frames at the same place; the first one is used.`)
  }
  const picture = stack.geometry === null && dims[2] === 1
  // Whether colours are colours at all shows only when they are there.
  const grey = channels === 3 && dims[2] === 1 ? await greySlice(first, options.signal) : null
  const layout = { path: slices.length === 1 ? first.file.path : path, dims, channels, voxelType }
  const voxels =
    grey === null
      ? await streamedStore({ ...layout, source: (signal) => sliceBytes(slices, chosen, signal) })
      : memoryStore(grey, dims)
  return {
    info,
    kind: picture ? 'image' : 'volume',
    dims,
    channels: voxels.channels,
    voxelType,
    voxels,
    slope: info.slope,
    inter: info.inter,
    affine: info.affine,
    spacing: info.spacing,
    spacingKnown: info.spacingKnown,
    orientation: info.orientation,
    source: picture ? { kind: 'raster', path: first.file.path } : { kind: 'volume', path },
    warnings,
  }
}
