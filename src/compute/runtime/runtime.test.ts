import path from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { describe, expect, it } from 'vitest'
import { probeWay } from './probe.ts'
import { startRuntime } from './start.ts'

const MINUTES = 60_000
const entry = path.resolve(import.meta.dirname, '../entry.ts')

describe('startRuntime', () => {
  it('refuses a backend that this version does not have, and names those it has', async () => {
    const starting = startRuntime({ backend: 'abacus' })
    await expect(starting).rejects.toMatchObject({ code: 'compute-failed' })
    await expect(starting).rejects.toThrow(/"abacus" is not part of this version; use one of auto, native, cuda/)
    await expect(startRuntime({ backend: 'native' })).rejects.toThrow(
      /"native" was asked for and cannot be used. It was not tried, since only the compute process can do so safely/,
    )
  })

  it('refuses what was asked for and is not there in a sentence with the remedy', async () => {
    // One that is never tried in this process.
    const starting = startRuntime({ backend: 'cuda' })
    await expect(starting).rejects.toMatchObject({ code: 'compute-failed' })
    await expect(starting).rejects.toThrow(/^The compute backend "cuda" was asked for and cannot be used\. [A-Z].*\.$/)
  })

  it(
    'takes wasm with threads where nothing faster can be tried, and says why not the others',
    async () => {
      const runtime = await startRuntime({ backend: 'auto', threads: 2 })
      expect(runtime).toMatchObject({ backend: 'wasm', threads: 2, cached: false, note: null, stepMs: null })
      for (const rung of ['cuda', 'webgpu', 'tensorflow'] as const) expect(runtime.refused.get(rung)).toMatch(/\.$/)
      expect(runtime.selfTest).toMatchObject({ ok: true, difference: null })
      expect(runtime.versions['tfjs-core']).toBe(tf.version_core)
      expect(runtime.device.name).not.toBe('')
    },
    MINUTES,
  )
})

describe('probeWay', () => {
  it(
    'starts, self-tests and times a rung in a child',
    async () => {
      const proof = await probeWay('wasm', { entry, threads: 1 })
      expect(proof).toMatchObject({ ok: true, reason: null, selfTest: { ok: true }, threads: 1 })
      expect(proof.stepMs).toBeGreaterThan(0)
      expect(proof.device?.name).toMatch(/\w/)
    },
    MINUTES,
  )
})
