import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { CodedError } from '../../core/contract/errors.ts'
import { codeOf } from '../models/reading.ts'
import { saveError } from '../models/saving.ts'

const FILE = 'lock.json'
const ownerSchema = z.object({ pid: z.int(), started: z.string().nullable() })

/**
 * Claims the folder of a training for this process, so that two do not write into one; made where it is not there. A process
 * that was killed holds nothing. Throws CodedError('busy') where another one works there.
 *
 * @returns What gives it back.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const file = path.join(folder, FILE)
  const own = { pid: process.pid, started: await startOf(process.pid) }
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(file, JSON.stringify(own), { flag: 'wx' })
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw saveError(folder, error, 'the state of the training')
    const owner = await readOwner(file)
    if (owner !== null && owner.pid !== process.pid && (await staysRunning(owner))) {
      throw new CodedError(
        'busy',
        `Another process (${owner.pid}) is training in ${folder}; wait until it has ended, or delete ${file} where that is another program.`,
      )
    }
    await writeFile(file, JSON.stringify(own))
  }
  return () => rm(file, { force: true })
}

type Owner = z.infer<typeof ownerSchema>

async function readOwner(file: string): Promise<Owner | null> {
  try {
    return ownerSchema.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    // It was killed while it wrote this.
    return null
  }
}

/** So long, in milliseconds, a process that was killed may take to go, with all its memory. */
const DYING = 2000
const EVERY = 100

async function staysRunning(owner: Owner): Promise<boolean> {
  for (let waited = 0; await isRunning(owner); waited += EVERY) {
    if (waited >= DYING) return true
    await setTimeout(EVERY)
  }
  return false
}

async function isRunning({ pid, started }: Owner): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return false
  }
  // Numbers are given again: another process may have it by now.
  return started === (await startOf(pid))
}

/** Tells processes of one number apart, where the system says it; of one that has ended and only waits to be asked for it, null. */
async function startOf(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8')
    // What follows the name, which may hold anything, begins with field 3, the state; the start is field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? null : `${boot.trim()} ${fields[19] ?? ''}`
  } catch {
    return null
  }
}
