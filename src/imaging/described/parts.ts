import { existsSync } from 'node:fs'
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path'
import { badFile, fileSize, withFile } from '../files.ts'
import { inflated, MAX_RATIO } from '../voxels/index.ts'
import { elementBytes, type ElementType } from './elements.ts'
import { samplesOfText, bytesOfHex } from './text.ts'

export type Encoding = 'raw' | 'packed' | 'ascii' | 'hex'

/** One of the files that the samples are in, or the rest of the header's own file. All parts hold as many samples. */
export interface Part {
  readonly path: string
  /** Where in the file they begin. */
  readonly start: number
  /** Decoded bytes before them. */
  readonly skip: number
}

/** Where all samples are, one after the other, as the file has them. */
export interface Samples {
  readonly parts: readonly Part[]
  readonly encoding: Encoding
  readonly element: ElementType
  /** Decoded, of all parts together. */
  readonly byteLength: number
}

/**
 * A name in a header as a path. A header may only name files in its own folder or below it: one that was sent by somebody must not
 * make other files appear as images.
 */
export function dataPath(header: string, name: string): string {
  const folder = dirname(resolve(header))
  const path = resolve(folder, name.replaceAll('\\', sep))
  const inside = relative(folder, path)
  if (name === '' || name.includes('\0') || inside === '' || inside.startsWith('..') || isAbsolute(inside)) {
    throw badFile(header, `names a data file outside of its folder (${shown(name)}); put both into one folder.`)
  }
  if (!existsSync(path)) {
    throw badFile(header, `names a data file that is not there (${shown(name)}); put both into one folder.`)
  }
  return path
}

/** Names by a printf pattern with one number ("slice%03d.raw"). Throws where it is none, or there are more than `most`. */
export function patternNames(header: string, pattern: string, range: readonly number[], most: number): string[] {
  const [first = NaN, last = NaN, step = 1] = range
  const place = /%(0?)(\d{0,2})[diu]/.exec(pattern)
  const count = Math.floor((last - first) / step) + 1
  if (place === null || pattern.replace(place[0], '').includes('%') || ![first, last, step].every(Number.isInteger)) {
    throw badFile(
      header,
      `names its data files by a pattern that cannot be read (${shown(pattern)}); list them instead.`,
    )
  }
  if (!(count >= 1 && count <= most)) {
    throw badFile(
      header,
      `names other data files (${shown(pattern)}) than it can have slices; get it again from where it came from.`,
    )
  }
  const [found, zero = '', width = ''] = place
  const text = (value: number): string => {
    const digits = String(Math.abs(value)).padStart(zero === '' ? 0 : Number(width) - (value < 0 ? 1 : 0), '0')
    return `${value < 0 ? '-' : ''}${digits}`.padStart(Number(width), ' ')
  }
  return Array.from({ length: count }, (_, i) => pattern.replace(found, () => text(first + i * step)))
}

/** What a header says, fit for a message: printable, and not longer than a line. */
export function shown(text: string): string {
  const printable = text.replace(/[^\x20-\x7e]/g, '?')
  return printable.length > 60 ? `${printable.slice(0, 60)}…` : printable
}

/** Throws where a part is missing or too short for what the header says. */
export async function checkParts(samples: Samples): Promise<void> {
  for (const { path, start, skip } of samples.parts) {
    const size = (await fileSize(path)) - start
    const bytes = partBytes(samples)
    const count = bytes / elementBytes(samples.element)
    const fits = {
      raw: skip + bytes <= size,
      packed: size > 0 && skip + bytes <= size * MAX_RATIO,
      ascii: 2 * count - 1 <= size,
      hex: 2 * bytes <= size,
    }[samples.encoding]
    if (!fits) throw badFile(path, `is cut off (it should hold ${count} samples); copy or download it again.`)
  }
}

export function partBytes({ byteLength, parts }: Pick<Samples, 'byteLength' | 'parts'>): number {
  return byteLength / parts.length
}

/** A stretch of the decoded samples. Gives fewer bytes where the file ends early. Throws a CodedError. */
export async function* readSamples(
  samples: Samples,
  skip: number,
  count: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const each = partBytes(samples)
  for (const [i, part] of samples.parts.entries()) {
    const from = Math.max(0, skip - i * each)
    const to = Math.min(each, skip + count - i * each)
    if (from < to) yield* readPart(samples, part, from, to - from, signal)
  }
}

async function* readPart(
  { encoding, element }: Samples,
  { path, start, skip }: Part,
  from: number,
  count: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (encoding === 'raw') yield* stretch(path, start + skip + from, count, signal)
  else if (encoding === 'packed') yield* inflated({ path, start, skip: skip + from, count, toEnd: true, signal })
  else {
    const size = await fileSize(path)
    const text = stretch(path, start, size - start, signal)
    const decoded = encoding === 'hex' ? bytesOfHex(text, path) : samplesOfText(text, element, path)
    yield* between(decoded, skip + from, count)
  }
}

const STRETCH = 2 ** 20

async function* stretch(path: string, at: number, count: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  let done = 0
  while (done < count) {
    const wanted = Math.min(STRETCH, count - done)
    const position = at + done
    const chunk = await withFile(path, async (handle) => {
      signal.throwIfAborted()
      const bytes = new Uint8Array(wanted)
      const { bytesRead } = await handle.read(bytes, 0, wanted, position)
      return bytes.subarray(0, bytesRead)
    })
    if (chunk.length === 0) return
    yield chunk
    done += chunk.length
  }
}

async function* between(source: AsyncIterable<Uint8Array>, skip: number, count: number): AsyncGenerator<Uint8Array> {
  let position = 0
  const end = skip + count
  for await (const chunk of source) {
    const next = position + chunk.length
    if (next > skip) yield chunk.subarray(Math.max(0, skip - position), Math.min(chunk.length, end - position))
    position = next
    if (position >= end) return
  }
}
