import { Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import { writeAtomically } from './files.ts'

/**
 * Writes a file in one stream, packed where its name ends in .gz. One chunk waits at a time. Returns the number of bytes written. Throws
 * as `writeAtomically`, and what the source throws.
 */
export async function writeChunks(path: string, chunks: AsyncIterable<Uint8Array>, level = 6): Promise<number> {
  if (!path.toLowerCase().endsWith('.gz')) return writeAtomically(path, chunks)
  const gzip = createGzip({ level, chunkSize: 2 ** 18 })
  const plain = Readable.from(chunks, { highWaterMark: 1 })
  // Whoever reads is told. A source that fails before the file is open has no reader yet, and an error that nobody hears ends the process.
  gzip.on('error', () => undefined)
  plain.on('error', (error) => gzip.destroy(error))
  plain.pipe(gzip)
  try {
    return await writeAtomically(path, gzip as AsyncIterable<Buffer>)
  } finally {
    plain.destroy()
    gzip.destroy()
  }
}
