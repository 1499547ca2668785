import { randomBytes } from 'node:crypto'
import { realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { CodedError } from '../core/contract/errors.ts'
import { badFile, syncFolder, writeError } from './files.ts'
import { maskHeader, verifyNiftiMask, writeNifti } from './nifti/index.ts'
import { verifyPngMask, writePng } from './raster/index.ts'
import { readImage } from './registry.ts'
import type { ImageVolume, MaskVolume, ReadOptions } from './types.ts'

/** The part of an image that its mask takes its shape and geometry from. */
export type MaskTarget = Pick<ImageVolume, 'dims' | 'source' | 'info'>

/** The ending of masks for an image: ".nii.gz" for NIfTI, ".png" for pictures. */
export function maskExtension(image: Pick<ImageVolume, 'source'>): '.nii.gz' | '.png' {
  return image.source.kind === 'nifti' ? '.nii.gz' : '.png'
}

/**
 * Writes a label map in the shape and geometry of its image: NIfTI as uint8 with the image's own header geometry, for
 * pictures an 8-bit greyscale PNG of label values. `labels` holds one label a voxel in the image's voxel order.
 * The file appears under its name only when it is whole and on the disk. Throws CodedError: 'bad-request' where the
 * ending does not fit or the image itself would be overwritten, 'disk-full', 'no-permission', 'file-missing' (the
 * folder), 'not-saved'.
 */
export async function writeMask(path: string, labels: Uint8Array, image: MaskTarget): Promise<{ bytes: number }> {
  const [nx, ny, nz] = image.dims
  if (labels.length !== nx * ny * nz)
    throw new RangeError(`writeMask: ${labels.length} labels for ${nx * ny * nz} voxels`)
  const { source } = image
  await refuseTarget(path, image)
  if (source.kind !== 'nifti')
    return { bytes: await writePng(path, { width: nx, height: ny, channels: 1, data: labels }) }
  const header = maskHeader(source.header, image.info.byteOrder === 'little')
  return { bytes: await writeNifti(path, header, labels) }
}

/**
 * `writeMask`, then `verifyMask`, and only then the name: a file of that name that was there before stays until the new
 * one is known to be right. Throws what both throw, in terms of `path`.
 */
export async function writeVerifiedMask(
  path: string,
  labels: Uint8Array,
  image: MaskTarget,
): Promise<{ bytes: number }> {
  await refuseTarget(path, image)
  const ending = /\.(nii\.gz|nii|png)$/i.exec(path)?.[0] ?? ''
  const temporary = join(dirname(path), `.maskwright-${randomBytes(6).toString('hex')}${ending}`)
  try {
    const written = await writeMask(temporary, labels, image)
    await verifyMask(temporary, labels, image)
    await rename(temporary, path)
    await syncFolder(dirname(path))
    return written
  } catch (thrown) {
    await rm(temporary, { force: true })
    const error = writeError(thrown, path)
    // The temporary name means nothing to the user.
    throw new CodedError(error.code, error.message.replaceAll(basename(temporary), basename(path)), {
      cause: error,
      ...(error.detail === undefined ? {} : { detail: error.detail }),
    })
  }
}

/** Reads a written mask again and compares shape, labels and geometry. Throws CodedError('verify-failed'). */
export async function verifyMask(path: string, labels: Uint8Array, image: MaskTarget): Promise<void> {
  if (image.source.kind === 'nifti') await verifyNiftiMask(path, labels, image.source.header)
  else await verifyPngMask(path, labels, image.dims[0], image.dims[1])
}

/**
 * Reads a label map as a project holds it: any readable one-channel image whose scaled values are whole numbers from 0 to 255.
 * Throws CodedError('bad-file') where they are not.
 */
export async function readLabelMap(
  path: string,
  options: ReadOptions = {},
): Promise<MaskVolume<Uint8Array<ArrayBuffer>>> {
  const { voxels, dims, affine, channels, slope, inter } = await readImage(path, options)
  if (channels !== 1) throw badFile(path, 'is in colour; a mask has one label number a pixel.')
  const data = await voxels.all(options)
  if (data instanceof Uint8Array && slope === 1 && inter === 0) return { dims, labels: data, affine }
  const labels = new Uint8Array(data.length)
  for (let i = 0; i < data.length; i++) {
    const value = (data[i] ?? 0) * slope + inter
    if (!Number.isInteger(value) || value < 0 || value > 255) {
      throw badFile(path, `holds the value ${value}; a mask has whole label numbers from 0 to 255.`)
    }
    labels[i] = value
  }
  return { dims, labels, affine }
}

async function refuseTarget(path: string, { source }: Pick<MaskTarget, 'source'>): Promise<void> {
  const fits = source.kind === 'nifti' ? /\.nii(\.gz)?$/i : /\.png$/i
  if (!fits.test(path)) {
    throw new CodedError('bad-request', `The name ${basename(path)} must end in ${maskExtension({ source })}.`)
  }
  if (await isSameFile(path, source.path)) {
    throw new CodedError('bad-request', `${basename(path)} is the image itself; choose another name for its mask.`)
  }
}

async function isSameFile(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([a, b].map((path) => realpath(path).catch(() => null)))
  return first !== null && first === second
}
