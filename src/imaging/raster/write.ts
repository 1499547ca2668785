import { writeAtomically } from '../files.ts'
import { encodePixels } from './decode.ts'

export interface NewPicture {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  /** width * height * channels, rows from the top, channels interleaved. */
  readonly data: Uint8Array | Uint16Array
}

/** A PNG of 8 or 16 bits a sample, whichever the samples have, greyscale or RGB. */
export async function encodePng({ width, height, channels, data }: NewPicture): Promise<Buffer> {
  if (data.length !== width * height * channels) throw new RangeError('encodePng: size and data do not agree')
  return encodePixels(data, { width, height, channels })
}

/** Writes a PNG as `encodePng` makes it. Returns the number of bytes written. */
export async function writePng(path: string, picture: NewPicture): Promise<number> {
  return writeAtomically(path, [await encodePng(picture)])
}
