import { promisify } from 'node:util'
import { crc32, inflate } from 'node:zlib'
import { badFile } from '../files.ts'

const inflateAsync = promisify(inflate)

/** The samples of a PNG as they are in the file: palettes not resolved, 1, 2 and 4 bits not stretched to 8. */
export interface PngSamples {
  readonly width: number
  readonly height: number
  readonly bitDepth: 1 | 2 | 4 | 8 | 16
  /** `palette`: the samples are indices. */
  readonly kind: 'grey' | 'palette' | 'rgb' | 'grey-alpha' | 'rgba'
  /** Samples a pixel, alpha counted. */
  readonly channels: 1 | 2 | 3 | 4
  /** Rows from the top, channels interleaved. */
  readonly data: Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer>
}

interface PngHeader {
  readonly width: number
  readonly height: number
  readonly bitDepth: PngSamples['bitDepth']
  readonly kind: PngSamples['kind']
  readonly channels: PngSamples['channels']
  readonly interlaced: boolean
  /** The pieces of the zlib stream. */
  readonly packed: readonly Uint8Array[]
}

const KINDS: ReadonlyMap<number, readonly [PngSamples['kind'], PngSamples['channels'], readonly number[]]> = new Map([
  [0, ['grey', 1, [1, 2, 4, 8, 16]]],
  [2, ['rgb', 3, [8, 16]]],
  [3, ['palette', 1, [1, 2, 4, 8]]],
  [4, ['grey-alpha', 2, [8, 16]]],
  [6, ['rgba', 4, [8, 16]]],
])

export const MAX_PIXELS = 268_402_689
/** No deflate stream unpacks to more than this many times its length. */
const MAX_RATIO = 1032

/** First column, first row, and steps of the seven passes of an interlaced picture (PNG specification, 8.2). */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const

/** Decodes a PNG of any kind to its stored samples. Throws CodedError('bad-file'). */
export async function decodePng(bytes: Uint8Array, path: string): Promise<PngSamples> {
  const header = parsePng(bytes, path)
  const { width, height, bitDepth, kind, channels, interlaced } = header
  const bits = bitDepth * channels
  const passes = interlaced ? PASSES : ([[0, 0, 1, 1]] as const)
  const sizes = passes.map(([x0, y0, dx, dy]) => ({
    columns: Math.max(0, Math.ceil((width - x0) / dx)),
    rows: Math.max(0, Math.ceil((height - y0) / dy)),
  }))
  const rowBytes = (columns: number): number => Math.ceil((columns * bits) / 8)
  const expected = sizes.reduce(
    (sum, { columns, rows }) => sum + (columns === 0 ? 0 : rows * (1 + rowBytes(columns))),
    0,
  )
  const packedBytes = header.packed.reduce((sum, piece) => sum + piece.length, 0)
  if (expected > packedBytes * MAX_RATIO) throw cutOff(path)
  const plain = await unpack(header.packed, expected, path)
  const samples = width * height * channels
  const data = bitDepth === 16 ? new Uint16Array(samples) : new Uint8Array(samples)
  let at = 0
  passes.forEach(([x0, y0, dx, dy], pass) => {
    const { columns = 0, rows = 0 } = sizes[pass] ?? {}
    if (columns === 0) return
    const length = rowBytes(columns)
    let above: Uint8Array = new Uint8Array(length)
    for (let r = 0; r < rows; r++) {
      const row = plain.subarray(at + 1, at + 1 + length)
      unfilter(plain[at] ?? 0, row, above, Math.max(1, bits >> 3), path)
      place(row, data, {
        columns,
        channels,
        bitDepth,
        from: ((y0 + r * dy) * width + x0) * channels,
        step: dx * channels,
      })
      above = row
      at += 1 + length
    }
  })
  return { width, height, bitDepth, kind, channels, data }
}

function cutOff(path: string): Error {
  return badFile(path, 'is cut off; copy or download it again.')
}

function damaged(path: string, cause?: unknown): Error {
  return badFile(path, 'is a damaged PNG; get the file again from where it came from.', cause)
}

