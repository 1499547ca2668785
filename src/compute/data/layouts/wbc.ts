import path from 'node:path'
import { stemOf } from '../../../imaging/index.ts'
import { joined, listFolder, pairUp } from './files.ts'
import type { FoundData } from './types.ts'

/** White blood cells: "Dataset 1/001.bmp" with the mask 001.png beside it, also in several such folders. */
export async function wbc(dir: string): Promise<FoundData | null> {
  const { folders } = await listFolder(dir)
  const sets = folders.filter((name) => /^dataset ?_?\d*$/i.test(name))
  return joined(await Promise.all([dir, ...sets.map((name) => path.join(dir, name))].map(pairsIn)))
}

async function pairsIn(dir: string): Promise<FoundData | null> {
  const { images } = await listFolder(dir)
  const pictures = images.filter((name) => /\.(bmp|jpe?g|tiff?)$/i.test(name))
  const stems = new Set(pictures.map(stemOf))
  const masks = images.filter((name) => /\.png$/i.test(name))
  if (!masks.some((name) => stems.has(stemOf(name)))) return null
  const full = (names: readonly string[]) => names.map((name) => path.join(dir, name))
  return pairUp(full(pictures), full(masks))
}
