import { badFile, readStart } from '../files.ts'

/** Headers are some hundred bytes; those that list a file a slice, some ten thousand. */
const MAX_HEADER = 2 ** 20

export interface MetaHeader {
  /** By tag in lower case. Of one that is repeated, the last. */
  readonly tags: ReadonlyMap<string, string>
  /** The lines after "ElementDataFile = LIST". */
  readonly listed: readonly string[]
  /** Where the data begin that follow the header. */
  readonly end: number
}

/** Reads the text at the start of a MetaImage file, up to ElementDataFile, its last tag. Throws CodedError('bad-file'). */
export async function readMetaHeader(path: string): Promise<MetaHeader> {
  const start = await readStart(path, MAX_HEADER)
  const bytes = Buffer.from(start.buffer, start.byteOffset, start.length)
  const tags = new Map<string, string>()
  let at = 0
  while (at < bytes.length) {
    const newline = bytes.indexOf(10, at)
    const stop = newline < 0 ? bytes.length : newline
    const line = bytes.subarray(at, stop).toString('utf8').trim()
    at = stop + 1
    if (line === '') continue
    const found = /^([^=:\0]+?)\s*[=:]\s*(.*)$/.exec(line)
    if (found === null)
      throw badFile(path, 'has a damaged MetaImage header; get the file again from where it came from.')
    const [, tag = '', value = ''] = found
    tags.set(tag.toLowerCase(), value)
    if (tag.toLowerCase() !== 'elementdatafile') continue
    const list = /^LIST\b/.test(value)
    const rest = list ? bytes.subarray(Math.min(at, bytes.length)).toString('utf8').split(/\r?\n/) : []
    return { tags, listed: rest.map((name) => name.trim()).filter((name) => name !== ''), end: at }
  }
  throw badFile(
    path,
    'does not say where its voxels are (ElementDataFile); get the file again from where it came from.',
  )
}

/** "True", "T", "1", "Yes" … as MetaIO reads it: by its first letter. */
export function isTrue(text: string | undefined): boolean {
  return /^[ty1]/i.test(text ?? '')
}
