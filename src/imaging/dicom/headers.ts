import { stat } from 'node:fs/promises'
import type { DicomFile } from './header.ts'
import { openDicom, type NoPicture } from './open.ts'

interface Known {
  /** What tells that the file is still the same. */
  readonly state: string
  readonly file: DicomFile | NoPicture
}

/** Headers read lately: a folder is looked through several times until its series is on the screen. */
const known = new Map<string, Known>()
const MAX_KNOWN = 20_000
const MAX_FRAMES = 1000

/** Files that were written so shortly ago may be written again without their times telling it. */
const SETTLED_MS = 3000

/** `openDicom`, without reading a file again that has not changed since. */
export async function headerOf(path: string): Promise<DicomFile | NoPicture> {
  const found = await stat(path).catch(() => null)
  if (found === null) return openDicom(path)
  const state = [found.size, found.mtimeMs, found.ctimeMs, found.ino, found.dev].join('/')
  const before = known.get(path)
  if (before?.state === state) return before.file
  const file = await openDicom(path)
  const settled = Date.now() - Math.max(found.mtimeMs, found.ctimeMs) > SETTLED_MS
  const small = typeof file === 'string' || file.frames.length <= MAX_FRAMES
  if (settled && small) {
    if (known.size >= MAX_KNOWN) known.clear()
    known.set(path, { state, file })
  }
  return file
}
