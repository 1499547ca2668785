import { badFile } from '../files.ts'

/**
 * Which of several parts of a file or folder belongs to an image: the only one, or that of the same name (without ending and case).
 * Throws CodedError('bad-file') with what to do.
 */
export function choosePart(path: string, parts: readonly string[], stems: readonly string[], what: string): string {
  const [only] = parts
  if (only === undefined) throw badFile(path, `holds no ${what}; choose another one.`)
  if (parts.length === 1) return only
  for (const stem of stems) {
    const fitting = parts.filter((part) => folded(part) === folded(stem))
    const [found] = fitting
    if (found !== undefined && fitting.length === 1) return found
  }
  const of = stems[0] === undefined ? '' : ` and none of them is called ${stems[0]}`
  throw badFile(path, `holds ${parts.length} ${what}${of}; rename the image or choose the one that belongs to it.`)
}

/** File systems write an accent in one sign or in two. */
function folded(name: string): string {
  return name.normalize('NFC').toLowerCase()
}
