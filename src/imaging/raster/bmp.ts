import { badFile } from '../files.ts'

export interface BmpImage {
  readonly width: number
  readonly height: number
  readonly bitsPerPixel: number
  /** width * height * 3, rows from the top, alpha dropped, palettes resolved. */
  readonly rgb: Uint8Array<ArrayBuffer>
  /** Of pictures with a palette: one index a pixel. Null for others. */
  readonly indices: Uint8Array<ArrayBuffer> | null
}

interface BmpHeader {
  readonly width: number
  readonly height: number
  readonly topDown: boolean
  readonly bits: number
  readonly compression: number
  readonly pixelOffset: number
  readonly palette: Uint8Array
  /** Bits of red, green and blue in a 16- or 32-bit pixel. */
  readonly masks: readonly [number, number, number]
}

const RLE8 = 1
const RLE4 = 2
const MAX_PIXELS = 2 ** 28

/** Width, height and depth without the pixels. Throws CodedError('bad-file'). */
export function bmpSize(bytes: Uint8Array, path: string): { width: number; height: number; bitsPerPixel: number } {
  const { width, height, bits } = parseHeader(bytes, path)
  return { width, height, bitsPerPixel: bits }
}

/**
 * Decodes a Windows or OS/2 bitmap: 1, 2, 4 and 8 bits with palette, 16, 24 and 32 bits, bit fields, RLE4 and RLE8,
 * stored bottom-up or top-down. Throws CodedError('bad-file') where the file is short or of another kind.
 */
export function decodeBmp(bytes: Uint8Array, path: string): BmpImage {
  const header = parseHeader(bytes, path)
  const { width, height, bits } = header
  if (header.compression === RLE8 || header.compression === RLE4) {
    // Two bytes of it say at most 255 pixels, and what is skipped takes as much.
    if (width * height > 256 * (bytes.length - header.pixelOffset)) throw cutOff(header, path)
    const indices = unpackRle(bytes, header)
    return { width, height, bitsPerPixel: bits, rgb: paint(header, indices), indices }
  }
  const stride = Math.ceil((width * bits) / 32) * 4
  // Writers often leave out the padding of the last row.
  if (bytes.length < header.pixelOffset + stride * (height - 1) + Math.ceil((width * bits) / 8)) {
    throw cutOff(header, path)
  }
  const indices = bits <= 8 ? unpackIndices(bytes, header, stride) : null
  const rgb = indices === null ? unpackColours(bytes, header, stride) : paint(header, indices)
  return { width, height, bitsPerPixel: bits, rgb, indices }
}

function cutOff({ width, height }: BmpHeader, path: string): Error {
  return badFile(path, `is cut off (it should hold ${width} x ${height} pixels); copy or download it again.`)
}

function parseHeader(bytes: Uint8Array, path: string): BmpHeader {
  const damaged = (): Error => badFile(path, 'has a damaged BMP header; get the file again from where it came from.')
  if (bytes.length < 26) throw damaged()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const headerBytes = view.getUint32(14, true)
  const old = headerBytes === 12
  if ((!old && headerBytes < 40) || headerBytes > 256 || bytes.length < 14 + headerBytes) throw damaged()
  const width = old ? view.getUint16(18, true) : view.getInt32(18, true)
  const stated = old ? view.getUint16(20, true) : view.getInt32(22, true)
  const bits = view.getUint16(old ? 24 : 28, true)
  const compression = old ? 0 : view.getUint32(30, true)
  const height = Math.abs(stated)
  if (width < 1 || height < 1 || width * height > MAX_PIXELS || ![1, 2, 4, 8, 16, 24, 32].includes(bits))
    throw damaged()
  const known =
    compression === 0 ||
    (compression === RLE8 && bits === 8) ||
    (compression === RLE4 && bits === 4) ||
    ((compression === 3 || compression === 6) && (bits === 16 || bits === 32))
  if (!known) throw badFile(path, 'is a BMP of a kind that cannot be read; save it as PNG and open that.')
  const entryBytes = old ? 3 : 4
  const maskBytes = headerBytes === 40 && compression === 3 ? 12 : headerBytes === 40 && compression === 6 ? 16 : 0
  const paletteAt = 14 + headerBytes + maskBytes
  const pixelOffset = view.getUint32(10, true)
  if (pixelOffset < paletteAt || pixelOffset >= bytes.length) throw damaged()
  const entries = bits > 8 ? 0 : Math.min(2 ** bits, Math.floor((pixelOffset - paletteAt) / entryBytes))
  const palette = new Uint8Array(256 * 3)
  for (let i = 0; i < entries; i++) {
    const at = paletteAt + i * entryBytes
    palette.set([bytes[at + 2] ?? 0, bytes[at + 1] ?? 0, bytes[at] ?? 0], 3 * i)
  }
  let masks: [number, number, number] = bits === 16 ? [0x7c00, 0x3e0, 0x1f] : [0xff0000, 0xff00, 0xff]
  if (compression === 3 || compression === 6) {
    if (bytes.length < 66) throw damaged()
    masks = [view.getUint32(54, true), view.getUint32(58, true), view.getUint32(62, true)]
  }
  return { width, height, topDown: stated < 0, bits, compression, pixelOffset, palette, masks }
}

