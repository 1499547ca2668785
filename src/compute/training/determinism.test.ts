import { execFile, spawn } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { beforeAll, describe, expect, it } from 'vitest'
import '@tensorflow/tfjs-layers'
import { startWasm } from '../runtime/wasm.ts'
import { DISK_LABELS, diskSample } from './testing/samples.ts'
import { trainModel } from './train.ts'
import type { TrainingRuns } from './testing/trainingRuns.ts'

const MINUTES = 60_000
const script = path.join(import.meta.dirname, 'testing', 'trainingRuns.ts')
const runsSchema = z.object({ threads: z.number(), hashes: z.array(z.string()) }) satisfies z.ZodType<TrainingRuns>

async function trainingRuns(threads: number, ...runs: ('quiet' | 'disturbed')[]): Promise<TrainingRuns> {
  const { stdout } = await promisify(execFile)(process.execPath, [script, String(threads), ...runs])
  return runsSchema.parse(JSON.parse(stdout))
}

/** Two processes that do nothing but compute, until the function that comes back is called. */
function load(): () => void {
  const busy = [1, 2].map(() => spawn(process.execPath, ['-e', 'for (;;) Math.random()'], { stdio: 'ignore' }))
  return () => {
    for (const child of busy) child.kill('SIGKILL')
  }
}

describe('training is deterministic', () => {
  it.each([1, 2])(
    'gives the same weights bit for bit with %i thread(s), whatever else runs here or on the machine',
    async (threads) => {
      const quiet = await trainingRuns(threads, 'quiet', 'disturbed')
      expect(quiet.threads).toBe(threads)
      const end = load()
      try {
        const loaded = await trainingRuns(threads, 'quiet')
        expect(new Set([...quiet.hashes, ...loaded.hashes]).size).toBe(1)
        expect([...quiet.hashes, ...loaded.hashes]).toHaveLength(3)
      } finally {
        end()
      }
    },
    2 * MINUTES,
  )

  describe('in one process', () => {
    beforeAll(async () => {
      await startWasm(1)
    }, MINUTES)

    /** The losses of the steps. They tell what each step saw and did, unlike the weights, which may be those of the best ones. */
    async function losses(change: { seed?: number; evaluateEvery?: number; seconds?: number; progress?: boolean }) {
      const { network, training } = await trainModel({
        ...{ parent: null, architecture: { levels: 2, base: 4 }, labels: DISK_LABELS, backend: 'wasm' },
        ...{ samples: [diskSample(1), diskSample(2, 'replay')], steps: 9, seconds: change.seconds ?? 1e6 },
        ...{ seed: change.seed ?? 3, patch: 32, evaluateEvery: change.evaluateEvery ?? 10 },
        ...(change.progress === true ? { onProgress: () => undefined } : {}),
      })
      network.dispose()
      const [, ...steps] = training.curve
      return { losses: steps.map(({ loss }) => loss), boundBy: training.boundBy }
    }

    it(
      'draws random numbers for the patches alone: measuring and reporting change no step',
      async () => {
        const wanted = await losses({})
        expect(wanted.losses).toHaveLength(9)
        expect(wanted.boundBy).toBe('steps')
        expect(await losses({ evaluateEvery: 1 })).toEqual(wanted)
        expect(await losses({ evaluateEvery: 4, progress: true })).toEqual(wanted)
        expect((await losses({ seed: 4 })).losses).not.toEqual(wanted.losses)
      },
      MINUTES,
    )

    it(
      'says that time set the number of steps, which leaves what the first of them saw as it was',
      async () => {
        const short = await losses({ seconds: 0.01 })
        expect(short.boundBy).toBe('seconds')
        expect(short.losses.length).toBeLessThan(9)
        // So many are timed before time can change anything but the end.
        const first = Math.min(4, short.losses.length)
        expect(first).toBeGreaterThan(0)
        expect(short.losses.slice(0, first)).toEqual((await losses({})).losses.slice(0, first))
      },
      MINUTES,
    )
  })
})
