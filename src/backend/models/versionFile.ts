import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, stat, type FileHandle } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { CodedError } from '../../core/contract/errors.ts'
import { contentHash, syncFolder, writeAtomically } from '../../imaging/index.ts'
import { storageError } from '../errors.ts'
import { parsed } from '../recipes/parsed.ts'
import { isOfNetwork, networkFilesOf } from './folder.ts'
import { versionFactsSchema, type VersionFacts } from './versionFacts.ts'

/**
 * A version as one file: a line that says what it is, a line of JSON, then the bytes of the files of its network, one after the other,
 * as the JSON lists them. Nothing else of the model folder is in it, since it may name cases or show them.
 */
export const VERSION_ENDING = '.maskwright-model'
const MAGIC = 'Maskwright model file, format '
const FORMAT = 1
/** No line is longer. What a version learned from is on it: some hundred bytes a case. */
const LONGEST_LINE = 64 * 2 ** 20
const STEP = 2 ** 20
/** Some networks from elsewhere have their weights in many; reports have more, which files of earlier versions may hold. */
const MOST_FILES = 10_000

/** Plain names, in folders of plain names: never out of the folder that they are written into. */
const pathSchema = z
  .string()
  .max(400)
  .regex(/^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/)

const headerSchema = z.object({
  version: versionFactsSchema,
  files: z
    .array(z.object({ path: pathSchema, bytes: z.int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) }))
    .min(1)
    .max(MOST_FILES)
    .refine((files) => new Set(files.map(({ path }) => path.toLowerCase())).size === files.length),
})
type Header = z.infer<typeof headerSchema>

/** Writes the file `path`; nothing is left of it where that fails. Throws CodedError as the disk says. */
export async function writeVersionFile(path: string, dir: string, version: VersionFacts): Promise<void> {
  const files: Header['files'] = []
  for (const { path: name, bytes } of networkFilesOf(dir)) {
    files.push({ path: name, bytes, sha256: await contentHash(join(dir, name)) })
  }
  const header: Header = { version, files }
  await writeAtomically(path, chunksOf(dir, header))
}

async function* chunksOf(dir: string, header: Header): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(`${MAGIC}${FORMAT}\n${JSON.stringify(header)}\n`)
  for (const { path } of header.files) {
    for await (const chunk of createReadStream(join(dir, path), { highWaterMark: STEP })) yield chunk as Buffer
  }
}

/**
 * Reads all of the file and compares it with what it says of itself; with `into`, writes the files of the network into that new folder,
 * durably, and nothing else that may be in it.
 * Throws CodedError: 'bad-file' with one sentence where it is no such file, is of a newer version, cut off or damaged; and as
 * the disk says.
 */
export async function readVersionFile(path: string, into: string | null, signal?: AbortSignal): Promise<VersionFacts> {
  let handle: FileHandle | null = null
  try {
    handle = await open(path, 'r')
    const { header, at } = await readHeader(handle, path)
    const expected = header.files.reduce((sum, { bytes }) => sum + bytes, at)
    if ((await stat(path)).size !== expected) throw damaged(path)
    if (into !== null) await mkdir(into)
    let from = at
    for (const file of header.files) {
      await takeOut(handle, from, file, { path, into: isOfNetwork(file.path) ? into : null, signal })
      from += file.bytes
    }
    if (into !== null) await syncFolder(into)
    return header.version
  } catch (error) {
    if (signal?.aborted === true) throw new CodedError('cancelled', 'This was cancelled.')
    throw storageError(error, path, into === null ? 'read' : 'written')
  } finally {
    await handle?.close()
  }
}

async function readHeader(handle: FileHandle, path: string): Promise<{ header: Header; at: number }> {
  const first = await readLine(handle, 0, MAGIC.length + 16)
  if (!first?.text.startsWith(MAGIC)) throw (await handle.stat()).size === 0 ? empty(path) : notOurs(path)
  const format = Number(first.text.slice(MAGIC.length))
  if (!Number.isInteger(format) || format < 1) throw notOurs(path)
  if (format > FORMAT) {
    throw new CodedError(
      'bad-file',
      `"${basename(path)}" was made by a newer Maskwright (format ${format}); update Maskwright, then import it.`,
    )
  }
  const second = await readLine(handle, first.end, LONGEST_LINE)
  if (second === null) throw damaged(path)
  const header = headerSchema.safeParse(parsed(second.text))
  if (!header.success) throw damaged(path)
  return { header: header.data, at: second.end }
}

/** The text from `start` to the next end of line, and where the next line begins; null where none comes in time. */
async function readLine(
  handle: FileHandle,
  start: number,
  longest: number,
): Promise<{ text: string; end: number } | null> {
  const parts: Buffer[] = []
  for (let at = start; at - start < longest;) {
    const part = Buffer.alloc(Math.min(64 * 1024, longest - (at - start)))
    const { bytesRead } = await handle.read(part, 0, part.length, at)
    if (bytesRead === 0) return null
    const end = part.subarray(0, bytesRead).indexOf(10)
    parts.push(part.subarray(0, end < 0 ? bytesRead : end))
    if (end >= 0) return { text: Buffer.concat(parts).toString('utf8'), end: at + end + 1 }
    at += bytesRead
  }
  return null
}

async function takeOut(
  handle: FileHandle,
  from: number,
  { path: name, bytes, sha256 }: Header['files'][number],
  { path, into, signal }: { path: string; into: string | null; signal: AbortSignal | undefined },
): Promise<void> {
  const hash = createHash('sha256')
  if (into === null) {
    for await (const _ of piecesOf(handle, from, bytes, hash, signal)) continue
  } else {
    await writeAtomically(join(into, name), piecesOf(handle, from, bytes, hash, signal))
  }
  if (hash.digest('hex') !== sha256) throw damaged(path)
}

async function* piecesOf(
  handle: FileHandle,
  from: number,
  bytes: number,
  hash: Hash,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes;) {
    signal?.throwIfAborted()
    const part = Buffer.alloc(Math.min(STEP, bytes - at))
    const { bytesRead } = await handle.read(part, 0, part.length, from + at)
    if (bytesRead === 0) return
    const piece = part.subarray(0, bytesRead)
    hash.update(piece)
    yield piece
    at += bytesRead
  }
}

function notOurs(path: string): CodedError {
  return new CodedError(
    'bad-file',
    `"${basename(path)}" is not a model that Maskwright exported; choose a ${VERSION_ENDING} file written by its Export.`,
  )
}

function empty(path: string): CodedError {
  return new CodedError(
    'bad-file',
    `"${basename(path)}" is empty, so it is not a model that Maskwright exported; export it again, or copy it again.`,
  )
}

function damaged(path: string): CodedError {
  return new CodedError('bad-file', `"${basename(path)}" is cut off or damaged; export it again, or copy it again.`)
}
