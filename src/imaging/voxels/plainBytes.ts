import { open } from 'node:fs/promises'

const STRETCH = 4 * 2 ** 20

/** `count` bytes of a file from a position on, fewer where it ends, in memory that is used again for the next chunk. */
export async function* plainBytes(
  path: string,
  offset: number,
  count: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const handle = await open(path, 'r')
  try {
    const buffer = new Uint8Array(Math.min(STRETCH, count))
    for (let at = 0; at < count;) {
      signal.throwIfAborted()
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, count - at), offset + at)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
      at += bytesRead
    }
  } finally {
    await handle.close()
  }
}
