import { createHash, randomBytes } from 'node:crypto'
import { readdir, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'

/** Names of what is being written: `.maskwright-HOST-PID-RANDOM` and the ending that the file shall have. */
const PATTERN = /^\.maskwright-([0-9a-f]{6})-(\d+)-([0-9a-f]{12})/

/** From other computers, whose processes cannot be asked: so old that nothing is still being written there. */
const FOREIGN_MS = 7 * 24 * 3600 * 1000

const HOST = createHash('sha256').update(hostname()).digest('hex').slice(0, 6)

/** What this process is writing now. */
const ours = new Set<string>()

/**
 * A name beside `path` under which it is written until it is whole. Hidden, never that of something else, and known again
 * by `clearLeftovers` where the process was killed. `ending` as the readers want it: ".nii.gz".
 */
export function temporaryBeside(path: string, ending = ''): string {
  const random = randomBytes(6).toString('hex')
  ours.add(random)
  return join(dirname(path), `.maskwright-${HOST}-${process.pid}-${random}${ending}`)
}

/** Says that nothing is being written under the name any more, whether or not it is there. */
export function temporaryDone(path: string): void {
  const random = PATTERN.exec(basename(path))?.[3]
  if (random !== undefined) ours.delete(random)
}

/**
 * Removes what killed processes left half-written in a folder: those of this computer that do not run any more, and of other
 * computers what is a week old. Never fails: it is tried again with the next write.
 */
export async function clearLeftovers(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names) {
    const match = PATTERN.exec(name)
    if (match === null) continue
    const [, host = '', pid = '', random = ''] = match
    const path = join(folder, name)
    const left = host === HOST ? !isAlive(Number(pid), random) : await isOld(path)
    if (left) await rm(path, { recursive: true, force: true }).catch(() => undefined)
  }
}

function isAlive(pid: number, random: string): boolean {
  // Process numbers come again: of our own we know what we write.
  if (pid === process.pid) return ours.has(random)
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}

async function isOld(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null)
  return found !== null && Date.now() - found.mtimeMs > FOREIGN_MS
}
