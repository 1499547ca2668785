import { CodedError } from '../../core/contract/errors.ts'
import { orientationOf } from '../../core/geometry/index.ts'
import { greyIfColourless } from '../colour.ts'
import { badFile, fileSize, readStart } from '../files.ts'
import type { ImageInfo, ImageSource, ImageVolume, ReadOptions } from '../types.ts'
import {
  inflated,
  isGzip,
  MAX_RATIO,
  memoryStore,
  plainBytes,
  plainStore,
  ROUNDED,
  streamedStore,
  type VoxelLayout,
  type VoxelStore,
} from '../voxels/index.ts'
import { decodingOf } from './decode.ts'
import { readExtensions } from './extensions.ts'
import { affineInMm, geometryOf, spacingInMm, type NiftiGeometry } from './geometry.ts'
import { findHalves, missingVoxels, type Halves } from './halves.ts'
import { describeSize, parseHeader, type NiftiHeader } from './header.ts'

interface Opened {
  readonly halves: Halves
  readonly header: NiftiHeader
  readonly geometry: NiftiGeometry
  /** Is the file with the voxels packed? */
  readonly packed: boolean
}

/** As many bytes are read before the image counts as open, so that a small file that is damaged is refused and not shown first. */
const SMALL = 8 * 2 ** 20
/** Larger pictures are not looked through for whether there is any colour in them. */
const MAX_PICTURE = 2 ** 28

/** Reads and checks the header, and that the file with the voxels can hold what it promises. */
async function openNifti(path: string, { selection }: ReadOptions): Promise<Opened> {
  const halves = await findHalves(path)
  const header = parseHeader(halves.start, halves.header)
  const geometry = geometryOf(header, selection?.affine)
  const { voxels } = halves
  if (voxels === null) return { halves, header, geometry, packed: false }
  const size = await fileSize(voxels)
  const packed = isGzip(await readStart(voxels, 2))
  const promised = header.offset + frameBytes(header) * header.frames
  if (promised > (packed ? size * MAX_RATIO : size)) throw cutOff(header, voxels)
  return { halves, header, geometry, packed }
}

function frameBytes(header: NiftiHeader): number {
  return header.dims[0] * header.dims[1] * header.dims[2] * header.datatype.bytes
}

function cutOff(header: NiftiHeader, path: string): Error {
  return badFile(path, `is cut off (it should hold ${describeSize(header)}); copy or download it again.`)
}

/** What a NIfTI or Analyze image says of itself. Of a pair, the header is enough. */
export async function niftiInfo(path: string, options: ReadOptions = {}): Promise<ImageInfo> {
  const opened = await openNifti(path, options)
  const info = infoOf(opened, options)
  if (opened.halves.voxels !== null) return info
  return { ...info, warnings: [...info.warnings, missingVoxels(opened.halves).message] }
}

function infoOf({ header, geometry, packed }: Opened, { selection }: ReadOptions): ImageInfo {
  const warnings = [...geometry.warnings]
  const { frames, datatype } = header
  if (frames > 1 && selection?.frame === undefined) {
    warnings.push(`The file holds ${frames} frames; the first one is used.`)
  }
  if (datatype.kind === 'complex' && selection?.part === undefined) {
    warnings.push('The voxels are complex numbers; their magnitude is used.')
  }
  return {
    format: header.version === 'analyze' ? 'analyze' : header.version === 1 ? 'nifti1' : 'nifti2',
    dims: [...header.dims, header.extents[3] ?? 1, ...header.extents.slice(4)],
    spacing: geometry.spacing,
    spacingKnown: geometry.spacingKnown,
    ...(geometry.unit === 1 ? {} : { unit: geometry.unit > 1 ? ('m' as const) : ('um' as const) }),
    datatype: datatype.name,
    channels: datatype.kind === 'colour' ? 3 : 1,
    channelNames: [],
    complex: datatype.kind === 'complex',
    tiled: false,
    disagreement: geometry.disagreement,
    affine: geometry.affine,
    affineSource: geometry.affineSource,
    orientation: orientationOf(geometry.affine),
    slope: header.slope,
    inter: header.inter,
    byteOrder: header.littleEndian ? 'little' : 'big',
    compressed: packed,
    frames,
    levels: 1,
    warnings,
  }
}

