import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { crashWords, probeWay } from './probe.ts'
import { packagesFolder } from './testing/packages.ts'
import type { PackagesFolder } from './testing/packages.ts'

const MINUTES = 60_000
const entry = path.resolve(import.meta.dirname, '../entry.ts')

let packages: PackagesFolder

beforeEach(() => {
  packages = packagesFolder()
})
afterEach(() => {
  packages.remove()
})

/** A package that says which process it is in, and then never comes back, as a driver may. */
function addHanging(): { pid: () => number | null } {
  const file = path.join(packages.dir, 'pid')
  packages.add(
    '@tensorflow/tfjs-node',
    `require('fs').writeFileSync(${JSON.stringify(file)}, String(process.pid)); for (;;) {}`,
  )
  return { pid: () => (existsSync(file) ? Number(readFileSync(file, 'utf8')) || null : null) }
}

describe('probeWay', () => {
  it(
    'starts, self-tests and times a rung in a child',
    async () => {
      const proof = await probeWay('wasm', { entry, threads: 1 })
      expect(proof).toMatchObject({ ok: true, reason: null, detail: null, selfTest: { ok: true }, threads: 1 })
      expect(proof.stepMs).toBeGreaterThan(0)
      expect(proof.device?.name).toMatch(/\w/)
    },
    MINUTES,
  )

  it(
    'tells of a child that ends without an answer instead of failing',
    async () => {
      const proof = await probeWay('webgpu', {
        entry: path.resolve(import.meta.dirname, 'no-such-script.ts'),
        threads: 1,
      })
      expect(proof.ok).toBe(false)
      expect(proof.reason).toBe('It crashed when it was tried: it ended by itself with exit code 1.')
      expect(proof.remedy).toMatch(/driver\.$/)
      expect(proof.detail).toContain('no-such-script.ts')
    },
    MINUTES,
  )

  it(
    'ends a child that does not answer in time',
    async () => {
      const hanging = addHanging()
      const env = { MASKWRIGHT_PACKAGES: packages.dir }
      const proof = await probeWay('tensorflow', { entry, threads: 1, seconds: 3, env })
      expect(proof).toMatchObject({ ok: false, reason: 'It did not answer within 3 seconds when it was tried.' })
      const pid = hanging.pid()
      // On a very busy machine it may not have come so far.
      if (pid !== null) await expect.poll(() => isRunning(pid), { timeout: 20_000 }).toBe(false)
    },
    MINUTES,
  )

  it('says so where no process can be started, and that another time may do', async () => {
    // Refused before anything is started, as when there is no memory for a process.
    const proof = await probeWay('webgpu', { entry, threads: 1, env: { MASKWRIGHT_STATE: 'a\0b' } })
    expect(proof).toMatchObject({ ok: false, reason: 'It could not be tried.', late: true })
  })

  it(
    'ends the child when it is cancelled',
    async () => {
      const hanging = addHanging()
      const cancel = new AbortController()
      const env = { MASKWRIGHT_PACKAGES: packages.dir }
      const probing = probeWay('tensorflow', { entry, threads: 1, env, signal: cancel.signal })
      await expect.poll(hanging.pid, { timeout: 30_000 }).not.toBeNull()
      cancel.abort()
      expect((await probing).ok).toBe(false)
      await expect.poll(() => isRunning(hanging.pid() ?? 0), { timeout: 20_000 }).toBe(false)
    },
    MINUTES,
  )

  it.skipIf(process.platform === 'win32').each(['SIGTERM', 'SIGKILL'] as const)(
    'leaves no child behind that hangs in a driver, when the compute process ends by %s (not on Windows)',
    async (signal) => {
      const hanging = addHanging()
      const compute = spawn(process.execPath, [entry], {
        stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
        env: { ...process.env, MASKWRIGHT_BACKEND: 'tensorflow', MASKWRIGHT_PACKAGES: packages.dir },
      })
      await expect.poll(hanging.pid, { timeout: 30_000 }).not.toBeNull()
      const pid = hanging.pid() ?? 0
      expect(isRunning(pid)).toBe(true)
      compute.kill(signal)
      await expect.poll(() => isRunning(pid), { timeout: 30_000 }).toBe(false)
    },
    2 * MINUTES,
  )
})

describe('crashWords', () => {
  it('says in plain words how a process ended', () => {
    expect(crashWords(null, 'SIGSEGV')).toBe('its library or driver touched memory that is not its own (SIGSEGV)')
    expect(crashWords(null, 'SIGHUP')).toBe('it was ended by SIGHUP')
    expect(crashWords(3, null)).toBe('it ended by itself with exit code 3')
    expect(crashWords(3_221_225_477, null)).toContain('0xC0000005')
  })
})

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !isDefunct(pid)
  } catch {
    return false
  }
}

/** Ended, but its parent has not looked yet; in a container without an init that may stay so. */
function isDefunct(pid: number): boolean {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
