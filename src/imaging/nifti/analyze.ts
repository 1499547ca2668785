import type { Affine } from '../../core/contract/schemas.ts'
import type { RawHeader } from './header.ts'

/**
 * The header of an Analyze 7.5 file as SPM wrote it, in the way nibabel reads it (`Spm2AnalyzeHeader`): a slope where NIfTI has
 * it, else one of the ranges before and after scaling; x to the left; an origin in voxels, counted from 1, or the middle.
 */
export function parseAnalyze(bytes: Uint8Array<ArrayBuffer>): RawHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const le = view.getInt32(0, true) === 348
  const int16 = (at: number, count: number): number[] =>
    Array.from({ length: count }, (_, i) => view.getInt16(at + 2 * i, le))
  const float = (at: number, count: number): number[] =>
    Array.from({ length: count }, (_, i) => view.getFloat32(at + 4 * i, le))
  const stated = int16(40, 8)
  const pixdim = float(76, 8)
  return {
    bytes,
    littleEndian: le,
    stated,
    datatypeCode: view.getInt16(70, le),
    statedOffset: Math.max(0, view.getFloat32(108, le)),
    ...scaling(view, le),
    pixdim,
    qformCode: 0,
    sformCode: 0,
    quaternion: [0, 0, 0],
    qoffset: [0, 0, 0],
    srow: [],
    lengthUnit: 0,
    plainAffine: affineOf(stated, pixdim, int16(253, 3)),
  }
}

function scaling(view: DataView, le: boolean): { slope: number; inter: number } {
  const slope = view.getFloat32(112, le)
  if (Number.isFinite(slope) && slope !== 0) return { slope, inter: view.getFloat32(116, le) }
  const [calMax, calMin] = [view.getFloat32(124, le), view.getFloat32(128, le)]
  const [glMax, glMin] = [view.getInt32(140, le), view.getInt32(144, le)]
  const derived = (calMax - calMin) / (glMax - glMin)
  return glMax === glMin ? { slope: 0, inter: 0 } : { slope: derived, inter: calMin - derived * glMin }
}

function affineOf(stated: readonly number[], pixdim: readonly number[], origin: readonly number[]): Affine {
  const size = [1, 2, 3].map((i) => (i <= (stated[0] ?? 0) ? Math.max(1, stated[i] ?? 1) : 1))
  const stated1 = origin.some((at) => at !== 0)
  const sensible = origin.every((at, axis) => at > -(size[axis] ?? 1) && at < 2 * (size[axis] ?? 1))
  const step = [1, 2, 3].map((i) => {
    const length = Math.abs(pixdim[i] ?? 1)
    return (i === 1 ? -1 : 1) * (Number.isFinite(length) && length !== 0 ? length : 1)
  })
  const at = (axis: number): number => {
    const voxel = stated1 && sensible ? (origin[axis] ?? 1) - 1 : ((size[axis] ?? 1) - 1) / 2
    return -voxel * (step[axis] ?? 1)
  }
  const [x = 1, y = 1, z = 1] = step
  return [
    [x, 0, 0, at(0)],
    [0, y, 0, at(1)],
    [0, 0, z, at(2)],
    [0, 0, 0, 1],
  ]
}
