import { Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import { writeAtomically } from '../files.ts'

/** Writes a file in one stream, packed where its name ends in .gz. Throws as `writeAtomically`, and what the source throws. */
export async function writeChunks(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  if (!path.toLowerCase().endsWith('.gz')) {
    await writeAtomically(path, chunks)
    return
  }
  const gzip = createGzip({ level: 6, chunkSize: 2 ** 18 })
  const plain = Readable.from(chunks, { objectMode: true })
  plain.on('error', (error) => gzip.destroy(error))
  plain.pipe(gzip)
  try {
    await writeAtomically(path, gzip as AsyncIterable<Buffer>)
  } finally {
    plain.destroy()
    gzip.destroy()
  }
}
