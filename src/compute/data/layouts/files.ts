import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { imageKey, isMaskName, maskKey } from '../../../core/recipes/index.ts'
import { isSupported, stemOf } from '../../../imaging/index.ts'
import type { FoundCase, FoundData, LeftFile } from './types.ts'

interface Folder {
  /** Names of image files, and of folders, sorted as people count: 2 before 10. */
  readonly images: readonly string[]
  readonly folders: readonly string[]
}

const inOrder = new Intl.Collator('en', { numeric: true }).compare

/** What lies in a folder; nothing where there is none. Hidden files are passed over, links are followed. */
export async function listFolder(dir: string): Promise<Folder> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => [])
  const images: string[] = []
  const folders: string[] = []
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue
    const target = entry.isSymbolicLink() ? await stat(path.join(dir, entry.name)).catch(() => null) : entry
    if (target === null) continue
    if (target.isDirectory()) folders.push(entry.name)
    else if (target.isFile() && isSupported(entry.name)) images.push(entry.name)
  }
  return { images: images.sort(inOrder), folders: folders.sort(inOrder) }
}

export function caseOf(id: string, image: string, masks: readonly string[], more: Partial<FoundCase> = {}): FoundCase {
  return { id, image, masks, patient: null, heldOut: false, numbered: null, ...more }
}

const NO_MASK = 'has no mask of its name'
const NO_IMAGE = 'is a mask without an image of its name'

/**
 * Pairs images with masks: by the same name, then by the same name without what says that it is a mask or an image, then the
 * one image whose name begins with the mask's. Each image has one mask.
 */
export function pairUp(images: readonly string[], masks: readonly string[], more: Partial<FoundCase> = {}): FoundData {
  const left: LeftFile[] = []
  const imageOf = new Map<string, string>()
  for (const image of images) {
    const stem = stemOf(image)
    const first = imageOf.get(stem)
    if (first === undefined) imageOf.set(stem, image)
    else left.push({ file: image, reason: `has the same name as ${path.basename(first)}, which is used` })
  }
  const byKey = new Map<string, string[]>()
  for (const stem of imageOf.keys()) byKey.set(imageKey(stem), [...(byKey.get(imageKey(stem)) ?? []), stem])
  const only = (stems: readonly string[] | undefined): string | undefined =>
    stems?.length === 1 ? stems[0] : undefined
  const found = new Map<string, string>()
  for (const mask of masks) {
    const stem = stemOf(mask)
    const key = maskKey(stem)
    const image =
      [stem, key].find((name) => imageOf.has(name)) ??
      only(byKey.get(stem)) ??
      only(byKey.get(key)) ??
      only([...imageOf.keys()].filter((name) => /^[ _.-]/.test(name.slice(key.length)) && name.startsWith(key)))
    if (image === undefined) left.push({ file: mask, reason: NO_IMAGE })
    else if (found.has(image)) left.push({ file: mask, reason: 'is a second mask of its image' })
    else found.set(image, mask)
  }
  const cases: FoundCase[] = []
  for (const [stem, image] of imageOf) {
    const mask = found.get(stem)
    if (mask === undefined) left.push({ file: image, reason: NO_MASK })
    else cases.push(caseOf(stem, image, [mask], more))
  }
  return { cases, left }
}

/** Images and masks in folders of their own. */
export async function pairFolders(
  imageDir: string,
  maskDir: string,
  more: Partial<FoundCase> = {},
): Promise<FoundData | null> {
  const [images, masks] = await Promise.all([listFolder(imageDir), listFolder(maskDir)])
  if (images.images.length === 0 || masks.images.length === 0) return null
  const full = (dir: string, names: readonly string[]) => names.map((name) => path.join(dir, name))
  return pairUp(full(imageDir, images.images), full(maskDir, masks.images), more)
}

/** Masks beside their images in one folder, told by their names; null where no file is called a mask. */
export async function pairBeside(dir: string, more: Partial<FoundCase> = {}): Promise<FoundData | null> {
  const { images } = await listFolder(dir)
  const masks = images.filter((name) => isMaskName(stemOf(name)))
  const others = images.filter((name) => !isMaskName(stemOf(name)))
  if (masks.length === 0 || others.length === 0) return null
  const full = (names: readonly string[]) => names.map((name) => path.join(dir, name))
  const found = pairUp(full(others), full(masks), more)
  return found.cases.length === 0 ? null : found
}

/** Several findings as one; a case whose id is there already gets the name of its folder before it. */
export function joined(parts: readonly (FoundData | null)[]): FoundData | null {
  const there = parts.filter((part) => part !== null)
  if (there.length === 0) return null
  const ids = new Set<string>()
  const cases = there.flatMap((part) =>
    part.cases.map((each) => {
      const folder = path.basename(path.dirname(each.image))
      const id = ids.has(each.id) ? `${folder}-${each.id}` : each.id
      ids.add(id)
      return { ...each, id }
    }),
  )
  return { cases, left: there.flatMap((part) => part.left) }
}
