/** Image files: what they are, their voxels, and masks in their geometry. One folder a format. */
export { readImage, readImageInfo } from './registry.ts'
export { readMask, writeMask, verifyMask, writeVerifiedMask, maskExtension } from './masks.ts'
export { robustRange } from './range.ts'
export { contentHash } from './files.ts'
export { supportedExtensions, isSupported, stemOf } from './sniff.ts'
export { writeVolume } from './nifti/index.ts'
export { writePng } from './raster/index.ts'
export type { ImageInfo, ImageVolume, VoxelArray } from './types.ts'
