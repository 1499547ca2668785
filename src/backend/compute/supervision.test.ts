import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ComputeStatus } from '../../core/contract/schemas.ts'
import type { ScriptedStart } from '../testing/scriptedCompute.ts'
import type { ComputeNotice, ComputeParams, ComputePort } from './port.ts'
import { createComputeProcess } from './process.ts'

/** What watches over a compute process, with one that behaves as each test tells it to. */

const entry = path.resolve(import.meta.dirname, '../testing/scriptedCompute.ts')

let dir = ''
const ports: ComputePort[] = []
const logged: string[] = []

beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'maskwright-watch-'))
  logged.length = 0
})
afterEach(async () => {
  for (const port of ports.splice(0)) await port.close()
  await rm(dir, { recursive: true, force: true })
})

interface Watched {
  readonly port: ComputePort
  readonly notices: ComputeNotice[]
  readonly states: ComputeStatus['state'][]
}

function open(env: Record<string, string> = {}): Watched {
  const port = createComputeProcess({
    nodePath: process.execPath,
    entry,
    env: { SCRIPT_LOG: path.join(dir, 'starts'), ...env },
    stateDir: path.join(dir, 'user'),
    log: (line) => logged.push(line),
    beatMs: 100,
  })
  ports.push(port)
  const notices: ComputeNotice[] = []
  const states: ComputeStatus['state'][] = []
  port.onNotice((notice) => notices.push(notice))
  port.onStatus(({ state }) => states.push(state))
  return { port, notices, states }
}

function starts(): ScriptedStart[] {
  const text = existsSync(path.join(dir, 'starts')) ? readFileSync(path.join(dir, 'starts'), 'utf8').trim() : ''
  return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as ScriptedStart)
}

const kept = (): unknown => JSON.parse(readFileSync(path.join(dir, 'user', 'compute.json'), 'utf8'))
const predict = (port: ComputePort, modelDir: string, signal?: AbortSignal) =>
  port.call('predict', { modelDir, slices: [] }, signal === undefined ? {} : { signal })
const training = (parentDir: string): ComputeParams<'train'> => ({
  ...{ parentDir, outDir: 'none', modelId: 'm', name: 'm', createdAt: '', labels: [], samples: [] },
  ...{ steps: 3, seconds: 1, seed: 1 },
})

describe('settings of this computer', () => {
  it('start compute anew without a word of a crash, and are kept for the next host', async () => {
    const { port, notices, states } = open()
    await predict(port, 'work')
    expect(port.settings().kept).toEqual({ backend: 'auto', threads: 0 })
    states.length = 0
    await port.configure({ backend: 'wasm', threads: 3 })
    expect(port.status()).toMatchObject({ state: 'ready', backend: 'wasm', device: 'a wasm device', restarts: 0 })
    expect(states).toEqual(['starting', 'ready'])
    expect(notices).toEqual([])
    expect(kept()).toEqual({ backend: 'wasm', threads: 3 })
    expect(await readdir(path.join(dir, 'user'))).toEqual(['compute.json'])

    const second = open()
    expect(second.port.settings().inForce).toEqual({ backend: 'wasm', threads: 3 })
    await predict(second.port, 'work')
    const { env, execArgv } = starts().at(-1) ?? {}
    expect(env).toMatchObject({
      MASKWRIGHT_BACKEND: 'wasm',
      MASKWRIGHT_THREADS: '3',
      MASKWRIGHT_WITHOUT: '',
      MASKWRIGHT_STATE: path.join(dir, 'user'),
    })
    expect(Number(env?.MASKWRIGHT_MEMORY_MB)).toBeGreaterThan(0)
    expect(execArgv?.[0]).toMatch(/^--max-old-space-size=\d+$/)
    // The first host's process has ended, the last one's runs.
    expect(starts()).toHaveLength(3)
  })

  it.each([
    ['SCRIPT_REFUSED', 'There is no webgpu here.'],
    ['SCRIPT_CRASHING', 'Compute stopped while it was started with these settings (exit code 9).'],
  ])('that cannot be used (%s) are not kept, and what worked comes back', async (variable, message) => {
    const { port, notices } = open({ [variable]: 'cuda,webgpu', SCRIPT_START_MS: '50', MASKWRIGHT_WITHOUT: 'cuda' })
    await port.configure({ backend: 'wasm', threads: 0 })
    const refused = port.configure({ backend: 'webgpu', threads: 0 })
    // Asked in between: it waits for what comes of it.
    const waiting = predict(port, 'work')
    await expect(refused).rejects.toMatchObject({ code: 'compute-failed', message })
    expect(port.status()).toMatchObject({ backend: 'wasm', message: null, restarts: 0 })
    await expect(waiting).resolves.toMatchObject({ slices: [] })
    expect(kept()).toEqual({ backend: 'wasm', threads: 0 })
    expect(port.settings().inForce.backend).toBe('wasm')
    expect(notices).toEqual([])
  })

  it('wait until nothing is asked of compute, and for each other', async () => {
    const { port } = open()
    const cancel = new AbortController()
    const running = predict(port, 'wait', cancel.signal)
    await expect(port.configure({ backend: 'js', threads: 0 })).rejects.toMatchObject({ code: 'busy' })
    cancel.abort()
    await expect(running).rejects.toMatchObject({ code: 'cancelled' })
    const first = port.configure({ backend: 'js', threads: 0 })
    await expect(port.configure({ backend: 'wasm', threads: 0 })).rejects.toMatchObject({ code: 'busy' })
    await first
    expect(port.status().backend).toBe('js')
  })

  it('come after the environment, which says so', async () => {
    const { port } = open({ MASKWRIGHT_BACKEND: 'wasm' })
    const { overruled, inForce } = port.settings()
    expect(overruled).toEqual({
      backend: expect.stringContaining('MASKWRIGHT_BACKEND is set to "wasm"') as string,
      threads: null,
    })
    expect(inForce).toEqual({ backend: 'wasm', threads: 0 })
    await expect(port.configure({ backend: 'js', threads: 2 })).rejects.toMatchObject({
      code: 'conflict',
      message: overruled.backend,
    })
    // As the interface asks that shows what is in force: what the environment says is not kept beyond this run.
    await port.configure({ backend: 'wasm', threads: 2 })
    expect(port.status().backend).toBe('wasm')
    expect(kept()).toEqual({ backend: 'auto', threads: 2 })
  })

  it('that are damaged are as none, with a line in the log', async () => {
    const { port } = open()
    await port.configure({ backend: 'js', threads: 0 })
    writeFileSync(path.join(dir, 'user', 'compute.json'), '{"backend": "abac')
    expect(open().port.settings().kept).toEqual({ backend: 'auto', threads: 0 })
    expect(logged.join('\n')).toMatch(/compute\.json are damaged/)
  })

  it('of several hosts at once are never half of each', async () => {
    const [first, second] = [open(), open()]
    const choices = [
      { backend: 'js', threads: 1 },
      { backend: 'wasm', threads: 2 },
    ] as const
    await Promise.all([first.port.configure(choices[0]), second.port.configure(choices[1])])
    expect(choices).toContainEqual(kept())
    expect(await readdir(path.join(dir, 'user'))).toEqual(['compute.json'])
  })
})

