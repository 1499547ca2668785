import path from 'node:path'
import { joined, listFolder, pairBeside, pairFolders } from './files.ts'
import type { FoundData } from './types.ts'

/**
 * DIR/images with DIR/masks (or labels), where a mask is called as its image, or NAME_mask; or masks beside their images. The same in
 * DIR/train, with what DIR/test has held out.
 */
export async function plain(dir: string): Promise<FoundData | null> {
  const here = await pairsOf(dir)
  if (here !== null) return here
  const { folders } = await listFolder(dir)
  if (!folders.includes('train')) return null
  const train = await pairsOf(path.join(dir, 'train'))
  if (train === null) return null
  const test = await pairsOf(path.join(dir, 'test'))
  const heldOut =
    test === null ? null : { ...test, cases: test.cases.map((each) => ({ ...each, heldOut: true as const })) }
  return joined([train, heldOut])
}

async function pairsOf(dir: string): Promise<FoundData | null> {
  for (const masks of ['masks', 'labels']) {
    const found = await pairFolders(path.join(dir, 'images'), path.join(dir, masks))
    if (found !== null) return found
  }
  return pairBeside(dir)
}
