import { codeOf } from './datatypes.ts'
import { firstOffset, type NiftiHeader } from './header.ts'

/** NIFTI_INTENT_LABEL: the values are label numbers. */
export const INTENT_LABEL = 1002
export const MASK_DESCRIPTION = 'Maskwright label map'

/** One label a voxel. */
export type Labels = Uint8Array | Uint16Array | Uint32Array
export type LabelType = 'uint8' | 'uint16' | 'uint32'

/** The smallest type that has room for the largest label, and at least so many bits. */
export function labelType(labels: Labels, leastBits: 8 | 16 = 8): LabelType {
  const least = leastBits === 8 ? 'uint8' : 'uint16'
  if (labels instanceof Uint8Array) return least
  let largest = 0
  for (const label of labels) if (label > largest) largest = label
  if (largest < 2 ** 8) return least
  return largest < 2 ** 16 ? 'uint16' : 'uint32'
}

/**
 * The header of a mask in the geometry of its image: a copy of the image's header in the same version and byte order
 * (so qform, sform, their codes, pixdim, units and dim_info are the same bytes), with the fields that speak of the
 * image's values and timing set to those of a label map, and what of the file's extensions there is. A header of a pair
 * becomes that of a single file. NIfTI-2 stays NIfTI-2, since its geometry in double precision would be rounded otherwise.
 */
export function maskHeader(image: NiftiHeader, extensions: Uint8Array, type: LabelType): Uint8Array<ArrayBuffer> {
  const version = image.version === 2 ? 2 : 1
  const first = firstOffset({ version, single: true })
  const bytes = new Uint8Array(first + extensions.length)
  bytes.set(image.bytes)
  bytes.set(extensions, first)
  if (extensions.length > 0) bytes[first - 4] = 1
  const view = new DataView(bytes.buffer)
  const fields = { view, le: image.littleEndian, rank: Math.min(image.extents.length, 3), ...codeOf(type) }
  if (version === 1) setNifti1(bytes, fields)
  else setNifti2(bytes, fields)
  return bytes
}

interface Fields {
  readonly view: DataView
  readonly le: boolean
  readonly rank: number
  readonly code: number
  readonly bits: number
}

function setNifti1(bytes: Uint8Array, { view, le, rank, code, bits }: Fields): void {
  view.setInt16(40, rank, le)
  for (let i = rank + 1; i < 8; i++) view.setInt16(40 + 2 * i, 1, le)
  bytes.fill(0, 56, 68) // intent_p1..3
  view.setInt16(68, INTENT_LABEL, le)
  view.setInt16(70, code, le)
  view.setInt16(72, bits, le)
  view.setInt16(74, 0, le) // slice_start
  view.setFloat32(108, bytes.length, le)
  view.setFloat32(112, 1, le) // scl_slope
  view.setFloat32(116, 0, le) // scl_inter
  bytes.fill(0, 120, 123) // slice_end, slice_code
  bytes.fill(0, 124, 140) // cal_max, cal_min, slice_duration, toffset
  putText(bytes, 148, 80, MASK_DESCRIPTION)
  bytes.fill(0, 228, 252) // aux_file
  bytes.fill(0, 328, 344) // intent_name
  putText(bytes, 344, 4, 'n+1')
}

function setNifti2(bytes: Uint8Array, { view, le, rank, code, bits }: Fields): void {
  putText(bytes, 4, 4, 'n+2')
  view.setInt16(12, code, le)
  view.setInt16(14, bits, le)
  view.setBigInt64(16, BigInt(rank), le)
  for (let i = rank + 1; i < 8; i++) view.setBigInt64(16 + 8 * i, 1n, le)
  bytes.fill(0, 80, 104) // intent_p1..3
  view.setBigInt64(168, BigInt(bytes.length), le)
  view.setFloat64(176, 1, le) // scl_slope
  view.setFloat64(184, 0, le) // scl_inter
  bytes.fill(0, 192, 240) // cal_max, cal_min, slice_duration, toffset, slice_start, slice_end
  putText(bytes, 240, 80, MASK_DESCRIPTION)
  bytes.fill(0, 320, 344) // aux_file
  view.setInt32(496, 0, le) // slice_code
  view.setInt32(504, INTENT_LABEL, le)
  bytes.fill(0, 508, 524) // intent_name
}

/** Text with a zero at its end, in a field of its own. */
export function putText(bytes: Uint8Array, at: number, room: number, text: string): void {
  bytes.fill(0, at, at + room)
  bytes.set(new TextEncoder().encode(text).subarray(0, room - 1), at)
}