/** The files of the image: one, or the two of a pair, the header first. */
export async function niftiFiles(path: string): Promise<readonly string[]> {
  const { header, voxels } = await findHalves(path)
  return [...new Set([header, ...(voxels === null ? [] : [voxels])])].sort()
}

/** One frame of an image: what is said of it, and where its voxels are. */
export interface NiftiFrame {
  readonly about: Omit<ImageVolume, 'voxels' | 'dims' | 'channels' | 'voxelType'>
  readonly header: NiftiHeader
  readonly layout: VoxelLayout
  readonly packed: boolean
  /** Of the first voxel, in the unpacked file. */
  readonly offset: number
  /** Bytes of all voxels, as they are in the file. */
  readonly count: number
  /** Nothing but the checksum of packed data follows. */
  readonly last: boolean
}

/** Reads and checks all of an image but its voxels. */
export async function findFrame(path: string, options: ReadOptions = {}): Promise<NiftiFrame> {
  const opened = await openNifti(path, options)
  const { header, halves, geometry, packed } = opened
  if (halves.voxels === null) throw missingVoxels(halves)
  const frame = options.selection?.frame ?? 0
  if (frame >= header.frames) {
    throw new CodedError('bad-request', `There is no frame ${frame + 1} in the ${header.frames} of the image.`)
  }
  const info = infoOf(opened, options)
  const warnings = [...info.warnings]
  const extensions = await readExtensions(header, halves.header)
  if (extensions.warning !== null) warnings.push(extensions.warning)
  const { slope, inter, voxelType, channels, convert } = decodingOf(
    header,
    options.selection?.part ?? 'magnitude',
    () => warnings.push(ROUNDED),
  )
  const source: ImageSource =
    header.version === 'analyze'
      ? { kind: 'volume', path }
      : { kind: 'nifti', path, header: header.bytes, extensions: extensions.bytes }
  const count = frameBytes(header)
  return {
    about: {
      ...{ info, kind: 'volume', slope, inter, source, warnings },
      affine: affineInMm(geometry),
      spacing: spacingInMm(geometry),
      spacingKnown: info.spacingKnown,
      orientation: info.orientation,
    },
    header,
    layout: {
      ...{ path: halves.voxels, dims: [...header.dims], channels, voxelType },
      rawVoxelBytes: header.datatype.bytes,
      convert: convert ?? undefined,
    },
    packed,
    offset: header.offset + frame * count,
    count,
    last: frame === header.frames - 1,
  }
}

/** The bytes of the voxels, in order. Where nothing else follows, packed data are read to their checksum. */
export function frameSource(
  { layout, packed, offset, count, last }: NiftiFrame,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const { path } = layout
  return packed ? inflated({ path, skip: offset, count, toEnd: last, signal }) : plainBytes(path, offset, count, signal)
}

/**
 * Opens one frame of a NIfTI-1, NIfTI-2 or Analyze image. Voxels keep the file's order, and its type where JavaScript has it; the
 * affine and the spacing are in mm.
 */
export async function readNifti(path: string, options: ReadOptions = {}): Promise<ImageVolume> {
  const frame = await findFrame(path, options)
  const voxels = await openVoxels(frame, options)
  return { ...frame.about, voxels, dims: voxels.dims, channels: voxels.channels, voxelType: voxels.voxelType }
}

async function openVoxels(frame: NiftiFrame, options: ReadOptions): Promise<VoxelStore> {
  const { layout, packed, offset, count } = frame
  const { dims, channels } = layout
  const store = packed
    ? await streamedStore({ ...layout, source: (signal) => frameSource(frame, signal) })
    : await plainStore({ ...layout, offset })
  try {
    const single = channels === 3 && dims[2] === 1 && store.byteLength <= MAX_PICTURE
    if (count <= SMALL || single) await store.complete(options)
    if (!single) return store
    const samples = await store.all(options)
    const grey = samples instanceof Uint8Array ? greyIfColourless(samples) : null
    if (grey === null) return store
    await store.close()
    return memoryStore(grey, dims)
  } catch (error) {
    await store.close()
    throw error
  }
}
