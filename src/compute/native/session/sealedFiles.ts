import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'

/**
 * A folder of files that may be missing, made anew or damaged at any time. Each carries a checksum and the key it was
 * written for; what does not fit is deleted and counts as missing. Nothing here throws: it is only kept to be faster.
 */
export interface SealedFiles {
  read(key: string): Promise<Uint8Array | null>
  write(key: string, content: Uint8Array): Promise<void>
  remove(key: string): Promise<void>
  /** A path in the folder for a file that is on its way, or null where the folder cannot be written. */
  draft(): Promise<string | null>
}

const MAGIC = Buffer.from('Maskwright 1\n')
const SUFFIX = '.sealed'
const DIGEST = 32
/** A draft that is older was left by a process that ended. */
const DRAFT_MS = 3_600_000

let drafts = 0

/** Together the files take up to `most` bytes; those not used for longest go first. */
export function sealedFiles(folder: string, most: number): SealedFiles {
  const placeOf = (key: string) =>
    path.join(folder, `${digest(Buffer.from(key)).toString('hex').slice(0, 40)}${SUFFIX}`)
  const draft = () => path.join(folder, `${process.pid}-${Date.now()}-${drafts++}.draft`)
  const remove = (key: string) => silently(() => unlink(placeOf(key)))
  return {
    async read(key) {
      const place = placeOf(key)
      const sealed = await silently(() => readFile(place))
      if (sealed === null) return null
      const content = opened(sealed, key)
      if (content === null) await remove(key)
      else await silently(() => utimes(place, new Date(), new Date()))
      return content
    },
    async write(key, content) {
      const temporary = draft()
      await silently(async () => {
        await writeFile(temporary, sealOf(key, content))
        await rename(temporary, placeOf(key))
        await prune(folder, most)
      })
      await silently(() => unlink(temporary))
    },
    async remove(key) {
      await remove(key)
    },
    async draft() {
      const made = await silently(async () => {
        await mkdir(folder, { recursive: true })
        const place = draft()
        await writeFile(place, '')
        return place
      })
      return made
    },
  }
}

/** Magic, checksum of all that follows, checksum of the key, content. */
function sealOf(key: string, content: Uint8Array): Buffer {
  const rest = Buffer.concat([digest(Buffer.from(key)), content])
  return Buffer.concat([MAGIC, digest(rest), rest])
}

function opened(sealed: Buffer, key: string): Uint8Array | null {
  const rest = sealed.subarray(MAGIC.length + DIGEST)
  if (!sealed.subarray(0, MAGIC.length).equals(MAGIC) || rest.length < DIGEST) return null
  if (!sealed.subarray(MAGIC.length, MAGIC.length + DIGEST).equals(digest(rest))) return null
  if (!rest.subarray(0, DIGEST).equals(digest(Buffer.from(key)))) return null
  return rest.subarray(DIGEST)
}

async function prune(folder: string, most: number): Promise<void> {
  const files: { place: string; bytes: number; used: number }[] = []
  for (const name of await readdir(folder)) {
    const place = path.join(folder, name)
    const found = await silently(() => stat(place))
    if (found === null) continue
    if (name.endsWith(SUFFIX)) files.push({ place, bytes: found.size, used: found.mtimeMs })
    else if (name.endsWith('.draft') && Date.now() - found.mtimeMs > DRAFT_MS) await silently(() => unlink(place))
  }
  let bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  for (const file of files.sort((a, b) => a.used - b.used)) {
    if (bytes <= most) return
    await silently(() => unlink(file.place))
    bytes -= file.bytes
  }
}

async function silently<T>(run: () => Promise<T>): Promise<T | null> {
  try {
    return await run()
  } catch {
    return null
  }
}

function digest(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}
