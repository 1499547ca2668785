import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { abortError, badFile, fill, readError, systemCode, withFile } from '../files.ts'

/** No gzip stream unpacks to more than this many times its size (zlib's limit is 1032). */
export const MAX_RATIO = 1040

export function isGzip(start: Uint8Array): boolean {
  return start[0] === 0x1f && start[1] === 0x8b
}

/**
 * Reads bytes of a plain or gzip-packed file from `skip` on into `target`. Returns how many there were. A packed file is
 * read to its end where `toEnd` is set, so that its checksum is tested, and no further than needed where it is not.
 * Throws a CodedError, also where the packed data are damaged or cut off.
 */
export async function readBytes(
  path: string,
  packed: boolean,
  skip: number,
  target: Uint8Array,
  options: { toEnd?: boolean; signal?: AbortSignal | undefined; chunkSize?: number } = {},
): Promise<number> {
  const { toEnd = false, signal, chunkSize = 2 ** 20 } = options
  if (!packed) {
    return withFile(path, (handle) => fill(handle, target, skip, signal)).catch((error: unknown) => {
      throw readError(signal?.aborted ? abortError() : error, path)
    })
  }
  const file = createReadStream(path, { highWaterMark: chunkSize })
  const unpacked = createGunzip({ chunkSize })
  file.on('error', (error) => unpacked.destroy(error))
  file.pipe(unpacked)
  let position = 0
  let filled = 0
  try {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      if (signal?.aborted) throw abortError()
      const end = position + chunk.length
      if (end > skip && filled < target.length) {
        const from = Math.max(0, skip - position)
        const part = chunk.subarray(from, Math.min(chunk.length, from + target.length - filled))
        target.set(part, filled)
        filled += part.length
      }
      position = end
      if (filled === target.length && !toEnd) break
    }
    return filled
  } catch (error) {
    if (systemCode(error) === 'Z_BUF_ERROR') {
      throw badFile(path, 'is cut off (the compressed data end early); copy or download it again.', error)
    }
    if (systemCode(error).startsWith('Z_')) {
      throw badFile(path, 'is damaged (the compressed data do not unpack); copy or download it again.', error)
    }
    throw readError(error, path)
  } finally {
    file.destroy()
    unpacked.destroy()
  }
}
