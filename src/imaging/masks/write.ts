import { basename } from 'node:path'
import type { MaskFormat } from '../../core/contract/schemas.ts'
import { CodedError } from '../../core/contract/errors.ts'
import { stemOf } from '../sniff.ts'
import type { ImageVolume, LabelArray } from '../types.ts'
import { codecs, type MaskCodec } from './codecs.ts'
import { Mismatch } from '../mismatch.ts'
import { writeProven, type Proven } from './proof.ts'
import { defaultFormat, maskEndings, refuseTarget } from './target.ts'
import type { MaskTarget, MaskToWrite, WriteOptions } from './types.ts'

export interface WrittenMask extends Proven {
  readonly verified: true
}

/**
 * Writes a label map (one label a voxel in the image's voxel order) in a format, reads it back, compares it voxel by voxel and, where the format has
 * a geometry, affine by affine, and only then gives it its name; see `writeProven` for what is thrown and what stays. Formats
 * that hold the image too need its voxels: `image` must then be open.
 */
export async function writeMaskAs(
  path: string,
  format: MaskFormat,
  labels: LabelArray,
  image: ImageVolume,
  options: WriteOptions = {},
): Promise<WrittenMask> {
  return { ...(await prove(path, format, maskOf(path, labels, image, options), image)), verified: true }
}

/** `writeMaskAs` in the format that the ending says, NIfTI or PNG; needs no voxels of the image. */
export async function writeVerifiedMask(
  path: string,
  labels: Uint8Array<ArrayBuffer>,
  image: MaskTarget,
): Promise<{ bytes: number }> {
  return prove(path, defaultFormat(image), maskOf(path, labels, image, {}), null)
}

/**
 * Writes without reading back: for masks that are kept beside what they are made of. Throws CodedError: 'bad-request' where the
 * ending does not fit or the image itself would be overwritten, 'disk-full', 'no-permission', 'file-missing' (the folder), 'not-saved'.
 */
export async function writeMask(
  path: string,
  labels: Uint8Array<ArrayBuffer>,
  image: MaskTarget,
): Promise<{ bytes: number }> {
  const format = defaultFormat(image)
  await refuseTarget(path, format, image)
  const mask = maskOf(path, labels, image, {})
  const ending = endingOf(path, format, image)
  return writeProven(path, {
    ...(ending === undefined ? {} : { ending }),
    write: (aside) => codecs[format].write(aside, mask, null),
    check: () => Promise.resolve(),
  })
}

/** Reads a written mask again and compares shape, labels and geometry. Throws CodedError('verify-failed'). */
export async function verifyMask(path: string, labels: Uint8Array<ArrayBuffer>, image: MaskTarget): Promise<void> {
  try {
    await codecs[defaultFormat(image)].check(path, maskOf(path, labels, image, {}))
  } catch (error) {
    if (!(error instanceof Mismatch) && !(error instanceof CodedError && error.code === 'bad-file')) throw error
    throw new CodedError(
      'verify-failed',
      `${basename(path)} is not what was saved (${error.message}); save it again, to another disk if it happens again.`,
      { cause: error },
    )
  }
}

/** Exported for tests that put a fault into a codec. */
export async function prove(
  path: string,
  format: MaskFormat,
  mask: MaskToWrite,
  pixels: ImageVolume | null,
  codec: MaskCodec = codecs[format],
): Promise<Proven> {
  await refuseTarget(path, format, mask.image)
  const ending = endingOf(path, format, mask.image)
  return writeProven(path, {
    ...(ending === undefined ? {} : { ending }),
    write: (aside) => codec.write(aside, mask, pixels),
    check: (aside) => codec.check(aside, mask),
    signal: mask.signal,
  })
}

function maskOf(
  path: string,
  labels: LabelArray,
  image: MaskTarget,
  { names = [], leastBits, signal }: WriteOptions,
): MaskToWrite {
  const [nx, ny, nz] = image.dims
  if (labels.length !== nx * ny * nz) throw new RangeError(`${labels.length} labels for ${nx * ny * nz} voxels`)
  return { labels, image, stem: stemOf(path), names, leastBits, signal }
}

/** The ending that the file under the temporary name needs; undefined for a folder. */
function endingOf(path: string, format: MaskFormat, { dims }: Pick<MaskTarget, 'dims'>): string | undefined {
  const endings = maskEndings(format, dims[2])
  return endings.find((ending) => path.toLowerCase().endsWith(ending)) ?? endings[0]
}
