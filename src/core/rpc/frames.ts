import { Packr } from 'msgpackr'

/**
 * Messages over a byte stream: four bytes of length, little-endian, then one msgpack document. Objects become maps and
 * typed arrays stay what they are, so that both ends may be different engines.
 */
const packr = new Packr({ useRecords: false, moreTypes: true })

const HEADER = 4
/** A length beyond this is no message of ours but a stream out of step. */
const MAX_FRAME = 2 ** 31 - 1

export function encodeFrame(message: unknown): Uint8Array {
  const body = packr.pack(message)
  const frame = new Uint8Array(HEADER + body.byteLength)
  new DataView(frame.buffer).setUint32(0, body.byteLength, true)
  frame.set(body, HEADER)
  return frame
}

/**
 * Returns the function that takes the stream's chunks as they come and hands each complete message to `onMessage`.
 * Typed arrays have memory of their own; Buffers that were sent are views of the frame. Throws on a stream that is out of
 * step or not msgpack.
 */
export function createFrameReader(onMessage: (message: unknown) => void): (chunk: Uint8Array) => void {
  let chunks: Uint8Array[] = []
  let size = 0
  let needed = HEADER
  return (chunk) => {
    chunks.push(chunk)
    size += chunk.byteLength
    while (size >= needed) {
      // Joined only when enough is there, so that a large frame is copied once and not once a chunk.
      const bytes = join(chunks, size)
      const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
      if (length > MAX_FRAME) throw new Error(`A frame of ${length} bytes cannot be.`)
      const end = HEADER + length
      const complete = size >= end
      chunks = complete ? [bytes.subarray(end)] : [bytes]
      size = complete ? size - end : size
      needed = complete ? HEADER : end
      if (complete) onMessage(packr.unpack(bytes.slice(HEADER, end)))
    }
  }
}

function join(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const [first] = chunks
  if (first !== undefined && chunks.length === 1) return first
  const joined = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    joined.set(chunk, at)
    at += chunk.byteLength
  }
  return joined
}
