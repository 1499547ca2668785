import { promisify } from 'node:util'
import { inflate, inflateSync, zstdDecompress } from 'node:zlib'
import { badFile } from '../files.ts'
import type { VoxelArray } from '../types.ts'
import { wholeJpeg, jpegFrame, oldJpeg, type OldJpegTables } from './codecs/jpeg.ts'
import { decodeJpeg2000 } from './codecs/jpeg2000.ts'
import { decodeLerc } from './codecs/lerc.ts'
import { unpackLzw } from './codecs/lzw.ts'
import { isFax } from './codecs/miniTiff.ts'
import { unpackPackBits } from './codecs/packBits.ts'
import { convertToRgb, decodeFax, decodePicture, type DecodedPicture } from './codecs/pictures.ts'
import type { PageLayout } from './layout.ts'
import { rowBytes, samplesOf, type BlockShape } from './samples.ts'
import { Compression, Photometric } from './tags.ts'
import { FULL_RANGE, fromYCbCr, joinSubsampled, subsampledBytes } from './ycbcr.ts'

/** What the blocks of a page share. */
export interface BlockContext {
  readonly path: string
  readonly layout: PageLayout
  readonly jpegTables: Uint8Array
  readonly oldJpegTables: OldJpegTables | null
  /** Coefficients of YCbCr and the range of its numbers. */
  readonly luma: readonly number[]
  readonly referenceBlackWhite: readonly number[]
  /** Tags of fax compression. */
  readonly faxTags: readonly (readonly [tag: number, value: number])[]
  /** What is done to a LERC blob besides: 0 nothing, 1 deflate, 2 zstd. */
  readonly lercPacking: number
}

/** Decoded samples of a tile or strip. `shape.samples` is 3 where a conversion to colour was part of decoding. */
export interface Block {
  readonly shape: BlockShape
  readonly data: VoxelArray
}

const inflated = promisify(inflate)
const zstdUnpacked = promisify(zstdDecompress)

/** What an encoder may put behind what is needed: rows up to the end of a last strip, padding. */
const SLACK = 2 ** 16

/**
 * Decodes a tile or strip of the given extent. `packed` can be written to. Throws CodedError('bad-file') where it is cut off,
 * damaged, or compressed in a way that cannot be read.
 */
export async function decodeBlock(
  context: BlockContext,
  packed: Uint8Array<ArrayBuffer>,
  shape: BlockShape,
): Promise<Block> {
  const { path, layout } = context
  try {
    return await decode(context, packed, shape)
  } catch (error) {
    if (error instanceof UnknownCompression) {
      throw badFile(path, `uses a compression that cannot be read (${layout.compression}); save it as PNG or TIFF.`)
    }
    if (error instanceof CutOff) throw badFile(path, 'is cut off or damaged; copy or download it again.', error)
    throw badFile(path, 'is damaged or of an unusual kind; save it again as plain TIFF and open that.', error)
  }
}

class UnknownCompression extends Error {}
class CutOff extends Error {}

async function decode(context: BlockContext, packed: Uint8Array<ArrayBuffer>, shape: BlockShape): Promise<Block> {
  const { layout } = context
  const { compression } = layout
  if (compression === Compression.jpeg || compression === Compression.oldJpeg || compression === Compression.webp) {
    const block = fromPicture(context, await decodeStream(context, packed, shape), shape)
    if (!keepsYCbCr(context) || !(block.data instanceof Uint8Array)) return block
    return { ...block, data: fromYCbCr(block.data, context.luma, context.referenceBlackWhite) }
  }
  if (isFax(compression)) {
    if (layout.bits !== 1 || shape.samples !== 1) throw new RangeError('a fax in grey')
    const { width, height } = shape
    const extra = [...context.faxTags, [266, layout.reversedBits ? 2 : 1] as const]
    const picture = { width, height, samples: 1, bits: 1, compression, photometric: Photometric.minIsBlack }
    return { shape, data: await decodeFax({ ...picture, extra, data: packed }) }
  }
  const bytes = await unpack(context, packed, shape)
  if (subsampled(layout)) {
    const joined = joinSubsampled(bytes, shape, layout.subsampling)
    return { shape, data: fromYCbCr(joined, context.luma, context.referenceBlackWhite) }
  }
  // These decoders give samples in the machine's order, whatever the file's.
  const little = layout.little || compression === Compression.lerc || isJpeg2000(compression)
  const predictor = isPredicted(compression) ? layout.predictor : 1
  const data = samplesOf(bytes, { ...layout, little, predictor }, shape)
  return toRgb(context, { shape, data })
}

