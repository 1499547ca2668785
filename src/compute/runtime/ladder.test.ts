import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { wireErrorSchema } from '../../core/contract/errors.ts'
import { doctorReportSchema } from '../../core/contract/schemas.ts'
import { openMemory } from './choice.ts'
import { rank } from './ladder.ts'
import { missingOnnxRuntime } from './onnxRuntime.ts'
import { refused } from './proof.ts'
import { ladderParts } from './start.ts'
import { startCompute } from './testing/computeChild.ts'
import { packagesFolder } from './testing/packages.ts'
import type { DoctorReport } from '../../core/contract/schemas.ts'
import type { ComputeChild } from './testing/computeChild.ts'
import type { PackagesFolder } from './testing/packages.ts'
import type { Proof } from './proof.ts'
import type { Way } from '../../core/contract/schemas.ts'

const MINUTES = 60_000

function works(stepMs: number | null): Proof {
  return { ...refused({ reason: '', remedy: null }), ok: true, reason: null, stepMs }
}
const fails = refused({ reason: 'No card.', remedy: null })

describe('rank', () => {
  const order = (proofs: [Way, Proof][]) => rank(new Map(proofs))

  it('takes the fastest that works, not the first', () => {
    expect(
      order([
        ['cuda', fails],
        ['webgpu', works(300)],
        ['wasm', works(100)],
      ]),
    ).toEqual(['wasm', 'webgpu'])
    expect(
      order([
        ['wasm', works(100)],
        ['native-cpu', works(30)],
        ['cuda', works(5)],
        ['native-webgpu', works(12)],
      ]),
    ).toEqual(['cuda', 'native-webgpu', 'native-cpu', 'wasm'])
  })

  it('takes the higher rung where times differ by less than the noise', () => {
    expect(
      order([
        ['wasm', works(100)],
        ['webgpu', works(109)],
      ]),
    ).toEqual(['webgpu', 'wasm'])
    expect(
      order([
        ['webgpu', works(10)],
        ['native-cpu', works(10)],
        ['native-webgpu', works(10)],
      ]),
    ).toEqual(['native-webgpu', 'native-cpu', 'webgpu'])
    expect(
      order([
        ['wasm', works(100)],
        ['webgpu', works(112)],
      ]),
    ).toEqual(['wasm', 'webgpu'])
  })

  it('puts what was not timed behind what was, and js behind all', () => {
    expect(
      order([
        ['js', works(1)],
        ['tensorflow', works(null)],
        ['wasm', works(900)],
      ]),
    ).toEqual(['wasm', 'tensorflow', 'js'])
    expect(order([['wasm', fails]])).toEqual([])
  })
})

