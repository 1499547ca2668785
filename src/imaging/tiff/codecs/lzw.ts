import { setImmediate as nextTurn } from 'node:timers/promises'

const CLEAR = 256
const END = 257
const MOST_CODES = 4096
/** Bytes between turns of the event loop. */
const TURN = 2 ** 22

/**
 * Unpacks TIFF's LZW (revision 6.0, section 13: highest bit first, codes grow one early) into at most `limit` bytes.
 * Returns what there is, which is shorter where the data end early or are damaged.
 */
export async function unpackLzw(packed: Uint8Array, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const out = new Uint8Array(limit)
  // A code stands for a stretch of the output that is there already: where it begins, and how long it is.
  const starts = new Uint32Array(MOST_CODES + 1)
  const lengths = new Uint32Array(MOST_CODES + 1)
  let next = END + 1
  let width = 9
  let bits = 0
  let held = 0
  let at = 0
  let turn = TURN
  let previousStart = -1
  let previousLength = 0
  for (let i = 0; at < limit;) {
    while (held < width && i < packed.length) {
      bits = ((bits << 8) | (packed[i++] ?? 0)) & 0xffffff
      held += 8
    }
    if (held < width) break
    const code = (bits >> (held - width)) & ((1 << width) - 1)
    held -= width
    if (code === END) break
    if (code === CLEAR) {
      next = END + 1
      width = 9
      previousStart = -1
      continue
    }
    const start = at
    if (code < CLEAR) out[at++] = code
    else if (previousStart >= 0 && code < next) at = copy(out, starts[code] ?? 0, lengths[code] ?? 0, at)
    else if (previousStart >= 0 && code === next) {
      at = copy(out, previousStart, previousLength, at)
      if (at < limit) out[at++] = out[start] ?? 0
    } else break
    if (previousStart >= 0 && next < MOST_CODES) {
      // The previous string and the first byte of this one lie next to each other in the output.
      starts[next] = previousStart
      lengths[next] = previousLength + 1
      next++
      if (next + 1 >= 1 << width && width < 12) width++
    }
    previousStart = start
    previousLength = at - start
    if (at > turn) {
      turn = at + TURN
      await nextTurn()
    }
  }
  return out.subarray(0, at)
}

/** Byte by byte, as a string can overlap what it makes. */
function copy(out: Uint8Array, from: number, length: number, at: number): number {
  const end = Math.min(out.length, at + length)
  for (let k = from; at < end; k++, at++) out[at] = out[k] ?? 0
  return at
}