/** The old kind of JPEG can have a range of numbers that the decoder knows nothing of: it leaves them as they are. */
function keepsYCbCr({ layout, referenceBlackWhite }: BlockContext): boolean {
  const yCbCr = layout.compression === Compression.oldJpeg && layout.photometric === Photometric.yCbCr
  return yCbCr && referenceBlackWhite.some((value, i) => value !== FULL_RANGE[i])
}

/** Is chroma stored apart from luma, in rows of data units? */
function subsampled({ photometric, compression, samples, planar, bits }: PageLayout): boolean {
  return photometric === Photometric.yCbCr && samples === 3 && !planar && bits === 8 && !isJpeg2000(compression)
}

/** With other compressions the tag means nothing, and some programs write it all the same (libtiff has it so). */
function isPredicted(compression: number): boolean {
  const { lzw, deflate, oldDeflate, zstd } = Compression
  return [lzw, deflate, oldDeflate, zstd].includes(compression as 5)
}

function isJpeg2000(compression: number): boolean {
  const { aperioJpeg2000Rgb, aperioJpeg2000YCbCr, vipsJpeg2000, jpeg2000 } = Compression
  return [aperioJpeg2000Rgb, aperioJpeg2000YCbCr, vipsJpeg2000, jpeg2000].includes(compression as 33003)
}

async function decodeStream(
  context: BlockContext,
  packed: Uint8Array,
  { width, height, samples }: BlockShape,
): Promise<DecodedPicture> {
  const { layout } = context
  // libjpeg works in units of up to 32 pixels, and a last strip may hold rows below the picture.
  const pixels = (width + 64) * (Math.max(height, layout.blockHeight) + 64)
  if (layout.compression === Compression.webp) return decodePicture(packed, pixels, 3)
  if (layout.bits !== 8) throw new RangeError(`JPEG of ${layout.bits} bits`)
  if (layout.planar && layout.photometric !== Photometric.rgb && layout.colour) throw new RangeError('such planes')
  const colour = layout.photometric === Photometric.yCbCr && !keepsYCbCr(context) ? 'ycbcr' : 'rgb'
  const old = context.oldJpegTables
  if (layout.compression === Compression.oldJpeg && !(packed[0] === 0xff && packed[1] === 0xd8)) {
    if (old === null) throw new RangeError('no tables')
    const frame = { width, height, components: samples, subsampling: layout.subsampling }
    return decodePicture(oldJpeg(packed, old, frame, colour), pixels, samples)
  }
  const stream = wholeJpeg(packed, context.jpegTables, colour)
  const frame = jpegFrame(stream)
  if (frame === null || frame.width * frame.height > pixels) throw new RangeError('another size')
  return decodePicture(stream, pixels, frame.components)
}

/** Cuts what a stream holds to what the block should be. */
function fromPicture({ layout }: BlockContext, picture: DecodedPicture, shape: BlockShape): Block {
  const { width, height } = shape
  if (picture.width < width || picture.height < height) throw new CutOff()
  const wanted = layout.colour && !layout.planar ? 3 : shape.samples
  if (picture.channels < wanted) throw new RangeError('too few components')
  if (picture.channels === wanted && picture.width === width) {
    return { shape: { ...shape, samples: wanted }, data: picture.data.subarray(0, width * height * wanted) }
  }
  const data = new Uint8Array(width * height * wanted)
  for (let y = 0, k = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * picture.width + x) * picture.channels
      for (let c = 0; c < wanted; c++) data[k++] = picture.data[from + c] ?? 0
    }
  }
  return { shape: { ...shape, samples: wanted }, data }
}

