import type { NewPicture } from './write.ts'

/** Frames of one size as an animated GIF that repeats. Colours: at most 256 a frame, no dithering, which would flicker. */
export async function encodeGif(
  frames: readonly Uint8Array[],
  size: {
    readonly width: number
    readonly height: number
    /** Milliseconds that each frame is shown. */
    readonly delays: readonly number[]
  },
): Promise<Buffer> {
  const { width, height, delays } = size
  const length = width * height * 3
  if (frames.length === 0 || delays.length !== frames.length || frames.some((frame) => frame.length !== length)) {
    throw new RangeError('encodeGif: sizes, delays and frames do not agree')
  }
  // A file of one frame has a single delay, which has no meaning; libvips wants a page height all the same.
  const { default: sharp } = await import('sharp')
  const pages = Buffer.concat(frames)
  return sharp(pages, {
    raw: { width, height: height * frames.length, channels: 3, pageHeight: height },
    limitInputPixels: false,
  })
    .gif({ loop: 0, delay: [...delays], dither: 0, effort: 4 })
    .toBuffer()
}

/** A picture as JPEG, colours at full resolution, since thin coloured lines would be smeared otherwise. */
export async function encodeJpeg(
  picture: NewPicture & { readonly data: Uint8Array },
  quality: number,
): Promise<Buffer> {
  const { width, height, channels, data } = picture
  const { default: sharp } = await import('sharp')
  return sharp(data, { raw: { width, height, channels } }).jpeg({ quality, chromaSubsampling: '4:4:4' }).toBuffer()
}

/** Draws an SVG, `scale` pixels to one of its units, as PNG. Text in it would depend on the fonts of the system: there must be none. */
export async function renderSvg(svg: string, scale: number): Promise<Buffer> {
  const { default: sharp } = await import('sharp')
  return sharp(Buffer.from(svg), { density: 72 * scale })
    .flatten({ background: '#ffffff' })
    .png({ compressionLevel: 9, palette: false })
    .toBuffer()
}
