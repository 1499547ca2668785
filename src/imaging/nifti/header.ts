import { NIFTI1, NIFTI2 } from 'nifti-reader-js'
import { badFile } from '../files.ts'
import { datatypeOf, refusedDatatype, type Datatype } from './datatypes.ts'

export const NIFTI1_BYTES = 348
export const NIFTI2_BYTES = 540
/** Header and the four bytes that say whether extensions follow. */
export const NIFTI1_OFFSET = 352
export const NIFTI2_OFFSET = 544

/** Changes are recorded as runs with 32-bit positions, so a mask cannot be larger. */
const MAX_VOXELS = 2 ** 32 - 1

/** The fields that are used, checked. */
export interface NiftiHeader {
  readonly version: 1 | 2
  /** The header as in the file: 348 or 540 bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly littleEndian: boolean
  /** Number of dimensions the file states, 1 to 7. */
  readonly rank: number
  readonly dims: readonly [number, number, number]
  /** Product of the dimensions beyond the third. */
  readonly frames: number
  readonly datatype: Datatype
  /** 0: none, or as good as none. */
  readonly slope: number
  readonly inter: number
  /** Where the voxels begin, in bytes. */
  readonly offset: number
  readonly pixdim: readonly number[]
  readonly qformCode: number
  readonly sformCode: number
  /** b, c, d */
  readonly quaternion: readonly [number, number, number]
  readonly qoffset: readonly [number, number, number]
  /** The three rows of the sform as stored, whatever its code. */
  readonly srow: readonly (readonly number[])[]
  /** The spatial part of xyzt_units: 0 unknown, 1 metre, 2 mm, 3 micrometre. */
  readonly lengthUnit: number
}

/** Which version a header's magic bytes say; null: no single-file NIfTI image. `pair`: a header of an .hdr/.img pair. */
export function niftiVersion(start: Uint8Array): 1 | 2 | 'pair' | null {
  const magic = (at: number): string => String.fromCharCode(...start.subarray(at, at + 3))
  if (start.length >= NIFTI1_BYTES) {
    if (magic(344) === 'n+1') return 1
    if (magic(344) === 'ni1') return 'pair'
  }
  if (start.length >= NIFTI2_BYTES) {
    if (magic(4) === 'n+2') return 2
    if (magic(4) === 'ni2') return 'pair'
  }
  return null
}

/**
 * Reads and checks a header. `start` holds the first bytes of the (unpacked) file.
 * Throws CodedError('bad-file') with a sentence that names the file.
 */
export function parseHeader(start: Uint8Array, path: string): NiftiHeader {
  const version = niftiVersion(start)
  if (version === 'pair') {
    throw badFile(path, 'is half of an .hdr/.img pair; convert the pair to one .nii file and open that.')
  }
  if (version === null) throw badFile(path, 'is not a NIfTI image; choose a .nii or .nii.gz file.')
  // The library reads extensions too and throws on odd ones, which do not matter here: it gets the header alone.
  const bytes = Uint8Array.from(start.subarray(0, version === 1 ? NIFTI1_BYTES : NIFTI2_BYTES))
  const parsed = version === 1 ? new NIFTI1() : new NIFTI2()
  try {
    parsed.readHeader(bytes.buffer)
  } catch (error) {
    throw badFile(path, 'has a damaged NIfTI header; get the file again from where it came from.', error)
  }
  const { rank, dims, frames } = checkDims(parsed.dims, path)
  const datatype = datatypeOf(parsed.datatypeCode)
  if (datatype === null) {
    const refused = refusedDatatype(parsed.datatypeCode)
    throw refused === null
      ? badFile(
          path,
          `has an unknown data type (code ${parsed.datatypeCode}); get the file again from where it came from.`,
        )
      : badFile(path, `holds ${refused}, which cannot be shown; convert it to integers or float32.`)
  }
  const scaled = Number.isFinite(parsed.scl_slope) && parsed.scl_slope !== 0 && datatype.kind !== 'colour'
  return {
    version,
    bytes,
    littleEndian: parsed.littleEndian,
    rank,
    dims,
    frames,
    datatype,
    slope: scaled ? parsed.scl_slope : 1,
    inter: scaled && Number.isFinite(parsed.scl_inter) ? parsed.scl_inter : 0,
    offset: checkOffset(parsed.vox_offset, version, path),
    pixdim: parsed.pixDims,
    qformCode: parsed.qform_code,
    sformCode: parsed.sform_code,
    quaternion: [parsed.quatern_b, parsed.quatern_c, parsed.quatern_d],
    qoffset: [parsed.qoffset_x, parsed.qoffset_y, parsed.qoffset_z],
    srow: readSrow(bytes, version, parsed.littleEndian),
    lengthUnit: parsed.xyzt_units & 7,
  }
}

function checkDims(
  stated: readonly number[],
  path: string,
): { rank: number; dims: [number, number, number]; frames: number } {
  const rank = stated[0] ?? 0
  if (!Number.isInteger(rank) || rank < 1 || rank > 7) {
    throw badFile(path, `states ${rank} dimensions in its header; get the file again from where it came from.`)
  }
  const extents = stated.slice(1, rank + 1)
  if (extents.some((extent) => !Number.isInteger(extent) || extent < 1)) {
    throw badFile(
      path,
      `states an impossible size (${extents.join(' x ')}); get the file again from where it came from.`,
    )
  }
  const [x = 1, y = 1, z = 1, ...more] = extents
  const frames = more.reduce((product, extent) => product * extent, 1)
  if (x * y * z > MAX_VOXELS) {
    throw badFile(path, `states ${x} x ${y} x ${z} voxels, more than can be annotated; crop or downsample it.`)
  }
  return { rank, dims: [x, y, z], frames }
}

function checkOffset(stated: number, version: 1 | 2, path: string): number {
  const smallest = version === 1 ? NIFTI1_OFFSET : NIFTI2_OFFSET
  if (stated === 0) return smallest
  if (!Number.isFinite(stated) || stated < smallest || stated > Number.MAX_SAFE_INTEGER) {
    throw badFile(path, 'says in its header that its voxels begin at an impossible place; get the file again.')
  }
  return Math.floor(stated)
}

/** The library gives the sform only where its own choice of affine falls on it; this gives it always. */
function readSrow(bytes: Uint8Array, version: 1 | 2, littleEndian: boolean): number[][] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const value = (n: number): number =>
    version === 1 ? view.getFloat32(280 + 4 * n, littleEndian) : view.getFloat64(400 + 8 * n, littleEndian)
  return [0, 1, 2].map((row) => [0, 1, 2, 3].map((column) => value(4 * row + column)))
}

/** "512 x 512 x 100 voxels of int16" for messages. */
export function describeSize(header: NiftiHeader): string {
  return `${header.dims.join(' x ')} voxels of ${header.datatype.name}`
}
