import { mkdtemp, readdir, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createComputeProcess } from './process.ts'
import type { ComputeParams, ComputePort } from './port.ts'
import type { ComputeProgress } from '../../core/contract/compute.ts'

const entry = path.resolve(import.meta.dirname, '../../compute/entry.ts')
const MINUTES = 60_000

/** A slice of 32 x 32 with a bright square, labelled 1, at (8, 8) to (23, 23). */
function sample(): NonNullable<ComputeParams<'train'>['samples']>[number] {
  const data = new Uint8Array(32 * 32)
  const labels = new Uint8Array(32 * 32)
  for (let y = 8; y < 24; y++) data.fill(200, y * 32 + 8, y * 32 + 24)
  data.forEach((value, i) => (labels[i] = value > 0 ? 1 : 0))
  return {
    ...{ index: 4, width: 32, height: 32, channels: 1, voxelType: 'uint8', data, labels, role: 'corrected' },
    ...{ slope: 1, inter: 0, low: 0, high: 200 },
  }
}

describe('the compute process', () => {
  let dir = ''
  let port: ComputePort | null = null
  const lines: string[] = []

  beforeEach(async () => {
    dir = await mkdtemp(path.join(os.tmpdir(), 'maskwright-compute-'))
  })

  afterEach(async () => {
    vi.useRealTimers()
    await port?.close()
    await rm(dir, { recursive: true, force: true })
  })

  function open(env: Record<string, string> = {}): ComputePort {
    port = createComputeProcess({ nodePath: process.execPath, entry, env, log: (line) => lines.push(line) })
    return port
  }

  function training(change: Partial<ComputeParams<'train'>> = {}): ComputeParams<'train'> {
    return {
      parentDir: null,
      outDir: path.join(dir, 'model'),
      modelId: 'm1',
      name: 'Model 1',
      createdAt: '2026-01-01T00:00:00Z',
      labels: [{ value: 1, name: 'Square' }],
      samples: [sample()],
      steps: 2,
      seconds: 120,
      seed: 5,
      ...change,
    }
  }

  it(
    'says what it runs on, trains a model, and predicts with it',
    async () => {
      const compute = open({ MASKWRIGHT_BACKEND: 'wasm', MASKWRIGHT_THREADS: '2' })
      expect(await compute.call('status', {})).toMatchObject({ backend: 'wasm', threads: 2 })
      expect(compute.status()).toMatchObject({ backend: 'wasm', threads: 2, restarts: 0 })

      const progress: ComputeProgress[] = []
      const { card } = await compute.call('train', training(), { onProgress: (each) => progress.push(each) })
      expect(card).toMatchObject({ id: 'm1', parentId: null, labels: [{ value: 1, name: 'Square' }] })
      expect(card.training).toMatchObject({ steps: 2, slices: 1, seed: 5, backend: 'wasm' })
      expect(progress.map(({ step }) => step)).toEqual([0, 1, 2])
      expect((await readdir(path.join(dir, 'model'))).sort()).toEqual(['card.json', 'model.json', 'weights.bin'])
      expect(await readdir(dir)).toEqual(['model'])

      const { slices } = await compute.call('predict', { modelDir: path.join(dir, 'model'), slices: [sample()] })
      expect(slices).toHaveLength(1)
      expect(slices[0]?.index).toBe(4)
      expect(slices[0]?.labels).toHaveLength(32 * 32)
    },
    2 * MINUTES,
  )

  it(
    'rejects what was running when it is killed, starts again, and goes on',
    async () => {
      const compute = open({ MASKWRIGHT_BACKEND: 'wasm', MASKWRIGHT_THREADS: '1' })
      const states: string[] = []
      compute.onStatus(({ state }) => states.push(state))
      let pid = 0
      await expect(
        compute.call('train', training({ steps: 100_000, seconds: 600 }), {
          onProgress: ({ step }) => {
            if (step !== 2 || pid !== 0) return
            pid = Number(lines.findLast((line) => line.startsWith('pid '))?.slice(4))
            process.kill(pid, 'SIGKILL')
          },
        }),
      ).rejects.toMatchObject({ code: 'compute-crashed' })
      expect(pid).toBeGreaterThan(0)
      expect(await readdir(dir)).toEqual([])
      expect(compute.status().restarts).toBe(1)

      expect(await compute.call('status', {})).toMatchObject({ backend: 'wasm' })
      const { card } = await compute.call('train', training())
      expect(card.training?.steps).toBe(2)
      expect(states).toContain('restarting')
      expect(compute.status()).toMatchObject({ state: 'ready', message: null, restarts: 1 })
    },
    3 * MINUTES,
  )

  it(
    'cancels within a step, writes nothing then, and answers while it trains',
    async () => {
      const compute = open({ MASKWRIGHT_BACKEND: 'wasm', MASKWRIGHT_THREADS: '1' })
      const cancel = new AbortController()
      let stepAtCancel = 0
      let lastStep = 0
      const answered: unknown[] = []
      await expect(
        compute.call('train', training({ steps: 100_000, seconds: 600 }), {
          signal: cancel.signal,
          onProgress: ({ step }) => {
            lastStep = step
            if (step === 1) {
              const questions = [compute.call('status', {}), compute.call('doctor', { known: true })]
              void Promise.all<unknown>(questions).then((answers) => {
                answered.push(...answers)
                stepAtCancel = lastStep
                cancel.abort()
              })
            }
          },
        }),
      ).rejects.toMatchObject({ code: 'cancelled' })
      expect(answered).toHaveLength(2)
      expect(answered[1]).toMatchObject({ chosen: 'wasm', memory: { totalMB: expect.any(Number) as number } })
      expect(lastStep - stepAtCancel).toBeLessThanOrEqual(2)
      expect(await readdir(dir)).toEqual([])
    },
    2 * MINUTES,
  )

  it(
    'refuses bad requests by code and reports a broken model as a bad file',
    async () => {
      const compute = open({ MASKWRIGHT_BACKEND: 'wasm', MASKWRIGHT_THREADS: '1' })
      await expect(compute.call('predict', { modelDir: dir, slices: [] })).rejects.toMatchObject({
        code: 'bad-request',
      })
      await expect(compute.call('predict', { modelDir: dir, slices: [sample()] })).rejects.toMatchObject({
        code: 'bad-file',
      })
      expect(compute.status()).toMatchObject({ state: 'ready', backend: 'wasm', threads: 1 })
    },
    MINUTES,
  )

  it(
    'is not taken for hanging because the computer slept',
    async () => {
      const compute = open({ MASKWRIGHT_BACKEND: 'wasm', MASKWRIGHT_THREADS: '1' })
      await compute.call('status', {})
      vi.useFakeTimers({ toFake: ['Date'] })
      vi.setSystemTime(Date.now() + 3_600_000)
      // Longer than a ping takes.
      await new Promise((resolve) => setTimeout(resolve, 2500))
      expect(compute.status()).toMatchObject({ state: 'ready', restarts: 0 })
    },
    MINUTES,
  )

  it.skipIf(process.platform === 'win32')(
    'is ended and started again when it hangs (not on Windows, which cannot stop a process)',
    async () => {
      lines.length = 0
      port = createComputeProcess({
        nodePath: process.execPath,
        entry,
        env: { MASKWRIGHT_BACKEND: 'wasm', MASKWRIGHT_THREADS: '1' },
        log: (line) => lines.push(line),
        // Longer than the self-test at the start keeps it from answering, on a busy machine too.
        silenceMs: 6000,
      })
      await port.call('status', {})
      const pid = Number(lines.find((line) => line.startsWith('pid '))?.slice(4))
      process.kill(pid, 'SIGSTOP')
      await expect(port.call('doctor', {})).rejects.toMatchObject({ code: 'compute-crashed' })
      expect(port.status().restarts).toBe(1)
    },
    MINUTES,
  )

  // The system says so later of the one, and throws at once for the other.
  it.each(['no-node', 'no\0node'])(
    'gives up with a sentence when it cannot be started at all, and tries again when asked (%j)',
    async (name) => {
      port = createComputeProcess({ nodePath: path.join(dir, name), entry })
      await expect(port.call('status', {})).rejects.toMatchObject({ code: 'compute-crashed' })
      await expect.poll(() => port?.status().state, { timeout: 30_000 }).toBe('failed')
      expect(port.status().message).toMatch(/keeps stopping/)
      await expect(port.call('status', {})).rejects.toMatchObject({ code: 'compute-crashed' })
    },
    MINUTES,
  )

  it(
    'says why when no backend can be used',
    async () => {
      const compute = open({ MASKWRIGHT_BACKEND: 'abacus' })
      await expect(compute.call('status', {})).rejects.toMatchObject({ code: 'compute-failed' })
      expect(compute.status().state).toBe('failed')
      expect(compute.status().message).toContain('abacus')
    },
    MINUTES,
  )

  it(
    'tells what it can use',
    async () => {
      const report = await open({ MASKWRIGHT_BACKEND: 'wasm' }).call('doctor', {})
      expect(report.chosen).toBe('wasm')
      expect(report.backends.map(({ name }) => name)).toEqual(['native', 'cuda', 'webgpu', 'tensorflow', 'wasm', 'js'])
      const byName = new Map(report.backends.map((each) => [each.name, each]))
      expect(byName.get('wasm')).toMatchObject({ available: true, selfTest: { ok: true } })
      expect(byName.get('js')).toMatchObject({ available: true, selfTest: { ok: true } })
      const native = byName.get('native')
      // With ONNX Runtime, which is optional, or without it.
      expect(native?.providers?.at(-1)).toMatchObject({
        name: 'cpu',
        available: native?.available,
        reason: native?.reason,
      })
      for (const { reason } of report.backends) expect(reason).toMatch(/^[A-Z].*\.$/)
    },
    2 * MINUTES,
  )
})