function parsePng(bytes: Uint8Array, path: string): PngHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 33 || view.getUint32(12) !== 0x49484452) throw damaged(path)
  const width = view.getUint32(16)
  const height = view.getUint32(20)
  const known = KINDS.get(bytes[25] ?? 255)
  const depth = bytes[24] ?? 0
  const interlace = bytes[28] ?? 255
  if (width === 0 || height === 0 || known === undefined || !known[2].includes(depth) || interlace > 1) {
    throw damaged(path)
  }
  if (width * height > MAX_PIXELS) throw tooLarge(path)
  const packed: Uint8Array[] = []
  for (let at = 8; at + 8 <= bytes.length;) {
    const length = view.getUint32(at)
    const type = view.getUint32(at + 4)
    if (type === 0x49454e44) break // IEND
    if (type === 0x49444154 || type === 0x49484452) {
      // IDAT and IHDR; what else there is says nothing of the samples.
      const end = at + 8 + length
      if (end + 4 > bytes.length) throw cutOff(path)
      if (crc32(bytes.subarray(at + 4, end)) !== view.getUint32(end)) throw damaged(path)
      if (type === 0x49444154) packed.push(bytes.subarray(at + 8, end))
    }
    at += 12 + length
  }
  const [kind, channels] = known
  return {
    width,
    height,
    bitDepth: depth as PngSamples['bitDepth'],
    kind,
    channels,
    interlaced: interlace === 1,
    packed,
  }
}

export function tooLarge(path: string): Error {
  return badFile(path, 'has more than 268 million pixels; crop it or export a smaller picture.')
}

async function unpack(packed: readonly Uint8Array[], expected: number, path: string): Promise<Uint8Array> {
  try {
    const plain = await inflateAsync(Buffer.concat(packed), { maxOutputLength: expected + 2 ** 16 })
    if (plain.length < expected) throw cutOff(path)
    return plain
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : ''
    if (code === 'Z_BUF_ERROR') throw cutOff(path)
    if (typeof code === 'string' && (code.startsWith('Z_') || code.startsWith('ERR_'))) throw damaged(path, error)
    throw error
  }
}

/** Undoes the filter of a row in place (PNG specification, 9.2). `step`: bytes of a pixel, at least 1. */
function unfilter(filter: number, row: Uint8Array, above: Uint8Array, step: number, path: string): void {
  if (filter > 4) throw damaged(path)
  for (let i = 0; i < row.length && filter > 0; i++) {
    const left = i >= step ? (row[i - step] ?? 0) : 0
    const up = above[i] ?? 0
    const corner = i >= step ? (above[i - step] ?? 0) : 0
    let predicted = filter === 1 ? left : filter === 2 ? up : filter === 3 ? (left + up) >> 1 : 0
    if (filter === 4) {
      const estimate = left + up - corner
      const [a, b, c] = [Math.abs(estimate - left), Math.abs(estimate - up), Math.abs(estimate - corner)]
      predicted = a <= b && a <= c ? left : b <= c ? up : corner
    }
    row[i] = (row[i] ?? 0) + predicted
  }
}

/** Puts the samples of one unfiltered row where they belong. */
function place(
  row: Uint8Array,
  data: Uint8Array | Uint16Array,
  to: { columns: number; channels: number; bitDepth: number; from: number; step: number },
): void {
  const { columns, channels, bitDepth, from, step } = to
  if (bitDepth === 8 && step === channels) {
    data.set(row.subarray(0, columns * channels), from)
    return
  }
  const mask = 2 ** bitDepth - 1
  for (let x = 0, n = 0; x < columns; x++) {
    for (let c = 0; c < channels; c++, n++) {
      let value: number
      if (bitDepth === 16) value = ((row[2 * n] ?? 0) << 8) | (row[2 * n + 1] ?? 0)
      else if (bitDepth === 8) value = row[n] ?? 0
      else {
        const bit = n * bitDepth
        value = ((row[bit >> 3] ?? 0) >> (8 - bitDepth - (bit & 7))) & mask
      }
      data[from + x * step + c] = value
    }
  }
}
