/** What a compressed frame says of itself: held against the file's header before any decoder sees it. */
export interface CodestreamHeader {
  readonly columns: number
  readonly rows: number
  readonly samples: number
  readonly bits: number
  /** Of colours: one sample of all pixels after the other. */
  readonly planar: boolean
  /** Of JPEG 2000: the decoder makes RGB of it itself. */
  readonly transformed: boolean
}

/** The header of a JPEG or JPEG-LS frame; null where it is damaged. */
export function jpegHeader(bytes: Uint8Array): CodestreamHeader | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 4 || view.getUint16(0) !== 0xffd8) return null
  let frame: Omit<CodestreamHeader, 'planar'> | null = null
  for (let at = 2; at + 4 <= bytes.length;) {
    if (bytes[at] !== 0xff) return null
    const marker = bytes[at + 1] ?? 0
    if (marker === 0xff) {
      at++
      continue
    }
    const length = view.getUint16(at + 2)
    if (length < 2 || at + 2 + length > bytes.length) return null
    if (isFrame(marker) && length >= 8) {
      const [bits = 0, samples = 0] = [bytes[at + 4], bytes[at + 9]]
      frame = { bits, rows: view.getUint16(at + 5), columns: view.getUint16(at + 7), samples, transformed: false }
    }
    if (marker === 0xda) {
      if (frame === null) return null
      const components = bytes[at + 4] ?? 0
      // Of JPEG-LS: whether the lines or samples of the components take turns, or each has a scan of its own.
      const turns = bytes[at + 4 + 2 * components + 2] ?? 0
      return { ...frame, planar: frame.samples > 1 && turns === 0 }
    }
    at += 2 + length
  }
  return null
}

/** Start of frame: C0 to CF without the tables in between, and F7 of JPEG-LS. */
function isFrame(marker: number): boolean {
  return marker === 0xf7 || (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker))
}

const MAX_TILES = 4096

/** The header of a JPEG 2000 code stream, bare or in a JP2 file; null where it is damaged or beyond what can be decoded. */
export function jpeg2000Header(bytes: Uint8Array): CodestreamHeader | null {
  const start = Buffer.from(bytes.subarray(0, 4096)).indexOf(Buffer.from([0xff, 0x4f, 0xff, 0x51]))
  if (start < 0 || start + 44 > bytes.length) return null
  const isJp2 = bytes[0] === 0 && bytes[4] === 0x6a
  if (start > 0 && !isJp2) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const long = (at: number): number => view.getUint32(start + at)
  const [right, bottom, left, top] = [long(8), long(12), long(16), long(20)]
  const [tileColumns, tileRows] = [long(24), long(28)]
  const samples = view.getUint16(start + 40)
  if (tileColumns === 0 || tileRows === 0 || samples === 0 || start + 42 + 3 * samples > bytes.length) return null
  if (Math.ceil(right / tileColumns) * Math.ceil(bottom / tileRows) > MAX_TILES) return null
  let bits = 0
  for (let sample = 0; sample < samples; sample++) {
    const at = start + 42 + 3 * sample
    // Samples that are coarser than the pixels are nothing that the decoder here puts together.
    if (bytes[at + 1] !== 1 || bytes[at + 2] !== 1) return null
    const precision = ((bytes[at] ?? 0) & 0x7f) + 1
    if (sample > 0 && precision !== bits) return null
    bits = precision
  }
  const transformed = samples === 3 && hasTransform(bytes, view, start)
  return { columns: right - left, rows: bottom - top, samples, bits, planar: false, transformed }
}

/** The multiple component transformation in the coding style (COD) of the main header. */
function hasTransform(bytes: Uint8Array, view: DataView, start: number): boolean {
  for (let at = start + 2; at + 9 <= bytes.length; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint16(at)
    if (marker === 0xff52) return bytes[at + 8] === 1
    if (marker === 0xff90 || marker === 0xff93 || view.getUint16(at + 2) < 2) return false
  }
  return false
}
