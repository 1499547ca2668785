import { basename } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import type { VoxelArray } from '../types.ts'
import { niftiVersion, parseHeader, type NiftiHeader } from './header.ts'
import { readNifti } from './read.ts'

/**
 * Reads a written mask again from the disk and compares it with what it should be: type, shape, every label, affine,
 * and the numbers of qform, sform, pixdim and units with those of the image. Throws CodedError('verify-failed').
 */
export async function verifyNiftiMask(path: string, labels: Uint8Array, sourceHeader: Uint8Array): Promise<void> {
  const image = parseHeader(sourceHeader, path)
  const mask = await readNifti(path).catch((error: unknown) => {
    throw failed(path, 'could not be read again', error)
  })
  if (mask.source.kind !== 'nifti') throw failed(path, 'is no NIfTI file')
  const header = parseHeader(mask.source.header, path)
  if (header.version !== niftiVersion(sourceHeader)) throw failed(path, 'has another format version than its image')
  if (header.datatype.name !== 'uint8' || header.slope !== 1 || header.inter !== 0 || header.frames !== 1) {
    throw failed(path, 'is not a plain uint8 label map')
  }
  if (header.dims.join() !== image.dims.join()) throw failed(path, 'has another shape than its image')
  const difference = geometryDifference(header, image)
  if (difference !== null) throw failed(path, `has another ${difference} than its image`)
  if (!sameLabels(await mask.voxels.all(), labels)) throw failed(path, 'does not hold the labels that were to be saved')
}

function geometryDifference(a: NiftiHeader, b: NiftiHeader): string | null {
  // Object.is, so that NaN in an unused field of a sloppy header counts as equal to itself.
  const same = (x: readonly number[], y: readonly number[]): boolean =>
    x.length === y.length && x.every((value, i) => Object.is(value, y[i]))
  if (a.sformCode !== b.sformCode || a.qformCode !== b.qformCode) return 'sform or qform code'
  if (!same(a.srow.flat(), b.srow.flat())) return 'sform'
  if (!same([...a.quaternion, ...a.qoffset], [...b.quaternion, ...b.qoffset])) return 'qform'
  if (!same(a.pixdim.slice(0, 4), b.pixdim.slice(0, 4))) return 'voxel size'
  return a.lengthUnit === b.lengthUnit ? null : 'unit of length'
}

function sameLabels(read: VoxelArray, labels: Uint8Array): boolean {
  return read instanceof Uint8Array && Buffer.compare(read, labels) === 0
}

function failed(path: string, what: string, cause?: unknown): CodedError {
  return new CodedError(
    'verify-failed',
    `${basename(path)} was written but ${what}; save it again, to another disk if it happens again.`,
    cause instanceof Error ? { cause, detail: cause.message } : {},
  )
}
