/** Markers of a JPEG stream (ITU-T T.81, table B.1). */
const SOI = 0xd8
const EOI = 0xd9
const SOS = 0xda
const DQT = 0xdb
const DHT = 0xc4
const SOF0 = 0xc0
const DRI = 0xdd
const COM = 0xfe

/** What the numbers of three-channel JPEG data are: the stream itself does not say it dependably. */
export type JpegColour = 'rgb' | 'ycbcr'

interface Segments {
  /** Tables and frame header, without application data, each with its marker. */
  readonly kept: Uint8Array[]
  /** From the first scan on. */
  readonly scans: Uint8Array
  readonly frame: { readonly width: number; readonly height: number; readonly components: number } | null
}

/**
 * One block of JPEG compression (Adobe's TIFF technical note 2) as a stream that stands for itself: with the tables that all
 * blocks share, and a marker that says what its numbers are. Throws RangeError where the block is no JPEG.
 */
export function wholeJpeg(block: Uint8Array, tables: Uint8Array, colour: JpegColour): Uint8Array {
  const shared = tables.length > 0 ? segments(tables) : null
  const own = segments(block)
  if (own.frame === null || own.scans.length === 0) throw new RangeError('a block without a picture')
  const parts: Uint8Array[] = [Uint8Array.of(0xff, SOI)]
  if (own.frame.components === 3) parts.push(adobeMarker(colour === 'ycbcr' ? 1 : 0))
  parts.push(...(shared?.kept ?? []), ...own.kept, own.scans)
  return joined(parts)
}

/** Width, height and components of a JPEG stream; null where there is no frame header. */
export function jpegFrame(stream: Uint8Array): Segments['frame'] {
  return segments(stream).frame
}

/** APP14 as Adobe writes it: 0 for RGB, 1 for YCbCr. */
function adobeMarker(transform: number): Uint8Array {
  return Uint8Array.of(0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, transform)
}

/** Cuts a stream at its markers. Throws RangeError where it is none. */
function segments(stream: Uint8Array): Segments {
  const kept: Uint8Array[] = []
  let frame: Segments['frame'] = null
  if (stream[0] !== 0xff || stream[1] !== SOI) throw new RangeError('no JPEG stream')
  for (let at = 2; at + 4 <= stream.length;) {
    if (stream[at] !== 0xff) throw new RangeError('no marker where one is due')
    const marker = stream[at + 1] ?? 0
    if (marker === 0xff || marker === 1 || (marker >= 0xd0 && marker <= SOI)) {
      at += marker === 0xff ? 1 : 2
      continue
    }
    if (marker === EOI) break
    if (marker === SOS) return { kept, scans: stream.subarray(at), frame }
    const length = ((stream[at + 2] ?? 0) << 8) | (stream[at + 3] ?? 0)
    const segment = stream.subarray(at, at + 2 + length)
    const isFrame = marker >= SOF0 && marker <= 0xcf && marker !== DHT && marker !== 0xc8 && marker !== 0xcc
    if (isFrame) {
      const byte = (i: number): number => segment[i] ?? 0
      frame = { height: (byte(5) << 8) | byte(6), width: (byte(7) << 8) | byte(8), components: byte(9) }
    }
    if (!(marker >= 0xe0 && marker <= 0xef) && marker !== COM) kept.push(segment)
    at += 2 + length
  }
  return { kept, scans: new Uint8Array(0), frame }
}

/** Tables of the old kind of JPEG compression (revision 6.0, section 22), as the tags point at them. */
export interface OldJpegTables {
  /** 64 values each, in zigzag order. */
  readonly quantization: readonly Uint8Array[]
  /** 16 counts and the values. */
  readonly dc: readonly Uint8Array[]
  readonly ac: readonly Uint8Array[]
  readonly restartInterval: number
}

/** Bare entropy-coded data of the old kind with headers around them. */
export function oldJpeg(
  scan: Uint8Array,
  tables: OldJpegTables,
  shape: { width: number; height: number; components: number; subsampling: readonly [number, number] },
  colour: JpegColour,
): Uint8Array {
  const { width, height, components } = shape
  const parts: Uint8Array[] = [Uint8Array.of(0xff, SOI)]
  if (components === 3) parts.push(adobeMarker(colour === 'ycbcr' ? 1 : 0))
  tables.quantization.forEach((table, i) => parts.push(segment(DQT, [i, ...table])))
  const sampling = components === 3 ? (shape.subsampling[0] << 4) | shape.subsampling[1] : 0x11
  const frame = [8, height >> 8, height & 255, width >> 8, width & 255, components]
  const scanHeader = [components]
  for (let c = 0; c < components; c++) {
    const table = (list: readonly Uint8Array[]): number => Math.min(c, list.length - 1)
    frame.push(c + 1, c === 0 ? sampling : 0x11, table(tables.quantization))
    scanHeader.push(c + 1, (table(tables.dc) << 4) | table(tables.ac))
  }
  parts.push(segment(SOF0, frame))
  tables.dc.forEach((table, i) => parts.push(segment(DHT, [i, ...table])))
  tables.ac.forEach((table, i) => parts.push(segment(DHT, [0x10 | i, ...table])))
  const { restartInterval } = tables
  if (restartInterval > 0) parts.push(segment(DRI, [restartInterval >> 8, restartInterval & 255]))
  parts.push(segment(SOS, [...scanHeader, 0, 63, 0]), scan)
  const ends = scan.length >= 2 && scan[scan.length - 2] === 0xff && scan[scan.length - 1] === EOI
  if (!ends) parts.push(Uint8Array.of(0xff, EOI))
  return joined(parts)
}

function segment(marker: number, payload: readonly number[]): Uint8Array {
  const length = payload.length + 2
  return Uint8Array.of(0xff, marker, length >> 8, length & 255, ...payload)
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
