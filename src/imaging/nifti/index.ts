/** NIfTI-1 and NIfTI-2, single files, plain or gzip-packed. */
export { openNifti, niftiInfo, readNifti } from './read.ts'
export { maskHeader, writeNifti, writeVolume } from './write.ts'
export { verifyNiftiMask } from './verify.ts'