describe('a rung that cannot go on', () => {
  it('is left out: the training is asked again from its beginning, and the user is told', async () => {
    const { port, notices, states } = open()
    const steps: number[] = []
    await port.call('train', training('lost:cuda'), { onProgress: ({ step }) => steps.push(step) })
    expect(steps).toEqual([0, 1, 2, 0, 1, 2])
    expect(port.status()).toMatchObject({ state: 'ready', backend: 'webgpu', restarts: 0, message: null })
    expect(states).not.toContain('restarting')
    expect(starts().map(({ env }) => env.MASKWRIGHT_WITHOUT)).toEqual(['', 'cuda'])
    expect(notices).toHaveLength(1)
    expect(notices[0]).toMatchObject({ level: 'warning' })
    expect(notices[0]?.message).toMatch(
      /^cuda gave up: The cuda device was lost\. Maskwright goes on with webgpu .*lost\./,
    )

    // A choice of the user clears it.
    await port.configure({ backend: 'auto', threads: 0 })
    expect(port.status().backend).toBe('cuda')
  })

  it('is tried again by a fresh check, not by another', async () => {
    const { port } = open()
    await predict(port, 'lost:cuda')
    await port.call('doctor', { fresh: false }).catch(() => undefined)
    expect(port.status().backend).toBe('webgpu')
    await port.call('doctor', { fresh: true }).catch(() => undefined)
    expect(port.status().backend).toBe('cuda')
    expect(starts().at(-1)?.env.MASKWRIGHT_WITHOUT).toBe('')
  })

  it('that the user chose is not insisted on', async () => {
    const { port } = open()
    await port.configure({ backend: 'webgpu', threads: 0 })
    await predict(port, 'lost:webgpu')
    expect(port.status().backend).toBe('cuda')
    expect(starts().at(-1)?.env).toMatchObject({ MASKWRIGHT_BACKEND: 'auto', MASKWRIGHT_WITHOUT: 'webgpu' })
    expect(kept()).toMatchObject({ backend: 'webgpu' })
  })

  it('takes a call along when it is lost on the next one too; the last rung stays', async () => {
    const { port } = open()
    await expect(predict(port, 'lost:all')).rejects.toMatchObject({
      code: 'backend-lost',
      message: 'The webgpu device was lost.',
    })
    await expect.poll(() => port.status().backend, { timeout: 20_000 }).toBe('wasm')
    await expect(predict(port, 'lost:all')).rejects.toMatchObject({ message: 'The js device was lost.' })
    expect(port.status()).toMatchObject({ state: 'ready', backend: 'js' })
    await predict(port, 'work')
  })

  it('does not bring back what was cancelled, and lets what waits for the next one be cancelled at once', async () => {
    const { port } = open({ SCRIPT_START_MS: '400' })
    await predict(port, 'work')
    const [early, late] = [new AbortController(), new AbortController()]
    const cancelled = predict(port, 'wait', early.signal)
    const other = predict(port, 'wait', late.signal)
    const lost = predict(port, 'lost:cuda')
    early.abort()
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' })
    await expect.poll(() => port.status().state, { timeout: 20_000, interval: 5 }).toBe('starting')
    late.abort()
    await expect(other).rejects.toMatchObject({ code: 'cancelled' })
    // Within the start of the next process, not after it.
    expect(port.status().state).toBe('starting')
    await lost
    expect(port.status().backend).toBe('webgpu')
  })

  it('is one of the graphics card that crashes twice in a row', async () => {
    const { port, notices } = open()
    await expect(predict(port, 'crash:cuda')).rejects.toMatchObject({ code: 'compute-crashed' })
    const steps: number[] = []
    await port.call('train', training('crash:cuda'), { onProgress: ({ step }) => steps.push(step) })
    expect(steps).toEqual([0, 1, 2, 0, 1, 2])
    expect(port.status()).toMatchObject({ backend: 'webgpu', restarts: 2, message: null })
    expect(notices.map(({ message }) => message)).toEqual([expect.stringContaining('It crashed twice in a row.')])
  })

  it('is none that worked in between, nor one without a graphics card', async () => {
    const { port } = open()
    await expect(predict(port, 'crash:cuda')).rejects.toMatchObject({ code: 'compute-crashed' })
    await predict(port, 'work')
    await expect(predict(port, 'crash:cuda')).rejects.toMatchObject({ code: 'compute-crashed' })
    await predict(port, 'work')
    expect(port.status().backend).toBe('cuda')
    await port.configure({ backend: 'wasm', threads: 0 })
    for (let time = 0; time < 2; time++) {
      await expect(predict(port, 'crash:wasm')).rejects.toMatchObject({ code: 'compute-crashed' })
    }
    await predict(port, 'work')
    expect(port.status().backend).toBe('wasm')
  })

  it('is what crashes at each start: the safe ones are left then', async () => {
    const { port, notices } = open({ SCRIPT_CRASHING: 'cuda' })
    await expect(predict(port, 'work')).resolves.toMatchObject({ slices: [] })
    expect(starts().map(({ rung }) => rung)).toEqual(['cuda', 'cuda', 'cuda', 'wasm'])
    expect(notices.map(({ message }) => message)).toEqual([expect.stringContaining('goes on with wasm')])
  })
})

