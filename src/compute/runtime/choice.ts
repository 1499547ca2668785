import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { proofSchema } from './proof.ts'
import { WAYS } from './rungs.ts'
import type { Way } from '../../core/contract/schemas.ts'
import type { Proof } from './proof.ts'

const FILE = 'compute-choice.json'
/** Lies beside it while a way that is not ours starts; what is left of one that crashed doing so. */
const STARTING = 'compute-starting.json'

const waySchema = z.enum(WAYS)
const rememberedSchema = z.object({
  format: z.literal(2),
  /** What was chosen of ways with these keys (proof.ts: choiceKey). */
  choice: z.object({ key: z.string(), way: waySchema }).nullable(),
  proofs: z.partialRecord(waySchema, z.object({ key: z.string(), proof: proofSchema })),
})
type Remembered = z.infer<typeof rememberedSchema>
const startingSchema = z.object({ pid: z.int(), way: waySchema })

/** By way, what was found out under which key. */
export type Found = ReadonlyMap<Way, { readonly key: string; readonly proof: Proof }>

/** What was found out about this computer at earlier starts, as far as its keys still fit. */
export interface Memory {
  proof(way: Way, key: string): Proof | null
  chosen(key: string): Way | null
  /**
   * Writes temporary and renames, together with what others wrote meanwhile; a choice that is undefined stays as it is. A folder that
   * cannot be written is logged.
   */
  remember(proofs: Found, choice: { readonly key: string; readonly way: Way } | undefined): void
  /** Did the last start of this way, from its cached proof, take the process along? */
  crashedAtStart(way: Way): boolean
  /** Until the returned function is called, a crash is this way's. */
  starting(way: Way): () => void
}

/** The memory in a folder; null: nothing is remembered. Damaged and foreign files count as none. */
export function openMemory(folder: string | null, print: (line: string) => void): Memory {
  if (folder === null) return FORGETFUL
  const said = new Set<string>()
  const log = (line: string) => {
    if (!said.has(line)) print(line)
    said.add(line)
  }
  const file = path.join(folder, FILE)
  const marker = path.join(folder, STARTING)
  return {
    proof(way, key) {
      const kept = read(file, log).proofs[way]
      return kept?.key === key ? kept.proof : null
    },
    chosen(key) {
      const { choice } = read(file, log)
      return choice?.key === key ? choice.way : null
    },
    remember(proofs, choice) {
      const earlier = read(file, () => undefined)
      if (proofs.size === 0 && (choice === undefined || isEqual(choice, earlier.choice))) return
      const content: Remembered = {
        format: 2,
        choice: choice ?? earlier.choice,
        proofs: { ...earlier.proofs, ...Object.fromEntries(proofs) },
      }
      write(file, JSON.stringify(content, null, 2), log)
    },
    crashedAtStart(way) {
      const left = startingSchema.safeParse(parsed(marker)?.content)
      return left.success && left.data.way === way && !isRunning(left.data.pid)
    },
    starting(way) {
      write(marker, JSON.stringify({ pid: process.pid, way }), () => undefined)
      const over = () => {
        process.off('exit', left)
        remove(marker)
      }
      // A host that is closed meanwhile is no crash either.
      const left = (code: number) => {
        if (code === 0) over()
      }
      process.on('exit', left)
      return over
    },
  }
}

const FORGETFUL: Memory = {
  proof: () => null,
  chosen: () => null,
  remember: () => undefined,
  crashedAtStart: () => false,
  starting: () => () => undefined,
}

function read(file: string, log: (line: string) => void): Remembered {
  const none: Remembered = { format: 2, choice: null, proofs: {} }
  const found = parsed(file)
  if (found === null) return none
  const remembered = rememberedSchema.safeParse(found.content)
  if (remembered.success) return remembered.data
  log(`${file} is damaged or of another version, and is ignored.`)
  return none
}

/** Null where there is no such file; its content is undefined where it is no JSON. */
function parsed(file: string): { content: unknown } | null {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return null
  }
  try {
    return { content: JSON.parse(text) }
  } catch {
    return { content: undefined }
  }
}

function write(file: string, text: string, log: (line: string) => void): void {
  const temporary = `${file}.${process.pid}-${randomUUID().slice(0, 8)}.tmp`
  try {
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(temporary, `${text}\n`)
    renameSync(temporary, file)
  } catch (error) {
    log(`${file} cannot be written, so the next start tries the backends again: ${String(error)}`)
    remove(temporary)
  }
}

function remove(file: string): void {
  try {
    rmSync(file, { force: true })
  } catch {
    // Where nothing can be written, nothing is left either; what another program holds open is taken for what it says.
  }
}

function isEqual(a: Remembered['choice'], b: Remembered['choice']): boolean {
  return a?.key === b?.key && a?.way === b?.way
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // There, but another user's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
