import { extname } from 'node:path'
import { isSupported } from '../../imaging/index.ts'

/** File systems take 255 bytes; the rest is for numbers and temporary names. */
const MAX_BYTES = 200

/** A plain file name that every system takes, never a path and never hidden. */
export function safeName(name: string): string {
  const last = name.split(/[\\/]/).at(-1) ?? ''
  const plain = endOf(last.replace(/[\p{Cc}<>:"|?*]/gu, '_')).replace(/^[.\s]+|[.\s]+$/g, '')
  return plain === '' ? 'image' : plain
}

/** As many of its last characters as there is room for: the ending is among them. */
function endOf(name: string): string {
  const characters = Array.from(name)
  let from = characters.length
  for (let bytes = 0; from > 0; from--) {
    bytes += Buffer.byteLength(characters[from - 1] ?? '')
    if (bytes > MAX_BYTES) break
  }
  return characters.slice(from).join('')
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
