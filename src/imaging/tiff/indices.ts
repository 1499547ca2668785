import type { Dims, Vec3 } from '../../core/contract/schemas.ts'
import { greyIfColourless } from '../colour.ts'
import { badFile, fileSize } from '../files.ts'
import type { ReadOptions, VoxelArray } from '../types.ts'
import { readShown, sampleOf, TiffImage, wholeOf } from './open.ts'
import { refuseImplausibleStack } from './page.ts'
import { readPalette, regionKind, type Wanted } from './region.ts'
import { newSamples } from './samples.ts'
import { Photometric } from './tags.ts'

/** The numbers of a label map as they are stored. */
export interface TiffIndices {
  readonly dims: Dims
  /** One number a pixel, x fastest; of a palette its entry, of few bits not spread to 8. */
  readonly labels: VoxelArray
  /** RGB triples by entry; null where the file has no palette. */
  readonly palette: Uint8Array<ArrayBuffer> | null
  /** mm; null where the file does not say. */
  readonly spacing: Vec3 | null
}

const MOST_BYTES = 2 ** 31

/**
 * Reads a TIFF as labels: a picture or a stack of one value a pixel, or the entries of a palette. Turned as the orientation
 * tag asks, as images are. Throws CodedError('bad-file') where it is in colour without a palette, too large, or damaged.
 */
export async function readTiffIndices(path: string, { signal, selection }: ReadOptions = {}): Promise<TiffIndices> {
  const image = await TiffImage.open(path, signal)
  try {
    const { model } = image
    const { first, slices } = model
    const isPalette = first.photometric === Photometric.palette
    const { frame, channel } = image.chosen(selection)
    const { width, height } = image.size
    refuseImplausibleStack(path, await fileSize(path), first, slices)
    // Numbers that were saved as colours, all three the same, are numbers still.
    const inColour = first.colour && !isPalette
    const wanted: Wanted = { channel: sampleOf(image, channel), as: inColour ? 'image' : 'labels' }
    if (width * height * slices * 8 > MOST_BYTES * 8) {
      throw badFile(path, 'is too large for a mask; export it in parts.')
    }
    const labels = newSamples(regionKind(first, wanted).type, width * height * slices)
    for (let slice = 0; slice < slices; slice++) {
      const page = await image.page(slice, frame, channel)
      const whole = wholeOf(page.layout, first.orientation)
      const { data } = await readShown(page, whole, wanted, first.orientation, { signal })
      labels.set(inColour ? oneOfThree(data, path) : data, slice * width * height)
    }
    const palette = isPalette ? await readPalette(first) : null
    return { dims: [width, height, slices], labels, palette, spacing: image.spacing }
  } finally {
    await image.close()
  }
}

function oneOfThree(data: VoxelArray, path: string): VoxelArray {
  const grey = data instanceof Uint8Array || data instanceof Uint16Array ? greyIfColourless(data) : null
  if (grey === null) throw badFile(path, 'is in colour; a mask has one label number a pixel.')
  return grey
}
