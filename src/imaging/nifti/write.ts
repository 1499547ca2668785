import type { VoxelType } from '../../core/contract/schemas.ts'
import { CodedError } from '../../core/contract/errors.ts'
import { writeChunks } from '../packed.ts'
import type { ImageVolume, VoxelArray } from '../types.ts'
import { bytesOf, sampleBytes, typeOf } from '../voxels/index.ts'
import { parseHeader } from './header.ts'
import { INTENT_LABEL, labelType, MASK_DESCRIPTION, maskHeader, type Labels, type LabelType } from './maskHeader.ts'
import { newHeader, type NewGeometry } from './newHeader.ts'

/** Samples written at once. */
const STEP = 2 ** 20

export interface NewVolume extends NewGeometry {
  /** Samples in file order: x fastest, channels interleaved; all of them, or piece by piece as a `VoxelStore` gives them. */
  readonly data: VoxelArray | AsyncIterable<VoxelArray>
  /** Volumes, one after the other; 1 where left out. */
  readonly frames?: number | undefined
  /** Of pieces; that of the array where left out. */
  readonly voxelType?: VoxelType | undefined
  /** 3: RGB, which has to be uint8. */
  readonly channels?: 1 | 3 | undefined
  /** scaled = raw * slope + inter; 1 and 0 where left out. */
  readonly slope?: number | undefined
  readonly inter?: number | undefined
  readonly description?: string | undefined
}

/**
 * Writes a new NIfTI volume, packed where the name ends in .gz: NIfTI-1, or NIfTI-2 where a side is longer than 32,767 voxels. Memory
 * holds one piece at a time. The name appears when the file is whole and on the disk. Returns the number of bytes written. Throws
 * CodedError: 'bad-request' for a type or an affine that NIfTI cannot hold, what the pieces throw, and as `writeAtomically`.
 */
export async function writeVolume(path: string, volume: NewVolume): Promise<number> {
  const { dims, data, frames = 1, channels = 1, slope = 1, inter = 0, description = 'Maskwright' } = volume
  const voxelType = Symbol.asyncIterator in data ? volume.voxelType : typeOf(data)
  if (voxelType === undefined) throw new RangeError('writeVolume: pieces of an unnamed type')
  if (channels === 3 && voxelType !== 'uint8') {
    throw new CodedError('bad-request', 'NIfTI holds colours of 8 bits only; choose TIFF or another data type.')
  }
  const samples = dims[0] * dims[1] * dims[2] * frames * channels
  if (!(Symbol.asyncIterator in data) && data.length !== samples) {
    throw new RangeError('writeVolume: dims and data do not agree')
  }
  const type = channels === 3 ? 'rgb24' : voxelType
  const header = newHeader({ ...volume, type, slope, inter, intent: 0, description })
  const total = samples * sampleBytes(voxelType)
  return writeChunks(path, counted(total, header, Symbol.asyncIterator in data ? data : inSteps(data)), 3)
}

/** What of an image its mask is written with. */
export type MaskImage = Pick<ImageVolume, 'dims' | 'source'> & Partial<Pick<ImageVolume, 'affine' | 'spacing'>>

/**
 * Writes a label map, one label a voxel in the image's voxel order, as NIfTI of the smallest unsigned type that has room for its
 * labels (and `leastBits`), slope 1; packed where the name ends in .gz. For a NIfTI image: its own version, byte order, qform, sform, codes, units and
 * extensions, byte by byte. For any other image: NIfTI in mm with its affine as sform and qform. The name appears when
 * the file is whole and on the disk. Returns the number of bytes written; throws as `writeAtomically`.
 */
export async function writeNiftiMask(
  path: string,
  labels: Labels,
  image: MaskImage,
  leastBits: 8 | 16 = 8,
): Promise<number> {
  const [nx, ny, nz] = image.dims
  if (labels.length !== nx * ny * nz) throw new RangeError(`${labels.length} labels for ${nx * ny * nz} voxels`)
  const type = labelType(labels, leastBits)
  const { source } = image
  if (source.kind !== 'nifti') {
    const { affine = null, spacing } = image
    const header = newHeader({
      ...{ dims: image.dims, affine, spacing, type, slope: 1, inter: 0 },
      ...{ intent: INTENT_LABEL, description: MASK_DESCRIPTION },
    })
    return writeChunks(path, counted(labels.length * sampleBytes(type), header, narrowed(labels, type, true)), 6)
  }
  const parsed = parseHeader(source.header, source.path)
  const header = maskHeader(parsed, source.extensions, type)
  const bytes = labels.length * sampleBytes(type)
  return writeChunks(path, counted(bytes, header, narrowed(labels, type, parsed.littleEndian)), 6)
}

/** In steps, so that packing does not need a second copy of a whole volume. */
function* inSteps(data: VoxelArray): Generator<VoxelArray> {
  for (let at = 0; at < data.length; at += STEP) yield data.subarray(at, at + STEP)
}

const LABEL_ARRAYS = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array } as const

function* narrowed(labels: Labels, type: LabelType, littleEndian: boolean): Generator<VoxelArray> {
  for (let at = 0; at < labels.length; at += STEP) {
    const part = labels.subarray(at, at + STEP)
    const copy = LABEL_ARRAYS[type].from(part)
    if (!littleEndian) swap(copy)
    yield copy
  }
}

function swap(labels: Uint8Array | Uint16Array | Uint32Array): void {
  const buffer = Buffer.from(labels.buffer, labels.byteOffset, labels.byteLength)
  if (labels instanceof Uint16Array) buffer.swap16()
  else if (labels instanceof Uint32Array) buffer.swap32()
}

/** The header and the bytes of the pieces, which have to be as many as announced. */
async function* counted(
  total: number,
  header: Uint8Array,
  pieces: AsyncIterable<VoxelArray> | Iterable<VoxelArray>,
): AsyncGenerator<Uint8Array> {
  yield header
  let count = 0
  for await (const piece of pieces) {
    count += piece.byteLength
    yield bytesOf(piece)
  }
  if (count !== total) throw new RangeError(`${count} bytes of voxels where ${total} were announced`)
}
