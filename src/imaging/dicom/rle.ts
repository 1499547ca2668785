/**
 * Unpacks a frame of RLE Lossless (PS3.5, annex G): a segment for each byte of a sample, the highest byte first, of each
 * sample in turn. Gives the samples interleaved, little-endian. Null where the data are damaged or too short.
 */
export function decodeRle(
  packed: Uint8Array,
  pixels: number,
  samples: number,
  bytesPerSample: number,
): Uint8Array<ArrayBuffer> | null {
  const segments = samples * bytesPerSample
  if (packed.length < 64) return null
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
  if (view.getUint32(0, true) !== segments) return null
  const out = new Uint8Array(pixels * segments)
  for (let segment = 0; segment < segments; segment++) {
    const start = view.getUint32(4 + 4 * segment, true)
    const end = segment + 1 < segments ? view.getUint32(8 + 4 * segment, true) : packed.length
    if (start < 64 || start > end || end > packed.length) return null
    const sample = Math.floor(segment / bytesPerSample)
    const byte = bytesPerSample - 1 - (segment % bytesPerSample)
    const first = sample * bytesPerSample + byte
    if (!unpack(packed.subarray(start, end), out, first, segments, pixels)) return null
  }
  return out
}

/** PackBits: 0 to 127 that many bytes and one more as they are, 129 to 255 one byte 257 less that many times. */
function unpack(segment: Uint8Array, out: Uint8Array, first: number, step: number, pixels: number): boolean {
  let done = 0
  for (let at = 0; at < segment.length && done < pixels;) {
    const control = segment[at++] ?? 128
    if (control < 128) {
      const count = Math.min(control + 1, pixels - done)
      if (at + count > segment.length) return false
      for (let i = 0; i < count; i++) out[first + step * done++] = segment[at + i] ?? 0
      at += control + 1
    } else if (control > 128) {
      const value = segment[at++]
      if (value === undefined) return false
      for (let count = Math.min(257 - control, pixels - done); count > 0; count--) out[first + step * done++] = value
    }
  }
  return done === pixels
}
