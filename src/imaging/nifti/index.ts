import type { ImageReader } from '../registry.ts'
import { niftiInfo, openNifti, readNifti } from './read.ts'

/** NIfTI-1 and NIfTI-2, plain or gzip-packed. */
export const niftiReader: ImageReader = {
  info: async (path) => niftiInfo(await openNifti(path)),
  read: readNifti,
}

export { maskHeader, writeNifti, writeVolume } from './write.ts'
export { verifyNiftiMask } from './verify.ts'
