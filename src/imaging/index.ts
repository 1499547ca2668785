/** Image files: what they are, their voxels, and masks in their geometry. One folder a format. */
export { readImage, readImageInfo } from './registry.ts'
export { readMask, writeMask, verifyMask, maskExtension, type MaskTarget } from './masks.ts'
export { robustRange, type IntensityRange } from './range.ts'
export { contentHash, writeAtomically } from './files.ts'
export { supportedExtensions, isSupported } from './sniff.ts'
export { writeVolume, type NewVolume } from './nifti/index.ts'
export { writePng, type NewPicture } from './raster/index.ts'
export type {
  AffineSource,
  ImageFormat,
  ImageInfo,
  ImageSource,
  ImageVolume,
  MaskVolume,
  ReadOptions,
  VoxelArray,
} from './types.ts'
