/** Image files: what they are, their voxels, and masks in their geometry. One folder a format. */
export { imageFiles, readImage, readImageInfo } from './registry.ts'
export {
  compareWithImage,
  countLabels,
  defaultFormat,
  maskEndings,
  maskExtension,
  readLabelMap,
  readMask,
  readTruth,
  resampleMask,
  valueMapExtension,
  verifyMask,
  writeDataset,
  writeMask,
  writeMaskAs,
  writeValueMaps,
  writeVerifiedMask,
  type DatasetCase,
  type LoadedMask,
  type MaskFiles,
  type MaskName,
  type MaskRules,
  type Truth,
} from './masks/index.ts'
export { writeProven } from './masks/proof.ts'
export { listSeries, type DicomSeries } from './dicom/index.ts'
export { rangeOf, robustRange } from './range.ts'
export { memoryStore, typeOf, type VoxelStore } from './voxels/index.ts'
export { openTiled } from './tiled.ts'
export { contentHash, syncFolder, writeAtomically } from './files.ts'
export { Mismatch } from './mismatch.ts'
export { clearLeftovers } from './leftovers.ts'
export { supportedExtensions, isSupported, stemOf } from './sniff.ts'
export { writeVolume } from './nifti/index.ts'
export { decodePng, encodeGif, encodeJpeg, encodePng, renderSvg, writePng } from './raster/index.ts'
export type { TiledImage } from './tiled.ts'
export type { ImageInfo, ImageVolume, LabelArray, VoxelArray } from './types.ts'
