import type { ImageReader } from '../registry.ts'
import { readTiff, tiffFiles, tiffInfo } from './read.ts'

/** TIFF: pictures, stacks, microscope images and slides; and masks as TIFF. */
export const tiffReader: ImageReader = { info: tiffInfo, read: readTiff, files: tiffFiles }

export { openTiled } from './tiledImage.ts'
export { readTiffIndices, type TiffIndices } from './indices.ts'
export { writeTiffStack } from './writeStack.ts'
export type { StackOptions, StackPage } from './writeStack.ts'
