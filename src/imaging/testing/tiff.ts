/** One uncompressed page of a test TIFF. */
export interface TiffPage {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array
}

const ENTRY = 12
const SHORT = 3
const LONG = 4

/** A little-endian TIFF (revision 6.0) with greyscale pages, one strip each: what sharp itself cannot write. */
export function tiffBytes(pages: readonly TiffPage[]): Uint8Array {
  const tags = 10
  const pageBytes = (page: TiffPage): number => 2 + tags * ENTRY + 4 + page.data.byteLength + (page.data.byteLength % 2)
  const total = pages.reduce((sum, page) => sum + pageBytes(page), 8)
  const bytes = Buffer.alloc(total)
  bytes.set([0x49, 0x49, 42, 0, 8, 0, 0, 0])
  let at = 8
  pages.forEach((page, index) => {
    const { width, height, data } = page
    const strip = at + 2 + tags * ENTRY + 4
    const format = data instanceof Float32Array ? 3 : data.constructor.name.startsWith('Int') ? 2 : 1
    const entries: [number, number, number][] = [
      [256, LONG, width],
      [257, LONG, height],
      [258, SHORT, data.BYTES_PER_ELEMENT * 8],
      [259, SHORT, 1],
      [262, SHORT, 1],
      [273, LONG, strip],
      [277, SHORT, 1],
      [278, LONG, height],
      [279, LONG, data.byteLength],
      [339, SHORT, format],
    ]
    bytes.writeUInt16LE(tags, at)
    entries.forEach(([tag, type, value], i) => {
      const entry = at + 2 + i * ENTRY
      bytes.writeUInt16LE(tag, entry)
      bytes.writeUInt16LE(type, entry + 2)
      bytes.writeUInt32LE(1, entry + 4)
      bytes.writeUInt32LE(value, entry + 8)
    })
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), strip)
    const next = at + pageBytes(page)
    bytes.writeUInt32LE(index + 1 < pages.length ? next : 0, at + 2 + tags * ENTRY)
    at = next
  })
  return bytes
}
