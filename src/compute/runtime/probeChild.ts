import { Worker } from 'node:worker_threads'
import { PROBE_SECONDS } from './probe.ts'
import { refused } from './proof.ts'
import { startRung } from './rung.ts'
import { isUsable } from './rungs.ts'
import { selfTestRefusal } from './selfTest.ts'
import { refusalOf } from './unavailable.ts'
import type { Proof } from './proof.ts'
import type { UsableRung } from './rungs.ts'

/** The side of probe.ts that tries the rung: tells its parent what came of it, and ends. */
export async function answerProbe([rung = '', ...numbers]: readonly string[]): Promise<void> {
  if (!isUsable(rung)) throw new Error(`There is no rung "${rung}".`)
  const [threads = 1, seconds = PROBE_SECONDS, parent = process.ppid, hardwareOnly = 0] = numbers.map(Number)
  endWithParent(parent, seconds)
  const proof = await tryRung(rung, threads, hardwareOnly === 1)
  if (process.send === undefined) process.exit(0)
  process.send(proof, () => process.exit(0))
}

async function tryRung(rung: UsableRung, threads: number, hardwareOnly: boolean): Promise<Proof> {
  try {
    const { note, selfTest, ...started } = await startRung(rung, threads, { timed: true, hardwareOnly })
    if (selfTest.ok) return { ...refused({ reason: '', remedy: null }), ok: true, reason: note, selfTest, ...started }
    return { ...refused(selfTestRefusal(selfTest)), selfTest, device: started.device }
  } catch (error) {
    return refused(refusalOf(error))
  }
}

/**
 * Ends this process with its parent, also while the main thread hangs in a driver: an ended parent leaves its children
 * to another one. Where the system does not tell (Windows), and for a parent that forgot it, by the time limit.
 */
function endWithParent(parent: number, seconds: number): void {
  process.on('disconnect', () => process.exit(1))
  // The parent is told, not asked for: it may have ended before this thread looks for the first time.
  const watch = `
    const limit = Date.now() + ${(seconds + 5) * 1000}
    setInterval(() => {
      if (process.ppid !== ${parent} || Date.now() > limit) process.kill(process.pid, 'SIGKILL')
    }, 250)
  `
  new Worker(watch, { eval: true }).unref()
}
