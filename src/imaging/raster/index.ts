import type { ImageReader } from '../registry.ts'
import { rasterInfo, readRaster, type RasterFormat } from './read.ts'

/** Pictures: PNG and JPEG by sharp (libvips), BMP by a decoder of our own; and the stored samples of a PNG, for masks. */
export function rasterReader(format: RasterFormat): ImageReader {
  return {
    info: (path) => rasterInfo(path, format),
    read: (path, options) => readRaster(path, format, options),
  }
}

export { loadPicture, type RasterFormat } from './read.ts'
export { pictureOrientation } from './decode.ts'
export { decodePng } from './png.ts'
export { decodeBmp } from './bmp.ts'
export { turn } from './turn.ts'
export { encodePng, writePng } from './write.ts'
export { encodeGif, encodeJpeg, renderSvg } from './figures.ts'
