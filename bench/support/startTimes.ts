import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createComputeProcess } from '../../src/backend/compute/process.ts'

/** Milliseconds from starting the compute process to its being ready, with the choice of an earlier start at hand. */
export async function startTimes(runs: number): Promise<number[]> {
  const state = await mkdtemp(path.join(tmpdir(), 'maskwright-bench-'))
  const entry = path.join(import.meta.dirname, '..', '..', 'out', 'main', 'compute.js')
  const times: number[] = []
  try {
    for (let run = -1; run < runs; run++) {
      const started = performance.now()
      const compute = createComputeProcess({ nodePath: process.execPath, entry, env: { MASKWRIGHT_STATE: state } })
      await compute.call('status', {})
      if (run >= 0) times.push(performance.now() - started)
      // A choice that is still being made is waited for.
      if (run < 0) await compute.call('doctor', {})
      await compute.close()
    }
  } finally {
    await rm(state, { recursive: true, force: true })
  }
  return times
}
