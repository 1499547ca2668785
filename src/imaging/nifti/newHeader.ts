import type { Affine, Dims, Vec3, VoxelType } from '../../core/contract/schemas.ts'
import { CodedError } from '../../core/contract/errors.ts'
import { affineToQform, largestDistance, qformToAffine, spacingOf } from '../../core/geometry/index.ts'
import { codeOf } from './datatypes.ts'
import { firstOffset, NIFTI1_BYTES, NIFTI2_BYTES } from './header.ts'
import { putText } from './maskHeader.ts'

export interface NewGeometry {
  readonly dims: Dims
  /**
   * RAS+ mm, voxel to world, 4x4 rows. Stored as sform and, where it has no shear, as the same qform, both with code 1 (scanner).
   * Null: neither, the voxel size alone.
   */
  readonly affine: Affine | null
  /** mm; needed where there is no affine, and 1 where it is left out then. */
  readonly spacing?: Vec3 | undefined
}

export interface NewHeader extends NewGeometry {
  readonly type: VoxelType | 'rgb24'
  /** Volumes along the fourth dimension; none where left out or 1. */
  readonly frames?: number | undefined
  readonly slope: number
  readonly inter: number
  readonly intent: number
  readonly description: string
}

/** More voxels a side do not fit into NIfTI-1. */
const MAX_NIFTI1 = 32767
/** As close as single precision keeps a rotation; a qform that is farther away has lost a shear and is marked as unknown. */
const SAME_MM = 0.05

/** A little-endian single-file header in mm up to the first voxel: NIfTI-1, or NIfTI-2 where a side is longer than 32,767. */
export function newHeader(header: NewHeader): Uint8Array<ArrayBuffer> {
  const version = [...header.dims, header.frames ?? 1].some((extent) => extent > MAX_NIFTI1) ? 2 : 1
  const bytes = new Uint8Array(firstOffset({ version, single: true }))
  const view = new DataView(bytes.buffer)
  const { affine } = header
  const spacing = affine === null ? (header.spacing ?? [1, 1, 1]) : spacingOf(affine)
  const none: ReturnType<typeof affineToQform> = { b: 0, c: 0, d: 0, offset: [0, 0, 0], spacing, qfac: 1 }
  const qform = affine === null ? none : affineToQform(affine)
  if (qform === null) throw new CodedError('bad-request', 'The affine of a new volume is singular.')
  const qformKept = affine !== null && largestDistance(header.dims, affine, qformToAffine(qform)) <= SAME_MM
  const put = version === 1 ? putNifti1 : putNifti2
  put(bytes, view, header, {
    pixdim: [qform.qfac, ...spacing, 1, 1, 1, 1],
    codes: [qformKept ? 1 : 0, affine === null ? 0 : 1],
    numbers: [qform.b, qform.c, qform.d, ...qform.offset, ...(affine ?? []).slice(0, 3).flat()],
  })
  return bytes
}

interface Forms {
  readonly pixdim: readonly number[]
  /** Of qform and sform. */
  readonly codes: readonly [number, number]
  /** Quaternion, offset, and the rows of the sform, as they follow each other in the header. */
  readonly numbers: readonly number[]
}

/** How many dimensions there are, then all seven. */
function extentsOf({ dims, frames = 1 }: NewHeader): number[] {
  return [frames > 1 ? 4 : 3, ...dims, frames, 1, 1, 1]
}

function putNifti1(bytes: Uint8Array, view: DataView, header: NewHeader, { pixdim, codes, numbers }: Forms): void {
  const int16 = (at: number, ...values: number[]): void => values.forEach((v, i) => view.setInt16(at + 2 * i, v, true))
  const float = (at: number, ...values: number[]): void =>
    values.forEach((v, i) => view.setFloat32(at + 4 * i, v, true))
  const { code, bits } = codeOf(header.type)
  view.setInt32(0, NIFTI1_BYTES, true)
  int16(40, ...extentsOf(header))
  int16(68, header.intent, code, bits)
  float(76, ...pixdim)
  float(108, bytes.length, header.slope, header.inter)
  view.setUint8(123, 2) // mm
  putText(bytes, 148, 80, header.description)
  int16(252, ...codes)
  float(256, ...numbers)
  putText(bytes, 344, 4, 'n+1')
}

function putNifti2(bytes: Uint8Array, view: DataView, header: NewHeader, { pixdim, codes, numbers }: Forms): void {
  const double = (at: number, ...values: number[]): void =>
    values.forEach((v, i) => view.setFloat64(at + 8 * i, v, true))
  const { code, bits } = codeOf(header.type)
  view.setInt32(0, NIFTI2_BYTES, true)
  putText(bytes, 4, 4, 'n+2')
  bytes.set([0x0d, 0x0a, 0x1a, 0x0a], 8)
  view.setInt16(12, code, true)
  view.setInt16(14, bits, true)
  extentsOf(header).forEach((extent, i) => view.setBigInt64(16 + 8 * i, BigInt(extent), true))
  double(104, ...pixdim)
  view.setBigInt64(168, BigInt(bytes.length), true)
  double(176, header.slope, header.inter)
  putText(bytes, 240, 80, header.description)
  view.setInt32(344, codes[0], true)
  view.setInt32(348, codes[1], true)
  double(352, ...numbers)
  view.setInt32(500, 2, true) // mm
  view.setInt32(504, header.intent, true)
}
