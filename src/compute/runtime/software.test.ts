import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { swiftshaderEnv } from '../testing/swiftshader.ts'
import { missingOnnxRuntime } from './onnxRuntime.ts'
import { probeWay } from './probe.ts'
import { startCompute } from './testing/computeChild.ts'

const MINUTES = 60_000
const entry = path.resolve(import.meta.dirname, '../entry.ts')
const env = swiftshaderEnv()

describe.skipIf(env === null)(
  "software that computes like a graphics card (skipped without SwiftShader, Debian's chromium)",
  () => {
    let state = ''

    beforeEach(() => {
      state = mkdtempSync(path.join(os.tmpdir(), 'maskwright-software-'))
    })
    afterEach(() => {
      rmSync(state, { recursive: true, force: true })
    })

    it(
      'is not tried to the end where something has to be chosen',
      async () => {
        const proof = await probeWay('webgpu', { entry, threads: 1, hardwareOnly: true, env: env ?? {} })
        expect(proof).toMatchObject({ ok: false, late: true, selfTest: null, stepMs: null })
        expect(proof.reason).toMatch(/^There is no graphics card here, only software/)
      },
      MINUTES,
    )

    it.skipIf(missingOnnxRuntime('webgpu', null) !== null)(
      'is known before ONNX Runtime computes on it, and named and not timed where that is insisted on (skipped where the package has no WebGPU)',
      async () => {
        const options = { entry, threads: 1, env: env ?? {} }
        const passed = await probeWay('native-webgpu', { ...options, hardwareOnly: true })
        expect(passed).toMatchObject({ ok: false, late: true, selfTest: null, stepMs: null })
        expect(passed.reason).toMatch(/^There is no graphics card here, only software/)
        const proof = await probeWay('native-webgpu', { ...options, seconds: 120 })
        expect(proof.device?.name).toMatch(/^SwiftShader.*software/)
        expect(proof).toMatchObject({ ok: true, selfTest: { ok: true }, stepMs: null, threads: 1 })
        expect(proof.reason).toBe(passed.reason)
      },
      3 * MINUTES,
    )

    it(
      'does not keep a start from choosing something else at once, and the next one from knowing it',
      async () => {
        for (const cached of [false, true]) {
          const child = startCompute({ ...env, MASKWRIGHT_STATE: state })
          const status = await child.call('status')
          expect(status).toMatchObject({ cached })
          expect(JSON.stringify(status)).not.toContain('software')
          await child.end()
        }
      },
      2 * MINUTES,
    )
  },
)
