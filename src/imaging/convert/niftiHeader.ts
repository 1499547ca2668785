import type { Affine, Dims, Vec3 } from '../../core/contract/schemas.ts'
import {
  affineToQform,
  arranged,
  isQformOf,
  isIdentity,
  largestDistance,
  qformToAffine,
  withoutRounding,
  type Reorientation,
} from '../../core/geometry/index.ts'
import type { Qform } from '../../core/geometry/index.ts'
import type { ImageVolume } from '../types.ts'
import { NiftiFields } from './niftiFields.ts'
import type { WrittenType } from './samples.ts'

/** What a NIfTI file that is written holds. */
export interface NiftiContent {
  /** Extents of the volume in the order in which it is written. */
  readonly dims: Dims
  /** Extents beyond the third; empty for a single volume. */
  readonly frames: readonly number[]
  readonly type: WrittenType
  readonly slope: number
  readonly inter: number
  /** The order in which the volume is written; null: as it is stored. */
  readonly order: Reorientation | null
}

export interface WrittenHeader {
  /** Everything before the voxels. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly littleEndian: boolean
  /** The affine that a reader finds in it, in its own unit; null where it states none. */
  readonly affine: Affine | null
}

const DATATYPES: Readonly<Record<WrittenType, readonly [code: number, bits: number]>> = {
  ...{ uint8: [2, 8], int8: [256, 8], uint16: [512, 16], int16: [4, 16], uint32: [768, 32], int32: [8, 32] },
  ...{ uint64: [1280, 64], int64: [1024, 64], float32: [16, 32], float64: [64, 64], rgb24: [128, 24] },
} as const

const SCANNER = 1
const ALIGNED = 2
const MILLIMETRES = 2
/** NIfTI-1 counts voxels along a side in 15 bits. */
const LONGEST_NIFTI1 = 32767
/** mm: nearer to it, a qform says what the affine says. */
const SAME_PLACE = 1e-3

/**
 * The header of an image that is written as NIfTI. One that comes from NIfTI keeps its version, its byte order, its extensions and
 * every field that still holds; one that does not gets both forms with the code of scanner coordinates.
 */
export function headerFor(image: ImageVolume, content: NiftiContent): WrittenHeader {
  return image.source.kind === 'nifti'
    ? keptHeader(image, image.source.header, image.source.extensions, content)
    : newHeader(image, content)
}

function keptHeader(
  { info }: ImageVolume,
  source: Uint8Array,
  extensions: Uint8Array,
  content: NiftiContent,
): WrittenHeader {
  const version = info.format === 'nifti2' ? 2 : 1
  const littleEndian = info.byteOrder === 'little'
  const fields = new NiftiFields(version, littleEndian, extensions.length)
  fields.bytes.set(source)
  fields.bytes.set(extensions, fields.headerBytes + 4)
  fields.bytes.fill(0, fields.headerBytes, fields.headerBytes + 4)
  if (extensions.length > 0) fields.bytes[fields.headerBytes] = 1
  const { order } = content
  const moved = order !== null && !isIdentity(order)
  const rank = Math.max(fields.dim(0), moved ? 3 : 1)
  putContent(fields, content, content.frames.length > 0 ? 3 + content.frames.length : Math.min(rank, 3))
  if (info.affineSource === 'qform' && info.affine !== null && fields.sformCode > 0) {
    // Chosen against the rule, or since the sform is unusable: others go by the sform, and would find the image elsewhere.
    fields.setSform(info.affine)
    fields.setCodes(fields.qformCode, fields.qformCode)
  }
  if (order === null || info.affine === null) {
    return { bytes: fields.bytes, littleEndian, affine: info.affineSource === 'pixdim' ? null : info.affine }
  }
  const stored: Dims = [info.dims[0] ?? 1, info.dims[1] ?? 1, info.dims[2] ?? 1]
  const affine = reorderForms(fields, stored, info.affine, info.affineSource, order)
  reorderTiming(fields, order)
  return { bytes: fields.bytes, littleEndian, affine }
}

