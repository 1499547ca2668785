import { NIFTI1, NIFTI2 } from 'nifti-reader-js'
import type { Affine } from '../../core/contract/schemas.ts'
import { badFile } from '../files.ts'
import { parseAnalyze } from './analyze.ts'
import { datatypeOf, refusedDatatype, type Datatype } from './datatypes.ts'

export const NIFTI1_BYTES = 348
export const NIFTI2_BYTES = 540

/** Changes are recorded as runs with 32-bit positions, so a mask cannot be larger. */
const MAX_VOXELS = 2 ** 32 - 1

/** What a header is: the voxels follow in the same file (`single`), or lie in a second one. */
export interface HeaderKind {
  readonly version: 1 | 2 | 'analyze'
  readonly single: boolean
}

/** The fields that are used, checked. */
export interface NiftiHeader extends HeaderKind {
  /** The header as in the file: 348 or 540 bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly littleEndian: boolean
  /** The dimensions that the file states, one to seven. */
  readonly extents: readonly number[]
  readonly dims: readonly [number, number, number]
  /** Product of the dimensions beyond the third. */
  readonly frames: number
  readonly datatype: Datatype
  /** 1 and 0 where the file states none, or none that is a number. */
  readonly slope: number
  readonly inter: number
  /** Where in their file the voxels begin, in bytes. */
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
  /** Of Analyze files, which have no forms: the affine of their voxel size and origin. */
  readonly plainAffine: Affine | null
}

/** The fields as they are stored, in numbers of JavaScript. */
export type RawHeader = Omit<NiftiHeader, keyof HeaderKind | 'extents' | 'dims' | 'frames' | 'datatype' | 'offset'> & {
  readonly stated: readonly number[]
  readonly datatypeCode: number
  readonly statedOffset: number
}

/** What the first bytes of an unpacked file are; null: no NIfTI header. Analyze files have no magic bytes, so their name counts. */
export function headerKind(start: Uint8Array, name: string): HeaderKind | null {
  const has = (at: number, text: string): boolean =>
    Buffer.from(text, 'latin1').every((byte, i) => start[at + i] === byte)
  if (start.length >= NIFTI2_BYTES) {
    if (has(4, 'n+2\0')) return { version: 2, single: true }
    if (has(4, 'ni2\0')) return { version: 2, single: false }
  }
  if (start.length < NIFTI1_BYTES) return null
  if (has(344, 'n+1')) return { version: 1, single: true }
  if (has(344, 'ni1')) return { version: 1, single: false }
  if (!/\.hdr(\.gz)?$/i.test(name)) return null
  const size = new DataView(start.buffer, start.byteOffset, 4)
  const isAnalyze = size.getInt32(0, true) === NIFTI1_BYTES || size.getInt32(0, false) === NIFTI1_BYTES
  return isAnalyze ? { version: 'analyze', single: false } : null
}

/**
 * Reads and checks a header. `start` holds the first bytes of the unpacked file `path`.
 * Throws CodedError('bad-file') with a sentence that names the file.
 */
export function parseHeader(start: Uint8Array, path: string): NiftiHeader {
  const kind = headerKind(start, path)
  if (kind === null) throw badFile(path, 'is not a NIfTI image; choose a .nii, .nii.gz, .hdr or .img file.')
  const bytes = Uint8Array.from(start.subarray(0, kind.version === 2 ? NIFTI2_BYTES : NIFTI1_BYTES))
  const { stated, datatypeCode, statedOffset, ...fields } =
    kind.version === 'analyze' ? parseAnalyze(bytes) : parseNifti(bytes, kind.version, path)
  const datatype = datatypeOf(datatypeCode)
  if (datatype === null) throw badDatatype(datatypeCode, path)
  const scaled = Number.isFinite(fields.slope) && fields.slope !== 0 && datatype.kind !== 'colour'
  return {
    ...kind,
    ...fields,
    ...checkDims(stated, path),
    datatype,
    slope: scaled ? fields.slope : 1,
    inter: scaled && Number.isFinite(fields.inter) ? fields.inter : 0,
    offset: checkOffset(statedOffset, kind, path),
  }
}

