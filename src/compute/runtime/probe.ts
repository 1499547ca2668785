import { fork } from 'node:child_process'
import { z } from 'zod'
import { startRung } from './rung.ts'
import type { UsableRung } from './rungs.ts'

export const PROBE_ARGUMENT = '--probe'

const selfTestSchema = z.object({ ok: z.boolean(), ms: z.number(), difference: z.string().nullable() })
const probeResultSchema = z.discriminatedUnion('started', [
  z.object({ started: z.literal(true), selfTest: selfTestSchema }),
  z.object({ started: z.literal(false), reason: z.string() }),
])
export type ProbeResult = z.infer<typeof probeResultSchema>

const PROBE_SECONDS = 60

/**
 * Starts and self-tests a rung in a process of its own, since a broken driver takes its process along. `entry` is the
 * script that answers `--probe RUNG THREADS` by `answerProbe`. Never rejects: a crash is a reason.
 */
export function probeRung(entry: string, rung: UsableRung, threads: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const child = fork(entry, [PROBE_ARGUMENT, rung, String(threads)], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    const timer = setTimeout(() => {
      finish({ started: false, reason: `It did not answer within ${PROBE_SECONDS} seconds.` })
    }, PROBE_SECONDS * 1000)
    const finish = (result: ProbeResult) => {
      clearTimeout(timer)
      child.removeAllListeners()
      child.kill('SIGKILL')
      resolve(result)
    }
    child.once('message', (message) => {
      const parsed = probeResultSchema.safeParse(message)
      finish(parsed.success ? parsed.data : { started: false, reason: 'It gave no readable answer.' })
    })
    child.once('error', (error) => {
      finish({ started: false, reason: `It could not be tried: ${error.message}` })
    })
    child.once('exit', (code, signal) => {
      finish({
        started: false,
        reason: `Its library crashed when it was tried (${signal ?? `exit code ${String(code)}`}).`,
      })
    })
  })
}

/** The child's side: tells the parent what came of it, and ends. */
export async function answerProbe(rung: UsableRung, threads: number): Promise<void> {
  const result = await tryRung(rung, threads)
  process.send?.(result)
  process.disconnect()
  process.exit(0)
}

async function tryRung(rung: UsableRung, threads: number): Promise<ProbeResult> {
  try {
    const { selfTest } = await startRung(rung, threads)
    return { started: true, selfTest }
  } catch (error) {
    return { started: false, reason: error instanceof Error ? error.message : String(error) }
  }
}
