import { realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import type { MaskFormat } from '../../core/contract/schemas.ts'
import type { ImageVolume } from '../types.ts'
import type { MaskTarget } from './types.ts'

/** The ending of masks for an image where no format is asked for: ".png" for pictures, ".nii.gz" for all else. */
export function maskExtension(image: Pick<ImageVolume, 'source' | 'dims'>): '.nii.gz' | '.png' {
  return defaultFormat(image) === 'png' ? '.png' : '.nii.gz'
}

/** In which format a mask is written where none is asked for. */
export function defaultFormat({ source, dims }: Pick<ImageVolume, 'source' | 'dims'>): 'png' | 'nifti' {
  return source.kind === 'raster' && dims[2] === 1 ? 'png' : 'nifti'
}

/** The endings that a file of a format may have, the usual one first; empty: the mask is a folder. */
export function maskEndings(format: MaskFormat, slices: number): readonly string[] {
  switch (format) {
    case 'nifti':
      return ['.nii.gz', '.nii']
    case 'png':
      return slices === 1 ? ['.png'] : []
    case 'tiff':
      return ['.tif', '.tiff']
    case 'coco':
      return ['.json']
    case 'instances':
    case 'nnunet':
      return []
  }
}

/** Throws CodedError('bad-request') where the ending does not say what the file is, or the image would be overwritten. */
export async function refuseTarget(
  path: string,
  format: MaskFormat,
  image: Pick<MaskTarget, 'source' | 'dims'>,
): Promise<void> {
  const name = basename(path)
  const endings = maskEndings(format, image.dims[2])
  if (endings.length > 0 && !endings.some((ending) => name.toLowerCase().endsWith(ending))) {
    throw new CodedError('bad-request', `The name ${name} must end in ${endings[0] ?? ''}.`)
  }
  if (await isSameFile(path, image.source.path)) {
    throw new CodedError('bad-request', `${name} is the image itself; choose another name for its mask.`)
  }
}

async function isSameFile(a: string, b: string): Promise<boolean> {
  const real = async (path: string): Promise<string | null> => {
    // What does not exist yet can still be reached by another way through a link to its folder.
    const folder = await realpath(dirname(path)).catch(() => null)
    return realpath(path).catch(() => (folder === null ? null : join(folder, basename(path))))
  }
  const [first, second] = await Promise.all([real(a), real(b)])
  return first !== null && first === second
}
