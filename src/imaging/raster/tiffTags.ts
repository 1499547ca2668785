/** TIFF tag numbers (revision 6.0). */
export const TIFF_COMPRESSION = 259

/** Values of the compression tag. */
export const TIFF_UNCOMPRESSED = 1
export const TIFF_OLD_JPEG = 6

/**
 * A short or long number in the first directory of a TIFF or BigTIFF; null where the tag is missing or the file is
 * too damaged to find it.
 */
export function tiffTag(bytes: Uint8Array, wanted: number): number | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const le = bytes[0] === 0x49
  try {
    const big = view.getUint16(2, le) === 43
    const directory = big ? Number(view.getBigUint64(8, le)) : view.getUint32(4, le)
    const count = big ? Number(view.getBigUint64(directory, le)) : view.getUint16(directory, le)
    const first = directory + (big ? 8 : 2)
    for (let i = 0; i < count; i++) {
      const entry = first + i * (big ? 20 : 12)
      if (view.getUint16(entry, le) !== wanted) continue
      const value = entry + (big ? 12 : 8)
      return view.getUint16(entry + 2, le) === 3 ? view.getUint16(value, le) : view.getUint32(value, le)
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  return null
}
