import { spawn } from 'node:child_process'
import path from 'node:path'
import util from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import { describe, expect, it } from 'vitest'
import { registerWasmKernel } from '../kernels/register.ts'
import { missingNativeTensorflow } from './nativeTensorflow.ts'
import { probeRung } from './probe.ts'
import { selfTest } from './selfTest.ts'
import { startRuntime } from './start.ts'

const MINUTES = 60_000
const entry = path.resolve(import.meta.dirname, '../entry.ts')

describe('startRuntime', () => {
  it('refuses a backend that this version does not have, and names those it has', async () => {
    const starting = startRuntime({ backend: 'webgpu' })
    await expect(starting).rejects.toMatchObject({ code: 'compute-failed' })
    await expect(starting).rejects.toThrow(/"webgpu".*cuda, tensorflow, wasm, js/)
  })

  it(
    'takes wasm with threads, which gives the numbers of the js backend, and says why not the faster ones',
    async () => {
      const runtime = await startRuntime({ backend: 'auto', threads: 2 })
      if (runtime.backend === 'wasm') {
        expect(runtime.threads).toBe(2)
        expect(runtime.refused.get('cuda')).toMatch(/\.$/)
        expect(runtime.refused.get('tensorflow')).toMatch(/\.$/)
      }
      expect(runtime.selfTest).toMatchObject({ ok: true, difference: null })
      expect(runtime.versions['tfjs-core']).toBe(tf.version_core)
    },
    MINUTES,
  )

  it('notices a kernel that gives wrong numbers', async () => {
    await startRuntime({ backend: 'wasm', threads: 2 })
    const right = registerWasmKernel(tf.MaxPoolGrad, ({ inputs, backend }) => {
      const { input } = inputs
      if (input === undefined) throw new Error('no input')
      return backend.makeOutput(input.shape, 'float32', undefined, new Float32Array(tf.util.sizeFromShape(input.shape)))
    })
    try {
      const { ok, difference } = await selfTest()
      expect(ok).toBe(false)
      expect(difference).toMatch(/^The (loss|weights after two steps) gave .* instead of .*\.$/)
    } finally {
      tf.unregisterKernel(tf.MaxPoolGrad, 'wasm')
      if (right) tf.registerKernel({ kernelName: tf.MaxPoolGrad, backendName: 'wasm', kernelFunc: right })
    }
    expect((await selfTest()).ok).toBe(true)
  })
})

describe('missingNativeTensorflow', () => {
  it('says so in a sentence when a package is not there', () => {
    expect(missingNativeTensorflow('@tensorflow/tfjs-of-nobody')).toBe(
      'The optional package @tensorflow/tfjs-of-nobody is not installed.',
    )
    // Looking must load nothing and change nothing.
    expect('isNullOrUndefined' in util).toBe(false)
  })
})

describe('probeRung', () => {
  it(
    'tells of a child that crashes instead of crashing',
    async () => {
      const crash = path.resolve(import.meta.dirname, 'no-such-script.ts')
      const result = await probeRung(crash, 'cuda', 1)
      expect(result.started ? '' : result.reason).toMatch(/crashed/)
    },
    MINUTES,
  )

  it(
    'starts and self-tests a rung in a child',
    async () => {
      expect(await probeRung(entry, 'wasm', 1)).toMatchObject({ started: true, selfTest: { ok: true } })
    },
    MINUTES,
  )
})

describe('the compute process', () => {
  it(
    'ends when its host is killed',
    async () => {
      const script = `
        import { spawn } from 'node:child_process'
        const child = spawn(process.execPath, [process.argv[1]], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] })
        child.on('exit', () => process.exit(3))
        setInterval(() => {}, 1000)
      `
      const host = spawn(process.execPath, ['--input-type=module', '-e', script, entry], {
        env: { ...process.env, MASKWRIGHT_BACKEND: 'wasm', MASKWRIGHT_THREADS: '1' },
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      const pid = await new Promise<number>((resolve) => {
        host.stdout.on('data', (chunk: Buffer) => {
          const found = /pid (\d+)/.exec(chunk.toString())
          if (found?.[1] !== undefined) resolve(Number(found[1]))
        })
      })
      host.kill('SIGKILL')
      await expect.poll(() => isRunning(pid), { timeout: 20_000, interval: 100 }).toBe(false)
    },
    MINUTES,
  )
})

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
