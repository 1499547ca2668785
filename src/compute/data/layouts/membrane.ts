import path from 'node:path'
import { listFolder, pairFolders, pairUp } from './files.ts'
import type { FoundData } from './types.ts'

/**
 * ISBI 2012: train/image/0.png with train/label/0.png, or the stacks train-volume.tif and train-labels.tif, which are then one volume.
 */
export async function membrane(dir: string): Promise<FoundData | null> {
  for (const base of [path.join(dir, 'train'), dir]) {
    const pairs = await pairFolders(path.join(base, 'image'), path.join(base, 'label'))
    if (pairs !== null && pairs.cases.length > 0) return pairs
    const { images } = await listFolder(base)
    const volume = images.find((name) => /^train-volume\.tiff?$/i.test(name))
    const labels = images.find((name) => /^train-labels\.tiff?$/i.test(name))
    if (volume === undefined || labels === undefined) continue
    const { cases } = pairUp([path.join(base, volume)], [path.join(base, labels)])
    const [only] = cases
    const id = 'train-volume'
    const files = { image: path.join(base, volume), masks: [path.join(base, labels)] }
    return { cases: [only ?? { id, ...files, patient: null, heldOut: false, numbered: null }], left: [] }
  }
  return null
}
