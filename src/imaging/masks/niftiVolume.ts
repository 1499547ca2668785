import type { Affine } from '../../core/contract/schemas.ts'
import { largestDistance } from '../../core/geometry/index.ts'
import { Mismatch } from '../mismatch.ts'
import { verifyNiftiMask, writeNiftiMask, writeVolume } from '../nifti/index.ts'
import { readImageInfo } from '../registry.ts'
import type { ImageVolume, LabelArray } from '../types.ts'
import { writeImageFile } from './imageFile.ts'
import type { MaskTarget } from './types.ts'

const NIFTI1_BYTES = 348
/** Single precision moves a voxel of a large volume by no more. */
const ROUNDING_MM = 0.01

/** Writes a mask in the geometry of its image: see `writeNiftiMask` of the format. */
export async function writeNifti(
  path: string,
  labels: LabelArray,
  image: MaskTarget,
  leastBits?: 8 | 16,
): Promise<void> {
  await writeNiftiMask(path, labels, byChosenForm(image), leastBits)
}

/** Reopens a mask that `writeNifti` wrote. Throws a `Mismatch` with what differs. */
export async function checkNifti(
  path: string,
  labels: LabelArray,
  image: MaskTarget,
  leastBits?: 8 | 16,
): Promise<void> {
  await verifyNiftiMask(path, labels, byChosenForm(image), leastBits)
  // Apart from the fields: where a reader finds the mask is where the image is annotated.
  const wanted = image.source.kind === 'nifti' ? image.info.affine : image.affine
  const { affine } = await readImageInfo(path)
  if (wanted === null || affine === null) return
  const apart = largestDistance(image.dims, affine, wanted)
  if (!(apart <= ROUNDING_MM)) throw new Mismatch(`it lies up to ${apart.toPrecision(2)} mm from its image`)
}

/**
 * The image, whose header says in both forms where it lies if the user goes by its qform against the rule: others go by the sform, and would
 * find the mask elsewhere.
 */
function byChosenForm(image: MaskTarget): MaskTarget {
  const { source, info } = image
  if (source.kind !== 'nifti' || info.affineSource !== 'qform' || info.affine === null) return image
  const header = withSform(source.header, info.affine, info.byteOrder === 'little')
  return { ...image, source: { ...source, header } }
}

/** The same header where it has no sform; else its sform is `affine`, with the code of the qform (nifti1.h, nifti2.h). */
function withSform(header: Uint8Array<ArrayBuffer>, affine: Affine, littleEndian: boolean): Uint8Array<ArrayBuffer> {
  const bytes = header.slice()
  const view = new DataView(bytes.buffer)
  const first = bytes.length === NIFTI1_BYTES
  const code = (at: number): number => (first ? view.getInt16(at, littleEndian) : view.getInt32(at, littleEndian))
  const [qformCode, sformCode] = first ? [252, 254] : [344, 348]
  if (code(sformCode) <= 0) return header
  if (first) view.setInt16(sformCode, code(qformCode), littleEndian)
  else view.setInt32(sformCode, code(qformCode), littleEndian)
  const numbers = affine.slice(0, 3).flat()
  numbers.forEach((value, i) => {
    if (first) view.setFloat32(280 + 4 * i, value, littleEndian)
    else view.setFloat64(400 + 8 * i, value, littleEndian)
  })
  return bytes
}

/**
 * The image as one whose geometry is its affine alone, in mm: for data sets, in which image and mask are to have the same header
 * numbers, whatever the image's own file is. A position that the file does not state stays unstated.
 */
export function plainGeometry<T extends MaskTarget>(image: T): T {
  const affine = image.info.affineSource === 'pixdim' ? null : image.affine
  return { ...image, affine, source: { kind: 'volume', path: image.source.path } }
}

/** Writes the image as NIfTI with the numbers that `plainGeometry` gives its mask, and reads it back. Throws a `Mismatch` too. */
export async function writeNiftiImage(path: string, image: ImageVolume, signal?: AbortSignal): Promise<void> {
  const { dims, voxelType, channels, slope, inter, spacing } = image
  const { affine } = plainGeometry(image)
  await writeImageFile(path, image, { affine, signal }, (data) =>
    writeVolume(path, { dims, affine, spacing, data, voxelType, channels, slope, inter }),
  )
}
