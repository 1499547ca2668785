import type { Dims } from '../../core/contract/schemas.ts'
import { badFile } from '../files.ts'
import { decodePng, loadPicture, pictureOrientation, decodeBmp, turn } from '../raster/index.ts'
import type { LabelArray, ReadOptions } from '../types.ts'

export interface PictureMask {
  readonly dims: Dims
  readonly labels: LabelArray
  readonly warnings: readonly string[]
}

/**
 * The label numbers in a PNG: those of the file, not colours made of them. A palette gives its indices; 1, 2 and 4 bits of grey
 * give 0 to 1, 3 and 15 as stored (a viewer would stretch them to 255); colour whose channels are equal is grey. Turned as the
 * file's own EXIF data ask, as an image would be. Throws CodedError('bad-file') where it is in colour.
 */
export async function readPngMask(path: string, options: ReadOptions = {}): Promise<PictureMask> {
  const bytes = await loadPicture(path, options)
  const { width, height, channels, kind, data } = await decodePng(bytes, path)
  const warnings: string[] = []
  let labels: LabelArray = data
  if (channels > 1) {
    const alpha = kind === 'rgba' || kind === 'grey-alpha' ? channels - 1 : channels
    labels = data instanceof Uint8Array ? new Uint8Array(width * height) : new Uint16Array(width * height)
    for (let i = 0, from = 0; i < labels.length; i++, from += channels) {
      const value = data[from] ?? 0
      for (let c = 1; c < alpha; c++) if (data[from + c] !== value) throw inColour(path)
      labels[i] = value
    }
    if (alpha < channels && !isOpaque(data, channels)) warnings.push('Transparency in the mask was left out.')
  }
  const turned = turn(labels, width, height, mayHaveExif(bytes) ? await pictureOrientation(bytes) : 1)
  return { dims: [turned.width, turned.height, 1], labels: turned.data, warnings }
}

/** Instance masks come in hundreds of small files: the library is asked only where there could be such data. */
function mayHaveExif(bytes: Uint8Array): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return buffer.includes('eXIf') || buffer.includes('exif')
}

/** A bitmap: indices where its palette is in colour, grey values otherwise. */
export async function readBmpMask(path: string, options: ReadOptions = {}): Promise<PictureMask> {
  const { width, height, rgb, indices } = decodeBmp(await loadPicture(path, options), path)
  const labels = new Uint8Array(width * height)
  const dims: Dims = [width, height, 1]
  for (let i = 0; i < labels.length; i++) {
    const value = rgb[3 * i] ?? 0
    if (rgb[3 * i + 1] !== value || rgb[3 * i + 2] !== value) {
      if (indices === null) throw inColour(path)
      return { dims, labels: indices, warnings: [] }
    }
    labels[i] = value
  }
  return { dims, labels, warnings: [] }
}

export function inColour(path: string): Error {
  return badFile(path, 'is in colour; a mask has one label number a pixel.')
}

function isOpaque(data: Uint8Array | Uint16Array, channels: number): boolean {
  const full = data instanceof Uint8Array ? 255 : 65535
  for (let i = channels - 1; i < data.length; i += channels) if (data[i] !== full) return false
  return true
}