/** The bytes of a block as they were before compression: exactly as many as it has to have. */
async function unpack(
  context: BlockContext,
  packed: Uint8Array<ArrayBuffer>,
  shape: BlockShape,
): Promise<Uint8Array<ArrayBuffer>> {
  const { layout } = context
  const expected = subsampled(layout)
    ? subsampledBytes(shape, layout.subsampling)
    : rowBytes(layout, shape) * shape.height
  const full = Math.min(rowBytes(layout, shape) * layout.blockHeight, expected + 2 ** 24)
  const limit = Math.max(expected, full) + SLACK
  const { width, height, samples } = shape
  const { compression, bits, format } = layout
  if (layout.reversedBits) reverseBits(packed)
  let bytes: Uint8Array
  switch (compression) {
    case Compression.none:
      bytes = packed
      break
    case Compression.lzw:
      bytes = await unpackLzw(packed, expected)
      break
    case Compression.deflate:
    case Compression.oldDeflate:
      bytes = limit < 2 ** 17 ? inflateSync(packed, bounded(limit)) : await inflated(packed, bounded(limit))
      break
    case Compression.packBits:
      bytes = unpackPackBits(packed, expected)
      break
    case Compression.zstd:
      bytes = await zstdUnpacked(packed, bounded(limit))
      break
    case Compression.lerc: {
      const blob = await unpackLerc(packed, context.lercPacking, limit)
      bytes = await decodeLerc(blob, {
        width,
        height,
        samples,
        type: format === 'float' ? `float${bits}` : `${format}${bits}`,
      })
      break
    }
    case Compression.jpeg2000:
    case Compression.vipsJpeg2000:
    case Compression.aperioJpeg2000Rgb:
    case Compression.aperioJpeg2000YCbCr:
      bytes = await decodeJpeg2000(packed, { width, height, components: samples, bits })
      break
    default:
      throw new UnknownCompression()
  }
  if (bytes.length < expected) throw new CutOff()
  return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, expected)
}

/** No more than a block can have, whatever the stream unpacks to. */
function bounded(maxOutputLength: number): { maxOutputLength: number } {
  return { maxOutputLength }
}

async function unpackLerc(
  packed: Uint8Array<ArrayBuffer>,
  packing: number,
  limit: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const options = bounded(limit + 2 ** 16)
  if (packing === 0) return packed
  if (packing > 2) throw new UnknownCompression()
  const bytes = packing === 1 ? await inflated(packed, options) : await zstdUnpacked(packed, options)
  return new Uint8Array(bytes)
}

function reverseBits(bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) {
    let value = bytes[i] ?? 0
    value = ((value & 0xf0) >> 4) | ((value & 0x0f) << 4)
    value = ((value & 0xcc) >> 2) | ((value & 0x33) << 2)
    bytes[i] = ((value & 0xaa) >> 1) | ((value & 0x55) << 1)
  }
}

/** Colour that is neither RGB nor a palette becomes 8-bit RGB. */
async function toRgb(context: BlockContext, block: Block): Promise<Block> {
  const { layout } = context
  const { photometric, compression } = layout
  const { shape, data } = block
  // Aperio's and libvips' code for it stands for YCbCr, whatever is said besides.
  const isCoded = compression === Compression.aperioJpeg2000YCbCr || compression === Compression.vipsJpeg2000
  const isPlain = photometric === Photometric.rgb || photometric === Photometric.palette
  if (!layout.colour || (isPlain && !isCoded)) return block
  if (layout.planar) throw new RangeError('such colours in planes')
  if (isJpeg2000(compression)) {
    if (!(data instanceof Uint8Array) || shape.samples !== 3) throw new RangeError('such colours')
    const saysYCbCr = photometric === Photometric.yCbCr && compression !== Compression.aperioJpeg2000Rgb
    if (!isCoded && !saysYCbCr) return block
    return { shape, data: fromYCbCr(data, context.luma, context.referenceBlackWhite) }
  }
  const { cmyk, cieLab, iccLab, ituLab } = Photometric
  if (![cmyk, cieLab, iccLab, ituLab].includes(photometric as 5)) throw new RangeError('such colours')
  if (layout.format !== 'uint' || (layout.bits !== 8 && layout.bits !== 16)) throw new RangeError('such colours')
  const { width, height, samples } = shape
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const picture = { width, height, samples, bits: layout.bits, compression: 1, photometric, data: bytes }
  const rgb = await convertToRgb(picture)
  if (rgb.channels !== 3) throw new RangeError('no colours')
  return { shape: { width, height, samples: 3 }, data: rgb.data }
}