describe('a start of the compute process', () => {
  let state = ''
  let packages: PackagesFolder
  const children: ComputeChild[] = []

  beforeEach(() => {
    state = mkdtempSync(path.join(os.tmpdir(), 'maskwright-state-'))
    // What fails the same way on every machine, whatever is installed there.
    packages = packagesFolder()
    packages.add('@tensorflow/tfjs-node', 'throw new Error("not today")')
    packages.add('onnxruntime-node', 'throw new Error("no runtime today")')
    packages.add('webgpu', 'throw new Error("no card today")')
    packages.add('@tensorflow/tfjs-node-gpu', 'throw new Error("no CUDA today")')
  })
  afterEach(async () => {
    await Promise.all(children.splice(0).map((child) => child.end()))
    packages.remove()
    rmSync(state, { recursive: true, force: true })
  })

  function start(env: Record<string, string> = {}): ComputeChild {
    const child = startCompute({ MASKWRIGHT_STATE: state, MASKWRIGHT_PACKAGES: packages.dir, ...env })
    children.push(child)
    return child
  }
  const file = () => path.join(state, 'compute-choice.json')

  it(
    'tries what may be faster, remembers what came of it, and does not try again',
    async () => {
      const first = start()
      expect(await first.call('status')).toMatchObject({ backend: 'wasm', threads: 2, cached: false })
      await first.end()
      const written = readFileSync(file(), 'utf8')
      expect(written).toContain('could not be loaded')

      const second = start()
      expect(await second.call('status')).toMatchObject({ backend: 'wasm', threads: 2, cached: true })
      expect(readFileSync(file(), 'utf8')).toBe(written)

      // Other threads make another choice.
      const third = start({ MASKWRIGHT_THREADS: '1' })
      expect(await third.call('status')).toMatchObject({ backend: 'wasm', threads: 1, cached: false })
    },
    2 * MINUTES,
  )

  it(
    'may happen twice at once',
    async () => {
      const answers = await Promise.all([start(), start()].map((child) => child.call('status')))
      for (const answer of answers) expect(answer).toMatchObject({ backend: 'wasm', cached: false })
      expect(await start().call('status')).toMatchObject({ backend: 'wasm', cached: true })
      expect(readdirSync(state).filter((name) => name.startsWith('compute-'))).toEqual(['compute-choice.json'])
    },
    2 * MINUTES,
  )

  it(
    'tries anew where what is remembered is damaged, or fails now',
    async () => {
      writeFileSync(file(), '{"format":1,"cho')
      const damaged = start()
      expect(await damaged.call('status')).toMatchObject({ backend: 'wasm', cached: false })
      expect(damaged.log()).toContain('is damaged or of another version')
      await damaged.end()

      const settings = { threads: 2, stateDir: state, packagesDir: packages.dir }
      const { ladder } = ladderParts(settings)
      const lies = new Map([['tensorflow' as const, { key: ladder.key('tensorflow'), proof: works(1) }]])
      openMemory(state, () => undefined).remember(lies, { key: ladder.choiceKey(), way: 'tensorflow' })
      const child = start()
      expect(await child.call('status')).toMatchObject({ backend: 'wasm', cached: false })
      expect(openMemory(state, () => undefined).chosen(ladder.choiceKey())).toBe('wasm')
      expect(openMemory(state, () => undefined).proof('tensorflow', ladder.key('tensorflow'))?.ok).toBe(false)
    },
    2 * MINUTES,
  )

  it(
    'refuses what was asked for with reason and remedy, and doctor says so nevertheless',
    async () => {
      const child = start({ MASKWRIGHT_BACKEND: 'tensorflow' })
      const refusal = await child.call('status').catch((error: unknown) => error)
      const { error } = z.object({ error: wireErrorSchema }).parse(refusal)
      expect(error.code).toBe('compute-failed')
      expect(error.message).toMatch(/^The compute backend "tensorflow" was asked for .*npm rebuild.*"auto", .*\.$/)
      expect(error.detail).toContain('not today')
      const report = doctorReportSchema.parse(await child.call('doctor'))
      expect(report).toMatchObject({ chosen: null, cached: false, wanted: { backend: 'tensorflow', threads: 2 } })
      const wasm = report.backends.find(({ name }) => name === 'wasm')
      expect(wasm).toMatchObject({ available: true, selfTest: { ok: true }, remedy: null })
      expect(wasm?.stepMs).toBeGreaterThan(0)
      expect(wasm?.device?.memoryMB).toBeGreaterThan(0)
      const tensorflow = report.backends.find(({ name }) => name === 'tensorflow')
      expect(tensorflow).toMatchObject({ available: false, selfTest: null })
      expect(tensorflow?.remedy).toContain('npm rebuild')
      expect(tensorflow?.detail).toContain('not today')
      for (const { reason } of report.backends) expect(reason).toMatch(/^[A-Z][^\n]*\.$/)
      expect(report.memory.limitMB).toBeGreaterThan(0)

      // All is known now: nothing is tried a second time.
      const again = doctorReportSchema.parse(await child.call('doctor'))
      const times = ({ backends }: DoctorReport) => backends.map(({ stepMs, selfTest }) => [stepMs, selfTest?.ms])
      expect(times(again)).toEqual(times(report))
    },
    2 * MINUTES,
  )

  it(
    'passes over what gave up in this session, and does not take that for this computer',
    async () => {
      const child = start({ MASKWRIGHT_WITHOUT: 'native,webgpu,tensorflow,cuda' })
      expect(await child.call('status')).toMatchObject({ backend: 'wasm', cached: false })
      const { ladder } = ladderParts({ threads: 2, stateDir: state, packagesDir: packages.dir })
      expect(openMemory(state, () => undefined).chosen(ladder.choiceKey())).toBeNull()
      const report = doctorReportSchema.parse(await child.call('doctor'))
      const webgpu = report.backends.find(({ name }) => name === 'webgpu')
      expect(webgpu).toMatchObject({ available: false, reason: 'It gave up in this session and is passed over.' })
      expect(webgpu?.remedy).toMatch(/fresh check/)
    },
    2 * MINUTES,
  )

  it(
    'passes over a native that takes its process along, and does not insist on one that gave up in this session',
    async () => {
      packages.add('onnxruntime-node', 'process.abort()')
      const child = start()
      expect(await child.call('status')).toMatchObject({ backend: 'wasm', provider: null })
      const { ladder } = ladderParts({ threads: 2, stateDir: state, packagesDir: packages.dir })
      const proof = openMemory(state, () => undefined).proof('native-cpu', ladder.key('native-cpu'))
      expect(proof?.reason).toMatch(/^It crashed when it was tried: /)

      const insisting = start({ MASKWRIGHT_BACKEND: 'native' })
      const refusal = await insisting.call('status').catch((error: unknown) => error)
      const { error } = z.object({ error: wireErrorSchema }).parse(refusal)
      expect(error.message).toMatch(/^The compute backend "native" was asked for .* It crashed .*"auto", .*\.$/)

      const without = start({ MASKWRIGHT_BACKEND: 'native', MASKWRIGHT_WITHOUT: 'native-cpu' })
      expect(await without.call('status')).toMatchObject({ backend: 'wasm' })
    },
    2 * MINUTES,
  )

  it.skipIf(missingOnnxRuntime('cpu', null) !== null)(
    'takes a provider of native where that was asked for, and tells each in its own words (skipped without onnxruntime-node)',
    async () => {
      rmSync(path.join(packages.dir, 'node_modules', 'onnxruntime-node'), { recursive: true })
      const single = start({ MASKWRIGHT_BACKEND: 'native-cpu', MASKWRIGHT_WITHOUT: 'native-webgpu' })
      expect(await single.call('status')).toMatchObject({ backend: 'native', provider: 'cpu', threads: 2 })
      await single.end()
      const child = start({ MASKWRIGHT_BACKEND: 'native', MASKWRIGHT_WITHOUT: 'native-webgpu' })
      expect(await child.call('status')).toMatchObject({ backend: 'native', provider: 'cpu', threads: 2 })
      const report = doctorReportSchema.parse(await child.call('doctor'))
      expect(report).toMatchObject({ chosen: 'native', provider: 'cpu' })
      expect(report.versions.onnxruntime).toMatch(/^1\./)
      const native = report.backends.find(({ name }) => name === 'native')
      expect(native).toMatchObject({ available: true, reason: 'In use, 2 threads.', selfTest: { ok: true } })
      const cpu = native?.providers?.find(({ name }) => name === 'cpu')
      expect(cpu).toMatchObject({ available: true, reason: 'In use, 2 threads.', stepMs: native?.stepMs })
      expect(cpu?.stepMs).toBeGreaterThan(0)
      for (const { reason } of native?.providers ?? []) expect(reason).toMatch(/^[A-Z][^\n]*\.$/)
    },
    2 * MINUTES,
  )

  it('takes the last one where all others gave up in this session', async () => {
    const child = start({ MASKWRIGHT_WITHOUT: 'native,webgpu,tensorflow,cuda,wasm' })
    expect(await child.call('status')).toMatchObject({ backend: 'js', threads: 1 })
  })

  it('works without a folder to remember in, or with one that is none', async () => {
    writeFileSync(path.join(state, 'file'), '')
    for (const folder of ['', path.join(state, 'file')]) {
      const child = start({ MASKWRIGHT_STATE: folder, MASKWRIGHT_BACKEND: 'wasm' })
      expect(await child.call('status')).toMatchObject({ backend: 'wasm', cached: false })
    }
  })
})
