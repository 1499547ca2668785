import { endWithParent } from './parent.ts'
import { PROBE_SECONDS } from './probe.ts'
import { refused } from './proof.ts'
import { startRung } from './rung.ts'
import { WAYS } from './rungs.ts'
import { selfTestRefusal } from './selfTest.ts'
import { refusalOf } from './unavailable.ts'
import type { Way } from '../../core/contract/schemas.ts'
import type { Proof } from './proof.ts'

/** Its parent ends it before that. */
const GRACE_SECONDS = 5

/** The side of probe.ts that tries it: tells its parent what came of it, and ends. */
export async function answerProbe([name = '', ...numbers]: readonly string[]): Promise<void> {
  const way = WAYS.find((each) => each === name)
  if (way === undefined) throw new Error(`There is no way "${name}" of computing.`)
  const [threads = 1, seconds = PROBE_SECONDS, parent = process.ppid, hardwareOnly = 0] = numbers.map(Number)
  process.on('disconnect', () => process.exit(1))
  // The limit is for a parent that forgot this, and for one that ended where the system does not tell so (Windows).
  endWithParent(parent, { seconds: seconds + GRACE_SECONDS })
  const proof = await tryWay(way, threads, hardwareOnly === 1)
  if (process.send === undefined) process.exit(0)
  process.send(proof, () => process.exit(0))
}

async function tryWay(way: Way, threads: number, hardwareOnly: boolean): Promise<Proof> {
  try {
    const { note, selfTest, ...started } = await startRung(way, threads, { timed: true, hardwareOnly })
    if (selfTest.ok) return { ...refused({ reason: '', remedy: null }), ok: true, reason: note, selfTest, ...started }
    return { ...refused(selfTestRefusal(selfTest)), selfTest, device: started.device }
  } catch (error) {
    return refused(refusalOf(error))
  }
}
