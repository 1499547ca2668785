/** Unpacks PackBits (TIFF revision 6.0, section 9) into at most `limit` bytes. Returns what there is. */
export function unpackPackBits(packed: Uint8Array, limit: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(limit)
  let at = 0
  for (let i = 0; i < packed.length && at < limit;) {
    const head = packed[i++] ?? 0
    if (head < 128) {
      const run = packed.subarray(i, Math.min(i + head + 1, i + limit - at))
      out.set(run, at)
      at += run.length
      i += head + 1
    } else if (head > 128 && i < packed.length) {
      const end = Math.min(limit, at + 257 - head)
      out.fill(packed[i++] ?? 0, at, end)
      at = end
    }
  }
  return out.subarray(0, at)
}
