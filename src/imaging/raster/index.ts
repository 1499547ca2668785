/** Pictures: PNG, JPEG and TIFF by sharp (libvips), BMP by a decoder of our own, masks as PNG. */
export { rasterInfo, readRaster, type RasterFormat } from './read.ts'
export { writePng, verifyPngMask } from './write.ts'
