import type { MaskFormat } from '../../core/contract/schemas.ts'
import type { ImageVolume } from '../types.ts'
import { readCoco, writeCoco } from './coco.ts'
import { expectDims, expectLabels, expectPlace } from './expect.ts'
import { readInstances, writeInstances } from './instances.ts'
import { countLabels } from './labels.ts'
import { addNnunet, beginNnunet, nnunetKind, planLabels, readNnunet } from './nnunet.ts'
import { checkNifti, writeNifti } from './niftiVolume.ts'
import { writePngMask } from './pngMask.ts'
import { readMask } from './read.ts'
import { writeTiffMask } from './tiffMask.ts'
import type { LoadedMask, MaskToWrite, ReadContext } from './types.ts'

/** How one mask is written and looked at again. `check` throws a `Mismatch`, or what reading throws. */
export interface MaskCodec {
  write(path: string, mask: MaskToWrite, pixels: ImageVolume | null): Promise<void>
  check(path: string, mask: MaskToWrite): Promise<void>
}

export const codecs: Record<MaskFormat, MaskCodec> = {
  nifti: {
    write: (path, { labels, image, leastBits }) => writeNifti(path, labels, image, leastBits),
    check: (path, { labels, image, leastBits }) => checkNifti(path, labels, image, leastBits),
  },
  png: { write: writePngMask, check: byReading((path, { signal }) => readMask(path, { signal })) },
  tiff: { write: writeTiffMask, check: byReading((path, { signal }) => readMask(path, { signal })) },
  instances: { write: writeInstances, check: byReading(readInstances) },
  coco: { write: (path, mask) => writeCoco(path, [mask], mask.names), check: byReading(readCoco) },
  nnunet: {
    write: async (path, mask, pixels) => {
      if (pixels === null) throw new RangeError('a data set for nnU-Net needs the image')
      const plan = planLabels([...countLabels(mask.labels).keys()], mask.names)
      const kind = nnunetKind(pixels)
      await beginNnunet(path, kind, plan, 1)
      await addNnunet(path, kind, plan, mask, pixels)
    },
    check: byReading(readNnunet),
  },
}

function byReading(read: (path: string, context: ReadContext) => Promise<LoadedMask>): MaskCodec['check'] {
  return async (path, { labels, image, stem, signal }) => {
    const mask = await read(path, { stems: [stem], voxels: labels.length, signal })
    expectDims(mask.dims, image.dims)
    expectPlace(mask, image)
    expectLabels(mask.labels, labels, image.dims)
  }
}
