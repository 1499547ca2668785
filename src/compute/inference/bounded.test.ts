import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const child = path.resolve(import.meta.dirname, 'testing/boundedChild.ts')
const reportSchema = z.object({
  boundMB: z.number(),
  settledMB: z.number(),
  lastMB: z.number(),
  peakMB: z.number(),
  same: z.boolean(),
})

describe('a process that predicts a large picture again and again', () => {
  it.each([
    ['wasm', 80],
    ['native', 50],
  ] as const)(
    'stays within the bound on its memory, and holds no more in the end than once it has settled: %s',
    async (rung, times) => {
      // In one piece the picture takes about 150 MB.
      const { stdout } = await promisify(execFile)(process.execPath, [child, `${times}`, '110', rung])
      const report = reportSchema.parse(JSON.parse(stdout))
      expect(report.same).toBe(true)
      // What waits to be collected may stand above the bound for a moment; in one piece it would be 40 MB more.
      expect(report.peakMB).toBeLessThan(1.1 * report.boundMB)
      // The heap of WebAssembly may grow by one step more; each of the 40 predictions since then handles 15 MB.
      expect(report.lastMB).toBeLessThan(report.settledMB + 60)
    },
    180_000,
  )
})
