import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createInflateRaw } from 'node:zlib'
import { readError, systemCode } from '../files.ts'
import { cutOff } from './header.ts'

/**
 * The first bytes of what a deflated data set unpacks to, `count` of them or fewer where it ends before: no more is unpacked, and no
 * more is held. Throws a CodedError where it is damaged or cut off before that.
 */
export async function inflatedStart(path: string, from: number, count: number): Promise<Uint8Array<ArrayBuffer>> {
  const unpacked = createInflateRaw()
  // Errors come out of the loop.
  pipeline(createReadStream(path, { start: from }), unpacked, () => undefined)
  const out = new GrowingBytes(count)
  try {
    for await (const chunk of unpacked) {
      if (out.add(chunk as Uint8Array)) break
    }
  } catch (error) {
    throw systemCode(error).startsWith('Z_') ? cutOff(path) : readError(error, path)
  } finally {
    unpacked.destroy()
  }
  return out.bytes()
}

/** Memory that is doubled as it fills, up to a limit: what is stated is not trusted before it is there. */
class GrowingBytes {
  readonly #limit: number
  #held = new Uint8Array(2 ** 16)
  #length = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Is the limit reached? */
  add(chunk: Uint8Array): boolean {
    const part = chunk.subarray(0, this.#limit - this.#length)
    const needed = this.#length + part.length
    if (needed > this.#held.length) {
      const grown = new Uint8Array(Math.min(this.#limit, Math.max(needed, 2 * this.#held.length)))
      grown.set(this.#held.subarray(0, this.#length))
      this.#held = grown
    }
    this.#held.set(part, this.#length)
    this.#length = needed
    return needed >= this.#limit
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#held.subarray(0, this.#length)
  }
}
