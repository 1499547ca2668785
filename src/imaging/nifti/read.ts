import type { Dims } from '../../core/contract/schemas.ts'
import { orientationOf } from '../../core/geometry/index.ts'
import { badFile, fileSize, readStart } from '../files.ts'
import { greyIfColourless, luminance } from '../colour.ts'
import type { ImageInfo, ImageVolume, ReadOptions, VoxelArray } from '../types.ts'
import { memoryStore } from '../voxels/index.ts'
import { narrow64, swapBytes, typeOf, viewAs } from './datatypes.ts'
import { geometryOf } from './geometry.ts'
import { describeSize, NIFTI2_OFFSET, parseHeader, type NiftiHeader } from './header.ts'
import { isGzip, MAX_RATIO, readBytes } from './stream.ts'

interface Opened {
  readonly header: NiftiHeader
  readonly packed: boolean
}

/** Reads and checks the header, and that the file can hold what it promises. */
export async function openNifti(path: string): Promise<Opened> {
  const size = await fileSize(path)
  const first = await readStart(path, NIFTI2_OFFSET)
  const packed = isGzip(first)
  let start: Uint8Array = first
  if (packed) {
    const unpacked = new Uint8Array(NIFTI2_OFFSET)
    const count = await readBytes(path, true, 0, unpacked, { chunkSize: 2 ** 14 })
    start = unpacked.subarray(0, count)
  }
  const header = parseHeader(start, path)
  const promised = header.offset + frameBytes(header) * header.frames
  if (packed ? promised > size * MAX_RATIO : promised > size) throw cutOff(header, path)
  return { header, packed }
}

function frameBytes(header: NiftiHeader): number {
  return header.dims[0] * header.dims[1] * header.dims[2] * header.datatype.bytes
}

function cutOff(header: NiftiHeader, path: string): Error {
  return badFile(path, `is cut off (it should hold ${describeSize(header)}); copy or download it again.`)
}

export function niftiInfo({ header, packed }: Opened): ImageInfo {
  const geometry = geometryOf(header)
  const warnings = [...geometry.warnings]
  if (header.frames > 1) warnings.push(`The file holds ${header.frames} frames; the first one is used.`)
  return {
    format: header.version === 1 ? 'nifti1' : 'nifti2',
    dims: [...header.dims, header.frames],
    spacing: geometry.spacing,
    spacingKnown: geometry.spacingKnown,
    datatype: header.datatype.name,
    channels: header.datatype.kind === 'colour' && header.dims[2] === 1 ? 3 : 1,
    channelNames: [],
    complex: false,
    tiled: false,
    disagreement: null,
    affine: geometry.affine,
    affineSource: geometry.affineSource,
    orientation: orientationOf(geometry.affine),
    slope: header.slope,
    inter: header.inter,
    byteOrder: header.littleEndian ? 'little' : 'big',
    compressed: packed,
    frames: header.frames,
    levels: 1,
    warnings,
  }
}

/** Reads the first frame of a NIfTI-1 or -2 image. Voxels keep the file's order and type where JavaScript has it. */
export async function readNifti(path: string, options: ReadOptions = {}): Promise<ImageVolume> {
  const opened = await openNifti(path)
  const { header, packed } = opened
  const info = niftiInfo(opened)
  const buffer = allocate(frameBytes(header), header, path)
  const bytes = new Uint8Array(buffer)
  const toEnd = header.frames === 1
  const count = await readBytes(path, packed, header.offset, bytes, { toEnd, signal: options.signal })
  if (count < bytes.length) throw cutOff(header, path)
  if (!header.littleEndian && header.datatype.kind !== 'colour') swapBytes(bytes, header.datatype.bytes)
  const warnings = [...info.warnings]
  const { data, channels } = decode(buffer, header, warnings)
  const dims: Dims = [...header.dims]
  return {
    info,
    kind: 'volume',
    dims,
    channels,
    voxelType: typeOf(data),
    voxels: memoryStore(data, dims, channels),
    slope: header.slope,
    inter: header.inter,
    affine: info.affine,
    spacing: info.spacing,
    spacingKnown: info.spacingKnown,
    orientation: info.orientation,
    source: { kind: 'nifti', path, header: header.bytes, extensions: new Uint8Array(0) },
    warnings,
  }
}

function allocate(bytes: number, header: NiftiHeader, path: string): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes)
  } catch (error) {
    const gigabytes = (bytes / 2 ** 30).toFixed(1)
    throw badFile(path, `needs ${gigabytes} GB of memory (${describeSize(header)}); crop or downsample it.`, error)
  }
}

function decode(buffer: ArrayBuffer, header: NiftiHeader, warnings: string[]): { data: VoxelArray; channels: 1 | 3 } {
  const { datatype } = header
  if (datatype.kind === 'plain') return { data: viewAs(datatype.name, buffer), channels: 1 }
  if (datatype.kind === 'wide') {
    const { data, exact } = narrow64(buffer, datatype.name === 'int64')
    if (!exact) warnings.push('Some values are too large to be kept to the last digit; they were rounded.')
    return { data, channels: 1 }
  }
  const rgb = dropAlpha(new Uint8Array(buffer), datatype.bytes)
  const grey = greyIfColourless(rgb)
  if (grey !== null) return { data: grey, channels: 1 }
  if (header.dims[2] === 1) return { data: rgb, channels: 3 }
  warnings.push('The volume is in colour; its brightness is used.')
  return { data: luminance(rgb), channels: 1 }
}

function dropAlpha(samples: Uint8Array<ArrayBuffer>, perVoxel: 3 | 4): Uint8Array<ArrayBuffer> {
  if (perVoxel === 3) return samples
  const rgb = new Uint8Array((samples.length / 4) * 3)
  for (let from = 0, to = 0; from < samples.length; from += 4) {
    rgb[to++] = samples[from] ?? 0
    rgb[to++] = samples[from + 1] ?? 0
    rgb[to++] = samples[from + 2] ?? 0
  }
  return rgb
}
