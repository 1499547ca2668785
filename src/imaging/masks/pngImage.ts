import { writeNewFile } from '../files.ts'
import { encodePng } from '../raster/index.ts'
import type { ImageVolume } from '../types.ts'
import { writeImageFile } from './imageFile.ts'

type Pixels = Pick<ImageVolume, 'dims' | 'voxelType' | 'slope' | 'inter'>

/** Does a PNG, which has no scaling, hold the values of this image without loss? */
export function canBePng({ dims, voxelType, slope, inter }: Pixels): boolean {
  return dims[2] === 1 && (voxelType === 'uint8' || voxelType === 'uint16') && slope === 1 && inter === 0
}

/** A picture as a PNG, turned as it is shown. Throws RangeError where `canBePng` says no. */
async function pngOf({ dims, channels, voxels }: ImageVolume, signal?: AbortSignal): Promise<Uint8Array> {
  const data = await voxels.all({ signal })
  if (!(data instanceof Uint8Array || data instanceof Uint16Array)) throw new RangeError('pngOf: other samples')
  return encodePng({ width: dims[0], height: dims[1], channels, data })
}

/** Writes a picture as a new PNG and reads it back. Throws a `Mismatch` where it is not the same. */
export async function writePngImage(path: string, image: ImageVolume, signal?: AbortSignal): Promise<void> {
  await writeImageFile(path, image, { signal }, async (pieces) => {
    for await (const _piece of pieces) signal?.throwIfAborted()
    await writeNewFile(path, await pngOf(image, signal))
  })
}