function parseNifti(bytes: Uint8Array<ArrayBuffer>, version: 1 | 2, path: string): RawHeader {
  // The library reads extensions too and throws on odd ones, which do not matter here: it gets the header alone.
  const parsed = version === 1 ? new NIFTI1() : new NIFTI2()
  try {
    parsed.readHeader(bytes.buffer)
  } catch (error) {
    throw badFile(path, 'has a damaged NIfTI header; get the file again from where it came from.', error)
  }
  const { littleEndian } = parsed
  const view = new DataView(bytes.buffer)
  // Large numbers of big-endian NIfTI-2 headers come out of the library as negative ones.
  const whole = (at: number): number => Number(view.getBigInt64(at, littleEndian))
  // It gives the sform only where its own choice of affine, which is not nibabel's, falls on it.
  const srow = (n: number): number =>
    version === 1 ? view.getFloat32(280 + 4 * n, littleEndian) : view.getFloat64(400 + 8 * n, littleEndian)
  return {
    bytes,
    littleEndian,
    stated: version === 1 ? parsed.dims : Array.from({ length: 8 }, (_, i) => whole(16 + 8 * i)),
    datatypeCode: parsed.datatypeCode,
    statedOffset: version === 1 ? parsed.vox_offset : whole(168),
    slope: parsed.scl_slope,
    inter: parsed.scl_inter,
    pixdim: parsed.pixDims,
    qformCode: parsed.qform_code,
    sformCode: parsed.sform_code,
    quaternion: [parsed.quatern_b, parsed.quatern_c, parsed.quatern_d],
    qoffset: [parsed.qoffset_x, parsed.qoffset_y, parsed.qoffset_z],
    srow: [0, 1, 2].map((row) => [0, 1, 2, 3].map((column) => srow(4 * row + column))),
    lengthUnit: parsed.xyzt_units & 7,
    plainAffine: null,
  }
}

function badDatatype(code: number, path: string): Error {
  const refused = refusedDatatype(code)
  return refused === null
    ? badFile(path, `has an unknown data type (code ${code}); get the file again from where it came from.`)
    : badFile(path, `holds ${refused}, which cannot be shown; convert it to integers or float32.`)
}

function checkDims(stated: readonly number[], path: string): Pick<NiftiHeader, 'extents' | 'dims' | 'frames'> {
  const rank = stated[0] ?? 0
  if (!Number.isInteger(rank) || rank < 1 || rank > 7) {
    throw badFile(path, `states ${rank} dimensions in its header; get the file again from where it came from.`)
  }
  const extents = stated.slice(1, rank + 1)
  if (extents.some((extent) => !Number.isSafeInteger(extent) || extent < 1)) {
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
  return { extents, dims: [x, y, z], frames }
}

/** Bytes before the voxels of a single file: the header and the four that say whether extensions follow. */
export function firstOffset({ version, single }: HeaderKind): number {
  if (!single) return 0
  return (version === 2 ? NIFTI2_BYTES : NIFTI1_BYTES) + 4
}

function checkOffset(stated: number, kind: HeaderKind, path: string): number {
  const smallest = firstOffset(kind)
  if (stated === 0) return smallest
  if (!Number.isFinite(stated) || stated < smallest || stated > Number.MAX_SAFE_INTEGER) {
    throw badFile(path, 'says in its header that its voxels begin at an impossible place; get the file again.')
  }
  return Math.floor(stated)
}

/** "512 x 512 x 100 voxels of int16" for messages. */
export function describeSize({ extents, datatype }: Pick<NiftiHeader, 'extents' | 'datatype'>): string {
  return `${extents.join(' x ')} voxels of ${datatype.name}`
}
