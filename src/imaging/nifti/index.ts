import type { ImageReader } from '../registry.ts'
import { niftiFiles, niftiInfo, readNifti } from './read.ts'

/** NIfTI-1, NIfTI-2 and Analyze 7.5: single files and pairs, plain or gzip-packed. */
export const niftiReader: ImageReader = { info: niftiInfo, read: readNifti, files: niftiFiles }

export { writeNiftiMask, writeVolume, type MaskImage, type NewVolume } from './write.ts'
export { verifyNiftiMask } from './verify.ts'
