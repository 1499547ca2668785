import path from 'node:path'
import { caseOf, listFolder } from './files.ts'
import type { FoundCase, FoundData, LeftFile } from './types.ts'

/** The 2018 Data Science Bowl: stage1_train/ID/images/ID.png and stage1_train/ID/masks/*.png, one file for each nucleus. */
export async function stage1(dir: string): Promise<FoundData | null> {
  const { folders } = await listFolder(dir)
  const inside = folders.includes('stage1_train') ? path.join(dir, 'stage1_train') : dir
  const names = inside === dir ? folders : (await listFolder(inside)).folders
  const cases: FoundCase[] = []
  const left: LeftFile[] = []
  for (const name of names) {
    const folder = path.join(inside, name)
    const { folders: parts } = await listFolder(folder)
    if (!parts.includes('images')) continue
    const [images, masks] = await Promise.all([
      listFolder(path.join(folder, 'images')),
      listFolder(path.join(folder, 'masks')),
    ])
    const [image, second] = images.images
    if (image === undefined) left.push({ file: folder, reason: 'holds no image' })
    else if (second !== undefined) left.push({ file: folder, reason: 'holds more than one image' })
    else if (masks.images.length === 0) left.push({ file: path.join(folder, 'images', image), reason: 'has no masks' })
    else {
      const files = masks.images.map((mask) => path.join(folder, 'masks', mask))
      cases.push(caseOf(name, path.join(folder, 'images', image), files))
    }
  }
  return cases.length === 0 ? null : { cases, left }
}
