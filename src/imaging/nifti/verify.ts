import { largestDistance } from '../../core/geometry/index.ts'
import type { Affine } from '../../core/contract/schemas.ts'
import { Mismatch } from '../mismatch.ts'
import { passing } from '../voxels/index.ts'
import { parseHeader, type NiftiHeader } from './header.ts'
import { labelType, type Labels, type LabelType } from './maskHeader.ts'
import { findFrame, frameSource, type NiftiFrame } from './read.ts'
import type { MaskImage } from './write.ts'

/** Single precision moves a voxel of a large volume by no more. */
const ROUNDING_MM = 0.01

/**
 * Reads a mask that `writeNiftiMask` wrote again from the disk, piece by piece and without holding it, and compares it with what it should be: type, shape,
 * every label and affine; for a NIfTI image also version, byte order, the numbers of qform, sform, pixdim and units, and the extensions. Throws
 * a `Mismatch` that says what differs.
 */
export async function verifyNiftiMask(
  path: string,
  labels: Labels,
  image: MaskImage,
  leastBits: 8 | 16 = 8,
): Promise<void> {
  const mask = await findFrame(path).catch((error: unknown) => {
    throw new Mismatch('it could not be read again', error)
  })
  const difference = geometryDifference(path, mask, labelType(labels, leastBits), image)
  if (difference !== null) throw new Mismatch(`it ${difference}`)
  await compareLabels(mask, labels)
}

function geometryDifference(path: string, mask: NiftiFrame, type: LabelType, image: MaskImage): string | null {
  const { header } = mask
  const { source, affine } = mask.about
  if (source.kind !== 'nifti') return 'is no NIfTI file'
  if (header.datatype.name !== type || header.slope !== 1 || header.inter !== 0 || header.frames !== 1) {
    return `is not a plain ${type} label map`
  }
  if (header.dims.join() !== image.dims.join()) return 'has another shape than its image'
  if (image.source.kind !== 'nifti') return affineDifference(image, affine, header.sformCode)
  const own = parseHeader(image.source.header, path)
  const field = fieldDifference(header, own)
  if (field !== null) return `has another ${field} than its image`
  const extensions = Buffer.compare(source.extensions, image.source.extensions) === 0
  return extensions ? null : 'has other extensions than its image'
}

function affineDifference({ affine = null, dims }: MaskImage, written: Affine | null, code: number): string | null {
  if (affine === null) return code === 0 ? null : 'has an affine that its image has not'
  const apart = written === null || code === 0 ? Infinity : largestDistance(dims, affine, written)
  return apart <= ROUNDING_MM ? null : 'has another affine than its image'
}

function fieldDifference(a: NiftiHeader, b: NiftiHeader): string | null {
  // Object.is, so that NaN in an unused field of a sloppy header counts as equal to itself.
  const same = (x: readonly number[], y: readonly number[]): boolean =>
    x.length === y.length && x.every((value, i) => Object.is(value, y[i]))
  if (a.version !== b.version || a.littleEndian !== b.littleEndian) return 'format version or byte order'
  if (a.sformCode !== b.sformCode || a.qformCode !== b.qformCode) return 'sform or qform code'
  if (!same(a.srow.flat(), b.srow.flat())) return 'sform'
  if (!same([...a.quaternion, ...a.qoffset], [...b.quaternion, ...b.qoffset])) return 'qform'
  if (!same(a.pixdim.slice(0, 4), b.pixdim.slice(0, 4))) return 'voxel size'
  return a.lengthUnit === b.lengthUnit ? null : 'unit of length'
}

async function compareLabels(mask: NiftiFrame, labels: Labels): Promise<void> {
  const [nx, ny] = mask.layout.dims
  let at = 0
  try {
    for await (const piece of passing(mask.layout, frameSource(mask, new AbortController().signal))) {
      for (const value of piece) {
        if (value !== labels[at]) {
          const place = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))].join(', ')
          throw new Mismatch(`voxel (${place}) holds ${value} instead of ${labels[at] ?? 'nothing'}`)
        }
        at++
      }
    }
  } catch (error) {
    throw error instanceof Mismatch ? error : new Mismatch('it could not be read again', error)
  }
  if (at !== labels.length) throw new Mismatch(`it has ${at} voxels instead of ${labels.length}`)
}