describe('the watch', () => {
  it('takes the end of a process that recycles itself for no crash, and asks again what it met', async () => {
    const { port, notices, states } = open()
    await predict(port, 'recycle')
    await expect.poll(() => starts().length, { timeout: 20_000 }).toBe(2)
    await predict(port, 'work')
    expect(port.status()).toMatchObject({ state: 'ready', restarts: 0, message: null })
    expect(states).not.toContain('restarting')
    expect(notices).toEqual([])
  })

  it('asks again what a recycling process did not get to', async () => {
    const { port } = open()
    await predict(port, 'work')
    expect(await predict(port, 'recycle-once')).toEqual({ slices: [], seconds: 2 })
    expect(port.status().restarts).toBe(0)
  })

  it('takes a process for crashed that would recycle itself before it did anything', async () => {
    const { port } = open()
    await expect(predict(port, 'recycle-once')).rejects.toMatchObject({ code: 'compute-crashed' })
    expect(port.status().restarts).toBe(1)
  })

  it('ends a process that holds far more memory than its bound, with a sentence', async () => {
    const { port } = open({ MASKWRIGHT_MEMORY_MB: '150' })
    const messages: (string | null)[] = []
    port.onStatus(({ message }) => messages.push(message))
    await expect(predict(port, 'grow')).rejects.toMatchObject({
      code: 'compute-crashed',
      message: expect.stringContaining('more memory than this computer can spare') as string,
    })
    expect(messages).toContainEqual(expect.stringContaining('more memory than this computer can spare'))
    await predict(port, 'work')
    expect(port.status()).toMatchObject({ state: 'ready', restarts: 1, message: null })
  })

  it('passes over replies to calls that nobody made, and passes on notices', async () => {
    const { port, notices } = open()
    const steps: number[] = []
    const waiting = port.call('train', training('work'), { onProgress: ({ step }) => steps.push(step) })
    await Promise.all([waiting, predict(port, 'garbled')])
    expect(steps).toEqual([0, 1, 2])
    await predict(port, 'notice')
    expect(notices).toEqual([{ level: 'info', message: 'A smaller batch is used.' }])
  })

  it('ends the process with the host, whatever goes on', async () => {
    const { port } = open({ SCRIPT_START_MS: '300' })
    const lost = predict(port, 'lost:cuda')
    await expect.poll(() => starts().length, { timeout: 20_000, interval: 5 }).toBe(2)
    const change = port.close()
    await expect(lost).rejects.toMatchObject({ code: 'cancelled' })
    await change
    await expect(port.configure({ backend: 'js', threads: 0 })).rejects.toMatchObject({ code: 'cancelled' })
    for (const { pid } of starts()) expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })
})
