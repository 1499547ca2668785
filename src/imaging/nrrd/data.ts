import { dataPath, numbersOf, patternNames, type Encoding, type Part } from '../described/index.ts'
import { badFile, fileSize, withFile } from '../files.ts'
import { type NrrdHeader } from './header.ts'

export function encodingOf(name: string | undefined, path: string): Encoding {
  switch (name?.toLowerCase()) {
    case 'raw':
      return 'raw'
    case 'gz':
    case 'gzip':
      return 'packed'
    case 'txt':
    case 'text':
    case 'ascii':
      return 'ascii'
    case 'hex':
      return 'hex'
    default: {
      const shown = (name ?? 'none').slice(0, 40)
      throw badFile(path, `is packed in a way that cannot be read (${shown}); save it again with gzip or raw encoding.`)
    }
  }
}

/** The files, or the rest of the header's own, in which the samples are, and where in them. */
export async function nrrdParts(
  header: NrrdHeader,
  path: string,
  {
    sizes,
    byteLength,
    encoding,
  }: { readonly sizes: readonly number[]; readonly byteLength: number; readonly encoding: Encoding },
): Promise<Part[]> {
  const { fields } = header
  const names = dataFiles(header, path, sizes)
  const files = names === null ? [path] : names.map((name) => dataPath(path, name))
  const each = byteLength / files.length
  if (!Number.isInteger(each)) {
    throw badFile(path, `names ${files.length} data files, among which its samples cannot be divided; get it again.`)
  }
  const lineSkip = skipOf(fields.get('lineskip') ?? '0', 0, path)
  const byteSkip = skipOf(fields.get('byteskip') ?? '0', encoding === 'raw' ? -Infinity : 0, path)
  const parts: Part[] = []
  for (const file of files) {
    const begin = names === null ? header.end : 0
    if (byteSkip < 0) {
      // -1: the samples are the last thing in the file; -2: but for one byte.
      const start = (await fileSize(file)) - each + byteSkip + 1
      if (start < begin) throw badFile(file, 'is shorter than its header says; copy or download it again.')
      parts.push({ path: file, start, skip: 0 })
    } else {
      const start = lineSkip === 0 ? begin : await afterLines(file, begin, lineSkip)
      // Bytes of packed files are counted when they are unpacked.
      const packed = encoding === 'packed'
      parts.push({ path: file, start: packed ? start : start + byteSkip, skip: packed ? byteSkip : 0 })
    }
  }
  return parts
}

function skipOf(text: string, least: number, path: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < least) {
    throw badFile(path, 'does not say in a way that can be read where its samples begin; get it again.')
  }
  return value
}

/** Names of the data files of a detached header; null where the samples follow the header. */
function dataFiles({ fields, listed }: NrrdHeader, path: string, sizes: readonly number[]): readonly string[] | null {
  const stated = fields.get('datafile')
  if (stated === undefined) return null
  const most = sizes.slice(1).reduce((product, size) => product * size, 1)
  if (/^LIST\b/.test(stated)) {
    if (listed.length === 0 || listed.length > most) {
      throw badFile(path, `lists ${listed.length} data files for ${most} slices or fewer; get it again.`)
    }
    return listed
  }
  const pattern = /^(.*%.*?)\s+(-?\d+\s+-?\d+\s+-?\d+(?:\s+\d+)?)$/.exec(stated)
  if (pattern === null) return [stated]
  return patternNames(path, pattern[1] ?? '', numbersOf(pattern[2]), most)
}

/** Lines before the samples are some bytes of another program's header. */
const MAX_LINES = 2 ** 20

async function afterLines(path: string, begin: number, count: number): Promise<number> {
  return withFile(path, async (handle) => {
    const bytes = Buffer.alloc(MAX_LINES)
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, begin)
    let at = 0
    for (let line = 0; line < count; line++) {
      at = bytes.subarray(0, bytesRead).indexOf(10, at) + 1
      if (at === 0) throw badFile(path, `has fewer than the ${count} lines that its header passes over; get it again.`)
    }
    return begin + at
  })
}
