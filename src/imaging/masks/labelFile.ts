import { CodedError } from '../../core/contract/errors.ts'
import type { Dims } from '../../core/contract/schemas.ts'
import { badFile } from '../files.ts'
import { readImage } from '../registry.ts'
import { sniff } from '../sniff.ts'
import { readTiffIndices } from '../tiff/index.ts'
import { LabelFiller, placeOf } from './labels.ts'
import { inColour, readBmpMask, readPngMask } from './pictures.ts'
import type { LabelArray } from '../types.ts'
import type { LoadedMask } from './types.ts'

/**
 * Reads one file as labels: any image that can be read, of one channel, whose scaled values are whole numbers from 0 to 2^32 - 1.
 * A position that the file does not state but that is assumed counts as none. Throws CodedError('bad-file').
 */
export async function readLabelFile(path: string, signal?: AbortSignal): Promise<LoadedMask> {
  const kind = await sniff(path)
  const names = new Map<number, string>()
  if (kind === 'png') return { format: 'png', ...(await readPngMask(path, { signal })), affine: null, names }
  if (kind === 'bmp') return { format: 'image', ...(await readBmpMask(path, { signal })), affine: null, names }
  const refuse = (dims: Dims) => (value: number, index: number) =>
    badFile(path, `holds ${value} at ${placeOf(index, dims)}; a mask has whole label numbers from 0 on.`)
  if (kind === 'tiff') {
    // Colour is refused there; it can still be grey that is stored as colour, as what follows finds out.
    const found = await readTiffIndices(path, { signal }).catch((error: unknown) => {
      if (error instanceof CodedError && error.code === 'bad-file') return null
      throw error
    })
    if (found !== null) {
      const filler = new LabelFiller(found.labels.length, refuse(found.dims))
      filler.add(found.labels)
      return { format: 'tiff', dims: found.dims, labels: filler.take(), affine: null, names, warnings: [] }
    }
  }
  const image = await readImage(path, { signal })
  try {
    const { dims, channels, voxels, slope, inter, info } = image
    if (channels !== 1) throw inColour(path)
    const filler = new LabelFiller(dims[0] * dims[1] * dims[2], refuse(dims))
    for await (const piece of voxels.pieces({ signal })) filler.add(piece, slope, inter)
    const warnings = image.info.frames > 1 ? [`The file holds ${info.frames} frames; the first one is used.`] : []
    const labels = filler.take()
    if (kind === 'jpeg') {
      warnings.push('JPEG changes values, above all at edges; a mask is better kept as PNG.')
      if (isBlackAndWhite(labels)) {
        warnings.push('It holds black and white that JPEG has blurred; what is nearer to white counts as white (255).')
        labels.forEach((value, i) => (labels[i] = value > 127 ? 255 : 0))
      }
    }
    const affine = info.affineSource === 'pixdim' ? null : image.affine
    const format = kind === 'nifti' || kind === 'tiff' ? kind : 'image'
    return { format, dims, labels, affine, names, warnings }
  } finally {
    await image.voxels.close()
  }
}

/** Nearly all values lie within what JPEG does to 0 and 255, and both occur. */
function isBlackAndWhite(labels: LabelArray): boolean {
  let black = 0
  let white = 0
  for (const value of labels) {
    if (value <= 32) black++
    else if (value >= 223 && value <= 255) white++
  }
  return white > 0 && black > 0 && black + white >= 0.95 * labels.length
}
