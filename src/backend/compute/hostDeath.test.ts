import { spawn, type ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const script = path.resolve(import.meta.dirname, '../testing/hostChild.ts')
const PATIENCE = { timeout: 60_000, interval: 20 }

let dir = ''
let host: ChildProcess | null = null
let seen: number[] = []

beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'maskwright-mortal-'))
  seen = []
})
afterEach(async () => {
  host?.kill('SIGKILL')
  for (const pid of seen) if (lives(pid)) process.kill(pid, 'SIGKILL')
  await rm(dir, { recursive: true, force: true })
})

/** Parent and state of a process as Linux tells them; null: it is gone. */
function stat(pid: number): { parent: number; state: string } | null {
  try {
    // "pid (name) state parent …"; the name may hold anything.
    const [state = '', parent = '0'] = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? []
    return { parent: Number(parent), state }
  } catch {
    return null
  }
}

/** An ended process that nobody has taken note of yet (Z) does not live. */
function lives(pid: number): boolean {
  const found = stat(pid)
  return found !== null && found.state !== 'Z' && found.state !== 'X'
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => stat(pid)?.parent === parent && lives(pid))
}

function startHost(work: 'train' | 'probe'): { pid: number; said: () => string } {
  host = spawn(process.execPath, [script, work, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  host.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text))
  return { pid: host.pid ?? 0, said: () => said }
}

describe.skipIf(process.platform !== 'linux')('a host that is killed (Linux, where processes can be counted)', () => {
  it('in the middle of a training takes compute with it', async () => {
    const { pid, said } = startHost('train')
    await expect.poll(said, PATIENCE).toContain('step 2')
    seen = childrenOf(pid)
    expect(seen).toHaveLength(1)
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => seen.filter(lives), PATIENCE).toEqual([])
    expect(readdirSync(dir).filter((name) => name.includes('model'))).toEqual([])
  })

  it('takes compute with it even where that hangs in a driver and does not see its pipe', async () => {
    const { pid, said } = startHost('train')
    await expect.poll(said, PATIENCE).toContain('step 2')
    seen = childrenOf(pid)
    for (const compute of seen) process.kill(compute, 'SIGUSR2')
    await expect.poll(said, PATIENCE).toContain('hanging')
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => seen.filter(lives), PATIENCE).toEqual([])
  })

  it('while a rung is being tried takes compute and the process that tries with it', async () => {
    const { pid, said } = startHost('probe')
    const grandchildren = () => childrenOf(pid).flatMap(childrenOf)
    await expect.poll(() => grandchildren().length, PATIENCE).toBeGreaterThan(0)
    seen = [...childrenOf(pid), ...grandchildren()]
    expect(said()).not.toContain('done')
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => seen.filter(lives), PATIENCE).toEqual([])
  })
})