/** Row in the picture of the n-th row in the file. */
function rowOf(header: BmpHeader, n: number): number {
  return header.topDown ? n : header.height - 1 - n
}

function unpackIndices(bytes: Uint8Array, header: BmpHeader, stride: number): Uint8Array<ArrayBuffer> {
  const { width, height, bits, pixelOffset } = header
  const indices = new Uint8Array(width * height)
  const perByte = 8 / bits
  const mask = 2 ** bits - 1
  for (let n = 0; n < height; n++) {
    const from = pixelOffset + n * stride
    const to = rowOf(header, n) * width
    for (let x = 0; x < width; x++) {
      const byte = bytes[from + Math.floor(x / perByte)] ?? 0
      indices[to + x] = (byte >> (8 - bits * ((x % perByte) + 1))) & mask
    }
  }
  return indices
}

function unpackColours(bytes: Uint8Array, header: BmpHeader, stride: number): Uint8Array<ArrayBuffer> {
  const { width, height, bits, compression, pixelOffset } = header
  const rgb = new Uint8Array(width * height * 3)
  const plain = bits === 24 || (bits === 32 && compression === 0)
  const fields = header.masks.map(field)
  const step = bits / 8
  for (let n = 0; n < height; n++) {
    let from = pixelOffset + n * stride
    let to = rowOf(header, n) * width * 3
    for (let x = 0; x < width; x++, from += step, to += 3) {
      const b = bytes[from] ?? 0
      const g = bytes[from + 1] ?? 0
      const r = step > 2 ? (bytes[from + 2] ?? 0) : 0
      if (plain) {
        rgb[to] = r
        rgb[to + 1] = g
        rgb[to + 2] = b
      } else {
        const a = step > 3 ? (bytes[from + 3] ?? 0) : 0
        const pixel = bits === 16 ? b | (g << 8) : (b | (g << 8) | (r << 16) | (a << 24)) >>> 0
        for (let c = 0; c < 3; c++) rgb[to + c] = fields[c]?.(pixel) ?? 0
      }
    }
  }
  return rgb
}

/** Takes the bits of a mask out of a pixel and stretches them to 0 … 255. */
function field(mask: number): (pixel: number) => number {
  if (mask === 0) return () => 0
  let shift = 0
  while (((mask >>> shift) & 1) === 0) shift++
  const largest = mask >>> shift
  return (pixel) => Math.round((((pixel & mask) >>> shift) * 255) / largest)
}

/** Run-length packed indices. Pixels that are skipped keep index 0; what runs over an edge is dropped. */
function unpackRle(bytes: Uint8Array, header: BmpHeader): Uint8Array<ArrayBuffer> {
  const { width, height, bits } = header
  const indices = new Uint8Array(width * height)
  let at = header.pixelOffset
  let x = 0
  let n = 0
  const put = (index: number): void => {
    if (x < width && n < height) indices[rowOf(header, n) * width + x] = index
    x++
  }
  const half = (byte: number, i: number): number => (i % 2 === 0 ? byte >> 4 : byte & 15)
  while (at + 1 < bytes.length && n < height) {
    const count = bytes[at++] ?? 0
    const value = bytes[at++] ?? 0
    if (count > 0) {
      for (let i = 0; i < count; i++) put(bits === 8 ? value : half(value, i))
    } else if (value === 0) {
      x = 0
      n++
    } else if (value === 1) {
      break
    } else if (value === 2) {
      x += bytes[at++] ?? 0
      n += bytes[at++] ?? 0
    } else {
      const packed = bits === 8 ? value : Math.ceil(value / 2)
      for (let i = 0; i < value; i++) put(bits === 8 ? (bytes[at + i] ?? 0) : half(bytes[at + (i >> 1)] ?? 0, i))
      at += packed + (packed % 2)
    }
  }
  return indices
}

function paint(header: BmpHeader, indices: Uint8Array): Uint8Array<ArrayBuffer> {
  const rgb = new Uint8Array(indices.length * 3)
  for (let i = 0; i < indices.length; i++) {
    const entry = 3 * (indices[i] ?? 0)
    rgb[3 * i] = header.palette[entry] ?? 0
    rgb[3 * i + 1] = header.palette[entry + 1] ?? 0
    rgb[3 * i + 2] = header.palette[entry + 2] ?? 0
  }
  return rgb
}
