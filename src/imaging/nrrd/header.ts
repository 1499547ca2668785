import { open } from 'node:fs/promises'
import { badFile, fill, readError } from '../files.ts'

/** Headers are some hundred bytes; those that list a file a slice, some ten thousand. */
const MAX_HEADER = 2 ** 20

export interface NrrdHeader {
  /** By field name in lower case without spaces: "spacedirections". Of one that is repeated, the last. */
  readonly fields: ReadonlyMap<string, string>
  /** The lines after "data file: LIST". */
  readonly listed: readonly string[]
  /** Where the data begin in an attached header's file. */
  readonly end: number
}

/** Reads the text at the start of a NRRD file, up to the empty line. Throws CodedError('bad-file'). */
export async function readNrrdHeader(path: string): Promise<NrrdHeader> {
  const bytes = await startOf(path)
  if (!/^NRRD000[1-5]\r?\n/.test(bytes.subarray(0, 10).toString('latin1'))) {
    throw badFile(path, 'is of a version of NRRD that cannot be read; save it again as version 5 or older.')
  }
  const fields = new Map<string, string>()
  const listed: string[] = []
  let at = bytes.indexOf(10) + 1
  let listing = false
  while (at < bytes.length) {
    const newline = bytes.indexOf(10, at)
    const stop = newline < 0 ? bytes.length : newline
    const line = bytes.subarray(at, stop).toString('utf8').replace(/\r$/, '')
    at = stop + 1
    if (line === '' && !listing) return { fields, listed, end: at }
    if (listing) {
      if (line.trim() !== '') listed.push(line.trim())
      continue
    }
    // "key:=value" is free for the user; what is no field is passed over.
    const found = line.startsWith('#') ? null : /^([A-Za-z ]+): (.*)$/.exec(line)
    if (found === null) continue
    const [, name = '', value = ''] = found
    const key = name.toLowerCase().replace(/ /g, '')
    fields.set(key, value.trim())
    if (key === 'datafile' && /^LIST\b/.test(value.trim())) listing = true
  }
  if (bytes.length >= MAX_HEADER) {
    throw badFile(path, 'has a header that does not end; get the file again from where it came from.')
  }
  return { fields, listed, end: bytes.length }
}

async function startOf(path: string): Promise<Buffer> {
  try {
    const handle = await open(path, 'r')
    try {
      const bytes = Buffer.alloc(MAX_HEADER)
      return bytes.subarray(0, await fill(handle, bytes, 0))
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw readError(error, path)
  }
}

/** "(1,0,0) (0,1,0) none": vectors, null for none. */
export function vectorsOf(text: string | undefined): (number[] | null)[] {
  const found = (text ?? '').match(/none|\([^()]*\)/gi) ?? []
  return found.map((word) => (/^none$/i.test(word) ? null : word.slice(1, -1).split(',').map(Number)))
}

/** Words between white space, or in double quotes. */
export function wordsOf(text: string | undefined): string[] {
  const found = (text ?? '').match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? []
  return found.map((word) => (word.startsWith('"') ? word.slice(1, -1) : word))
}
