import { createReadStream } from 'node:fs'
import { createUnzip } from 'node:zlib'
import { badFile, readError, systemCode } from '../files.ts'

/** No gzip or zlib stream unpacks to more than this many times its size (zlib's limit is 1032). */
export const MAX_RATIO = 1040

/** What follows the wanted bytes is unpacked for the checksum at the end, but not without bound. */
const MAX_REST = 64 * 2 ** 20

export interface Packed {
  readonly path: string
  /** Where in the file the packed data begin; its start where left out. */
  readonly start?: number | undefined
  /** Unpacked bytes to leave out at the beginning. */
  readonly skip: number
  /** Unpacked bytes wanted. */
  readonly count: number
  /** Read on to the end of the packed data, so that their checksum is tested. */
  readonly toEnd: boolean
  readonly signal?: AbortSignal | undefined
  readonly chunkSize?: number | undefined
}

export function isGzip(start: Uint8Array): boolean {
  return start[0] === 0x1f && start[1] === 0x8b
}

/**
 * Unpacks gzip or zlib data of a file, one or several streams after the other. Gives fewer bytes than wanted where there are no
 * more. A chunk is good until the next one is asked for: its memory is then given back. Throws a CodedError, also where the packed data are damaged or cut off.
 */
export async function* inflated(packed: Packed): AsyncGenerator<Uint8Array> {
  const { path, start = 0, skip, count, toEnd, signal, chunkSize = 2 ** 18 } = packed
  const file = createReadStream(path, { start, highWaterMark: chunkSize })
  const unpacked = createUnzip({ chunkSize })
  const stop = (): void => {
    file.destroy()
    unpacked.destroy(new Error('aborted'))
  }
  signal?.addEventListener('abort', stop, { once: true })
  file.on('error', (error) => unpacked.destroy(error))
  file.pipe(unpacked)
  let position = 0
  const end = skip + count
  try {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      signal?.throwIfAborted()
      const next = position + chunk.length
      if (next > skip && position < end) {
        yield chunk.subarray(Math.max(0, skip - position), Math.min(chunk.length, end - position))
      }
      release(chunk)
      position = next
      if (position >= end && (!toEnd || position > end + MAX_REST)) break
    }
  } catch (error) {
    if (systemCode(error) === 'Z_BUF_ERROR') {
      throw badFile(path, 'is cut off (the compressed data end early); copy or download it again.', error)
    }
    if (systemCode(error).startsWith('Z_')) {
      throw badFile(path, 'is damaged (the compressed data do not unpack); copy or download it again.', error)
    }
    throw readError(error, path)
  } finally {
    signal?.removeEventListener('abort', stop)
    file.destroy()
    unpacked.destroy()
  }
}

/**
 * Gives the memory of a used chunk back at once: what waits for the garbage collector otherwise is as large as the image. Only where the
 * chunk ends with its buffer, which is full then and will not be written to again; a small one can lie in Node's pool, which cannot
 * be given away.
 */
function release({ buffer, byteOffset, length }: Buffer): void {
  if (!(buffer instanceof ArrayBuffer) || byteOffset + length !== buffer.byteLength) return
  if (buffer.byteLength > Buffer.poolSize) buffer.transfer(0)
}