/** Turns both forms, the voxel sizes and the quaternion; gives the affine that counts. */
function reorderForms(
  fields: NiftiFields,
  stored: Dims,
  used: Affine,
  source: ImageVolume['info']['affineSource'],
  order: Reorientation,
): Affine {
  const precision = fields.version === 1 ? 2 ** -24 : 2 ** -48
  const turned = (affine: Affine): Affine =>
    withoutRounding(order.dims, arranged(stored, affine, order.axes, order.flips).affine, precision)
  const main = turned(used)
  const pixdim = fields.pixdim()
  const spacing = order.axes.map((axis) => Math.abs(pixdim[axis + 1] ?? 0)) as Vec3
  const sform = source === 'sform' || fields.sformCode <= 0 ? main : turned(fields.sform())
  let qform = main
  if (fields.qformCode > 0 && source !== 'qform') {
    const [qfac = 1, dx = 1, dy = 1, dz = 1] = pixdim
    const own: Qform = {
      ...fields.quaternion(),
      spacing: [Math.abs(dx), Math.abs(dy), Math.abs(dz)],
      qfac: qfac < 0 ? -1 : 1,
    }
    // Where both forms say the same they are written from the same numbers, so that they go on saying it.
    if (!isQformOf(own, used)) qform = turned(qformToAffine(own))
  }
  // Nobody said where the volume lies: what was assumed is written down as the alignment that it is.
  if (source === 'pixdim') fields.setCodes(ALIGNED, ALIGNED)
  fields.setSform(sform)
  const found = affineToQform(qform)
  if (found !== null)
    fields.setQform(
      found,
      spacing.every((length, axis) => isNear(length, found.spacing[axis] ?? 0)) ? spacing : found.spacing,
    )
  return main
}

function isNear(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-3 * b
}

/** Which axis is that of slices, rows and columns, and in which order the slices were taken. */
function reorderTiming(fields: NiftiFields, { axes, flips, dims }: Reorientation): void {
  const info = fields.dimInfo()
  const place = (axis: number): number => (axis === 0 ? 0 : axes.findIndex((old) => old === axis - 1) + 1)
  const slice = place(info.slice)
  fields.setDimInfo({ frequency: place(info.frequency), phase: place(info.phase), slice })
  if (slice === 0 || flips[slice - 1] !== true) return
  const last = (dims[slice - 1] ?? 1) - 1
  const { start, end, code } = fields.slices()
  // Sequential, alternating and alternating from the second, upwards and downwards, are pairs: 1 and 2, 3 and 4, 5 and 6.
  const mirrored = code >= 1 && code <= 6 ? (code % 2 === 1 ? code + 1 : code - 1) : code
  const stated = end > 0
  fields.setSlices({ start: stated ? last - end : start, end: stated ? last - start : end, code: mirrored })
}

function newHeader(image: ImageVolume, content: NiftiContent): WrittenHeader {
  const { dims, order } = content
  const version = [...dims, ...content.frames].some((extent) => extent > LONGEST_NIFTI1) ? 2 : 1
  const fields = new NiftiFields(version, true, 0)
  fields.start()
  putContent(fields, content, 3 + content.frames.length)
  const affine = order === null ? image.affine : order.affine
  if (affine === null) {
    fields.setPixdim(1, image.spacing)
    if (image.spacingKnown) fields.setUnit(MILLIMETRES)
    return { bytes: fields.bytes, littleEndian: true, affine: null }
  }
  fields.setUnit(MILLIMETRES)
  fields.setSform(affine)
  const qform = affineToQform(affine)
  if (qform !== null) fields.setQform(qform, qform.spacing)
  // Shear has no place in a qform.
  const straight = qform !== null && largestDistance(dims, qformToAffine(qform), affine) <= SAME_PLACE
  const code = image.info.affineSource === 'pixdim' ? ALIGNED : SCANNER
  fields.setCodes(straight ? code : 0, code)
  return { bytes: fields.bytes, littleEndian: true, affine }
}

function putContent(fields: NiftiFields, { dims, frames, type, slope, inter }: NiftiContent, rank: number): void {
  const extents = [...dims, ...frames]
  fields.setDims([rank, ...Array.from({ length: 7 }, (_, i) => extents[i] ?? 1)])
  const [code, bits] = DATATYPES[type]
  fields.setDatatype(code, bits)
  fields.setScaling(slope, inter)
  fields.setSingleFile()
}
