import { extname } from 'node:path'
import { isSupported } from '../../imaging/index.ts'

/** A plain file name that every system takes, never a path and never hidden. */
export function safeName(name: string): string {
  const last = name.split(/[\\/]/).at(-1) ?? ''
  const plain = last
    .replace(/[\p{Cc}<>:"|?*]/gu, '_')
    .replace(/^[.\s]+|[.\s]+$/g, '')
    .slice(-200)
  return plain === '' ? 'image' : plain
}

/** `name`, or "name (2).nii.gz" and so on where it is taken, whatever its case. */
export function freeName(name: string, taken: readonly string[]): string {
  const lower = new Set(taken.map((other) => other.toLowerCase()))
  const ending = /\.[a-z]+\.gz$/i.exec(name)?.[0] ?? extname(name)
  const stem = name.slice(0, name.length - ending.length)
  let free = name
  for (let n = 2; lower.has(free.toLowerCase()); n++) free = `${stem} (${n})${ending}`
  return free
}

/** Voxels beside a header; DICOM files, which often have no ending, or one of digits. */
const PART = /(\.(img|raw|zraw|ima|dicom)(\.gz)?|^[^.]+|\.\d+)$/i

/** Can a file of this name be a part of an image of several files? By its ending alone. */
export function mayBelong(name: string): boolean {
  return isSupported(name) || PART.test(name)
}
