import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { userDataDir } from '../backend/host/places.ts'
import { withComputeProcess, type ComputeOptions } from './compute.ts'
import { Output } from './output.ts'

let dir = ''
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'maskwright-cli-compute-'))
  vi.stubEnv('XDG_DATA_HOME', dir)
  vi.stubEnv('LOCALAPPDATA', dir)
  vi.stubEnv('HOME', dir)
  vi.stubEnv('MASKWRIGHT_BACKEND', '')
  vi.stubEnv('MASKWRIGHT_THREADS', '')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(dir, { recursive: true, force: true })
})

async function runs(options: Partial<ComputeOptions>): Promise<{ backend: string; threads: number }> {
  const all = { json: true, seed: 1, ...options }
  const work = withComputeProcess(all, new Output(all), (compute, signal) => compute.call('status', {}, { signal }))
  const { backend, threads } = await work
  return { backend, threads }
}

describe('what a command computes with', () => {
  it('is what was chosen for this computer, unless the environment or the command line says otherwise', async () => {
    const path = join(userDataDir(), 'compute.json')
    await mkdir(userDataDir(), { recursive: true })
    await writeFile(path, '{"backend":"js","threads":2}')
    expect(await runs({})).toMatchObject({ backend: 'js' })
    vi.stubEnv('MASKWRIGHT_BACKEND', 'wasm')
    expect(await runs({})).toEqual({ backend: 'wasm', threads: 2 })
    expect(await runs({ threads: 1 })).toEqual({ backend: 'wasm', threads: 1 })
    vi.stubEnv('MASKWRIGHT_BACKEND', 'js')
    expect(await runs({ backend: 'wasm' })).toMatchObject({ backend: 'wasm' })
    // A command changes nothing of it.
    expect(await readFile(path, 'utf8')).toBe('{"backend":"js","threads":2}')
  })
})

describe('a compute process that is killed', () => {
  it.skipIf(process.platform !== 'linux')('ends the command with what to do, and is not called restarted', async () => {
    const options = { json: true, seed: 1, backend: 'js' }
    const killed = (words?: Parameters<typeof withComputeProcess>[3]) =>
      withComputeProcess(
        options,
        new Output(options),
        async (compute, signal) => {
          await compute.call('status', {}, { signal })
          const asked = compute.call('doctor', { fresh: true }, { signal })
          const children = await readFile(`/proc/self/task/${process.pid}/children`, 'utf8')
          for (const pid of children.trim().split(' ')) {
            const line = await readFile(`/proc/${pid}/cmdline`, 'utf8')
            if (line.includes('compute')) process.kill(Number(pid), 'SIGKILL')
          }
          await asked
        },
        words,
      )
    await expect(killed()).rejects.toThrow(/; try again or with another --backend/)
    const stopped = () => 'It stopped; --resume goes on.'
    await expect(killed({ interrupted: () => '', stopped })).rejects.toThrow('It stopped; --resume goes on.')
  })
})
