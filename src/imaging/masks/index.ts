/** Masks in files: written in the geometry of their image and proven, read from every common layout, held against an image. */
export { readLabelMap, readMask, type ReadMaskOptions } from './read.ts'
export { verifyMask, writeMask, writeMaskAs, writeVerifiedMask, type WrittenMask } from './write.ts'
export { writeDataset, type DatasetCase, type DatasetFormat } from './dataset.ts'
export { compareWithImage, resampleMask, type MaskComparison } from './compare.ts'
export { countLabels } from './labels.ts'
export { defaultFormat, maskEndings, maskExtension } from './target.ts'
export type { LoadedMask, MaskName, MaskTarget } from './types.ts'
export { readTruth, type MaskFiles, type MaskRules, type Truth } from './truth.ts'
