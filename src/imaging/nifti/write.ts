import { createGzip } from 'node:zlib'
import { Readable } from 'node:stream'
import type { Affine, Dims } from '../../core/contract/schemas.ts'
import { affineToQform } from '../../core/geometry/index.ts'
import { CodedError } from '../../core/contract/errors.ts'
import { writeAtomically } from '../files.ts'
import type { VoxelArray } from '../types.ts'
import { codeOf, typeOf } from './datatypes.ts'
import { NIFTI1_BYTES, NIFTI1_OFFSET, NIFTI2_OFFSET, niftiVersion } from './header.ts'

/** NIFTI_INTENT_LABEL: the values are label numbers. */
const INTENT_LABEL = 1002
const UINT8 = 2
const DESCRIPTION = 'Maskwright label map'

/**
 * The header of a mask in the geometry of its image: a copy of the image's header in the same version and byte order
 * (so qform, sform, their codes, pixdim, units and dim_info are the same bytes), with the fields that speak of the
 * image's values and timing set to those of a uint8 label map. NIfTI-2 stays NIfTI-2, since its geometry in double
 * precision would be rounded otherwise. Ends with the four bytes that say that no extensions follow.
 */
export function maskHeader(source: Uint8Array, littleEndian: boolean): Uint8Array<ArrayBuffer> {
  const version = niftiVersion(source)
  if (version !== 1 && version !== 2) throw new RangeError('maskHeader: not a NIfTI header')
  const bytes = new Uint8Array(version === 1 ? NIFTI1_OFFSET : NIFTI2_OFFSET)
  bytes.set(source)
  const view = new DataView(bytes.buffer)
  const le = littleEndian
  if (version === 1) {
    const rank = Math.min(view.getInt16(40, le), 3)
    view.setInt16(40, rank, le)
    for (let i = rank + 1; i < 8; i++) view.setInt16(40 + 2 * i, 1, le)
    bytes.fill(0, 56, 68) // intent_p1..3
    view.setInt16(68, INTENT_LABEL, le)
    view.setInt16(70, UINT8, le)
    view.setInt16(72, 8, le) // bitpix
    view.setInt16(74, 0, le) // slice_start
    view.setFloat32(108, NIFTI1_OFFSET, le)
    view.setFloat32(112, 1, le) // scl_slope
    view.setFloat32(116, 0, le) // scl_inter
    bytes.fill(0, 120, 123) // slice_end, slice_code
    bytes.fill(0, 124, 140) // cal_max, cal_min, slice_duration, toffset
    putText(bytes, 148, 80, DESCRIPTION)
    bytes.fill(0, 228, 252) // aux_file
    bytes.fill(0, 328, 344) // intent_name
  } else {
    view.setInt16(12, UINT8, le)
    view.setInt16(14, 8, le) // bitpix
    const rank = Math.min(Number(view.getBigInt64(16, le)), 3)
    view.setBigInt64(16, BigInt(rank), le)
    for (let i = rank + 1; i < 8; i++) view.setBigInt64(16 + 8 * i, 1n, le)
    bytes.fill(0, 80, 104) // intent_p1..3
    view.setBigInt64(168, BigInt(NIFTI2_OFFSET), le)
    view.setFloat64(176, 1, le) // scl_slope
    view.setFloat64(184, 0, le) // scl_inter
    bytes.fill(0, 192, 240) // cal_max, cal_min, slice_duration, toffset, slice_start, slice_end
    putText(bytes, 240, 80, DESCRIPTION)
    bytes.fill(0, 320, 344) // aux_file
    view.setInt32(496, 0, le) // slice_code
    view.setInt32(504, INTENT_LABEL, le)
    bytes.fill(0, 508, 524) // intent_name
  }
  return bytes
}

export interface NewVolume {
  readonly dims: Dims
  /** RAS+ mm; stored as sform and, where it has no shear, the same qform, both with code 1 (scanner). */
  readonly affine: Affine
  /** One sample a voxel, x fastest. */
  readonly data: VoxelArray
  readonly description?: string
}

/** Writes a new NIfTI-1 volume, packed where the name ends in .gz. Returns the number of bytes written. */
export async function writeVolume(path: string, volume: NewVolume): Promise<number> {
  const { dims, data } = volume
  if (data.length !== dims[0] * dims[1] * dims[2]) throw new RangeError('writeVolume: dims and data do not agree')
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return writeNifti(path, newHeader(volume), bytes)
}

function newHeader({ dims, affine, data, description = 'Maskwright' }: NewVolume): Uint8Array<ArrayBuffer> {
  if (dims.some((extent) => extent > 32767))
    throw new CodedError('bad-request', 'NIfTI-1 holds at most 32767 voxels a side.')
  const bytes = new Uint8Array(NIFTI1_OFFSET)
  const view = new DataView(bytes.buffer)
  const int16 = (at: number, ...values: number[]): void => values.forEach((v, i) => view.setInt16(at + 2 * i, v, true))
  const float = (at: number, ...values: number[]): void =>
    values.forEach((v, i) => view.setFloat32(at + 4 * i, v, true))
  const type = codeOf(typeOf(data))
  const qform = affineToQform(affine)
  if (qform === null) throw new CodedError('bad-request', 'The affine of a new volume is singular.')
  view.setInt32(0, NIFTI1_BYTES, true)
  int16(40, 3, ...dims, 1, 1, 1, 1)
  int16(70, type.code, type.bytes * 8)
  float(76, qform.qfac, ...qform.spacing, 1, 1, 1, 1)
  float(108, NIFTI1_OFFSET, 1, 0)
  view.setUint8(123, 2) // mm
  putText(bytes, 148, 80, description)
  int16(252, 1, 1) // qform_code, sform_code
  float(256, qform.b, qform.c, qform.d, ...qform.offset)
  float(280, ...affine.slice(0, 3).flat())
  putText(bytes, 344, 4, 'n+1')
  return bytes
}

function putText(bytes: Uint8Array, at: number, room: number, text: string): void {
  bytes.fill(0, at, at + room)
  bytes.set(new TextEncoder().encode(text).subarray(0, room - 1), at)
}

/** Header and voxels, both as they shall be in the file; packed where the name ends in .gz. */
export async function writeNifti(path: string, header: Uint8Array, voxels: Uint8Array): Promise<number> {
  const chunks = pieces(header, voxels)
  if (!path.toLowerCase().endsWith('.gz')) return writeAtomically(path, chunks)
  const gzip = createGzip({ level: 6, chunkSize: 2 ** 18 })
  const plain = Readable.from(chunks)
  plain.on('error', (error) => gzip.destroy(error))
  plain.pipe(gzip)
  try {
    return await writeAtomically(path, gzip as AsyncIterable<Buffer>)
  } finally {
    plain.destroy()
    gzip.destroy()
  }
}

/** In steps, so that packing does not need a second copy of a whole volume. */
function* pieces(header: Uint8Array, voxels: Uint8Array): Generator<Uint8Array> {
  yield header
  const step = 2 ** 20
  for (let at = 0; at < voxels.length; at += step) yield voxels.subarray(at, at + step)
}
