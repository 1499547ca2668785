import { basename } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import { writeAtomically } from '../files.ts'
import { encodeGreyPng, encodeRgbPng } from './decode.ts'
import { readRaster } from './read.ts'

export interface NewPicture {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  /** width * height * channels, rows from the top, channels interleaved. */
  readonly data: Uint8Array
}

/** Writes an 8-bit PNG, greyscale or RGB. Returns the number of bytes written. */
export async function writePng(path: string, { width, height, channels, data }: NewPicture): Promise<number> {
  if (data.length !== width * height * channels) throw new RangeError('writePng: size and data do not agree')
  const encode = channels === 1 ? encodeGreyPng : encodeRgbPng
  return writeAtomically(path, [await encode(data, width, height)])
}

/** Reads a written mask again and compares shape and labels. Throws CodedError('verify-failed'). */
export async function verifyPngMask(path: string, labels: Uint8Array, width: number, height: number): Promise<void> {
  const failed = (what: string, cause?: unknown): CodedError =>
    new CodedError(
      'verify-failed',
      `${basename(path)} was written but ${what}; save it again, to another disk if it happens again.`,
      cause === undefined ? {} : { cause },
    )
  const mask = await readRaster(path, 'png').catch((error: unknown) => {
    throw failed('could not be read again', error)
  })
  if (mask.dims[0] !== width || mask.dims[1] !== height) throw failed('has another shape than its image')
  const read = await mask.voxels.all()
  const same = mask.channels === 1 && read instanceof Uint8Array && Buffer.compare(read, labels) === 0
  if (!same) throw failed('does not hold the labels that were to be saved')
}
