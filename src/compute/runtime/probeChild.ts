import { endWithParent } from './parent.ts'
import { PROBE_SECONDS } from './probe.ts'
import { refused } from './proof.ts'
import { startRung } from './rung.ts'
import { isUsable } from './rungs.ts'
import { selfTestRefusal } from './selfTest.ts'
import { refusalOf } from './unavailable.ts'
import type { Proof } from './proof.ts'
import type { UsableRung } from './rungs.ts'

/** Its parent ends it before that. */
const GRACE_SECONDS = 5

/** The side of probe.ts that tries the rung: tells its parent what came of it, and ends. */
export async function answerProbe([rung = '', ...numbers]: readonly string[]): Promise<void> {
  if (!isUsable(rung)) throw new Error(`There is no rung "${rung}".`)
  const [threads = 1, seconds = PROBE_SECONDS, parent = process.ppid, hardwareOnly = 0] = numbers.map(Number)
  process.on('disconnect', () => process.exit(1))
  // The limit is for a parent that forgot this, and for one that ended where the system does not tell so (Windows).
  endWithParent(parent, seconds + GRACE_SECONDS)
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
