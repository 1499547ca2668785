import { createHash } from 'node:crypto'
import { contentHash, imageFiles } from '../../imaging/index.ts'
import type { CaseFiles } from '../recipes/types.ts'

/** Files that are read at the same time: objects have hundreds of small ones. */
const AT_ONCE = 8

/**
 * SHA-256 of the files that are learned from: for each case SHA-256 over the hashes (hexadecimal, each ended by a line feed) of its
 * image's files and then its masks, in order; the hashes of the cases, sorted, each ended by a line feed, are hashed again. Names and
 * folders do not matter, each byte does.
 */
export async function digestOf(
  cases: readonly Pick<CaseFiles, 'image' | 'masks'>[],
  signal?: AbortSignal,
): Promise<string> {
  const hashes: string[] = []
  for (const { image, masks } of cases) {
    const own = createHash('sha256')
    const files = [...(await imageFiles(image, { signal })), ...masks]
    for (let first = 0; first < files.length; first += AT_ONCE) {
      signal?.throwIfAborted()
      for (const hash of await Promise.all(files.slice(first, first + AT_ONCE).map((file) => contentHash(file))))
        own.update(`${hash}\n`)
    }
    hashes.push(own.digest('hex'))
  }
  const all = createHash('sha256')
  for (const hash of hashes.sort()) all.update(`${hash}\n`)
  return all.digest('hex')
}
