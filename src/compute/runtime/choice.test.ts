import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openMemory } from './choice.ts'
import { refused } from './proof.ts'
import type { Memory } from './choice.ts'
import type { Proof } from './proof.ts'

let dir = ''
let lines: string[] = []

beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'maskwright-choice-'))
  lines = []
})
afterEach(() => {
  rmSync(dir, { recursive: true, force: true })
})

const works: Proof = {
  ...{ ok: true, reason: null, remedy: null, detail: null, threads: 2, stepMs: 12.5, late: false },
  selfTest: { ok: true, ms: 80, difference: null },
  device: { name: 'A card', memoryMB: 6138 },
}
const file = () => path.join(dir, 'compute-choice.json')
const open = (folder: string | null = dir): Memory => openMemory(folder, (line) => lines.push(line))
const entry = (proof: Proof, key = 'k') => new Map([['webgpu' as const, { key, proof }]])

describe('openMemory', () => {
  it('gives back at the next start what was found out, under the same keys alone', () => {
    open().remember(entry(works), { key: 'c', way: 'webgpu' })
    const memory = open()
    expect(memory.proof('webgpu', 'k')).toEqual(works)
    expect(memory.proof('webgpu', 'another driver')).toBeNull()
    expect(memory.proof('wasm', 'k')).toBeNull()
    expect(memory.chosen('c')).toBe('webgpu')
    expect(memory.chosen('another')).toBeNull()
    expect(lines).toEqual([])
    expect(readdirSync(dir)).toEqual(['compute-choice.json'])
  })

  it('keeps what another process wrote meanwhile, and the choice where none is made', () => {
    const [one, other] = [open(), open()]
    one.remember(entry(works), { key: 'c', way: 'webgpu' })
    other.remember(new Map([['wasm' as const, { key: 'w', proof: works }]]), undefined)
    const memory = open()
    expect(memory.proof('webgpu', 'k')).toEqual(works)
    expect(memory.proof('wasm', 'w')).toEqual(works)
    expect(memory.chosen('c')).toBe('webgpu')
  })

  it('makes the folder, and writes nothing where nothing is new', () => {
    const folder = path.join(dir, 'of', 'the user')
    open(folder).remember(entry(works), { key: 'c', way: 'webgpu' })
    rmSync(path.join(folder, 'compute-choice.json'))
    open(folder).remember(new Map(), undefined)
    expect(readdirSync(folder)).toEqual([])
  })

  it.each([
    ['is cut off', '{"format":1,"choi'],
    ['is empty', ''],
    ['is something else', '[1,2,3]'],
    ['is of another version', '{"format":1,"choice":null,"proofs":{}}'],
    ['has a wrong field', '{"format":2,"choice":{"key":"c","way":"abacus"},"proofs":{}}'],
    ['has another backend than there are', '{"format":2,"choice":null,"proofs":{"abacus":{}}}'],
    ['has bytes that are no text', '\u0000\u0001'],
  ])('ignores a file that %s, says so once, and writes it anew', (_, text) => {
    writeFileSync(file(), text)
    const memory = open()
    expect([memory.proof('webgpu', 'k'), memory.chosen('c')]).toEqual([null, null])
    expect(lines).toEqual([expect.stringMatching(/compute-choice\.json is damaged or of another version/)])
    memory.remember(entry(works), { key: 'c', way: 'webgpu' })
    expect(open().chosen('c')).toBe('webgpu')
  })

  it('ignores a folder where the file should be, or a file where the folder should be', () => {
    mkdirSync(file())
    open().remember(entry(works), { key: 'c', way: 'webgpu' })
    expect(lines).toEqual([expect.stringContaining('cannot be written')])
    expect(open().chosen('c')).toBeNull()
    expect(readdirSync(dir)).toEqual(['compute-choice.json'])

    writeFileSync(path.join(dir, 'file'), '')
    open(path.join(dir, 'file')).remember(entry(works), { key: 'c', way: 'webgpu' })
    expect(lines).toHaveLength(2)
  })

  it.skipIf(process.platform === 'win32' || process.getuid?.() === 0)(
    'goes on without a folder that must not be written (not for root, who may write everywhere)',
    () => {
      chmodSync(dir, 0o500)
      open().remember(entry(works), { key: 'c', way: 'webgpu' })
      expect(lines).toEqual([expect.stringContaining('cannot be written')])
      chmodSync(dir, 0o700)
    },
  )

  it('remembers nothing without a folder', () => {
    const memory = open(null)
    memory.remember(entry(works), { key: 'c', way: 'webgpu' })
    expect([memory.proof('webgpu', 'k'), memory.chosen('c'), memory.crashedAtStart('webgpu')]).toEqual([
      null,
      null,
      false,
    ])
  })

  it('knows of a start that took its process along', () => {
    const over = open().starting('webgpu')
    // This process is alive: it may still be starting.
    expect(open().crashedAtStart('webgpu')).toBe(false)
    over()
    expect(readdirSync(dir)).toEqual([])

    const marker = path.join(dir, 'compute-starting.json')
    writeFileSync(marker, JSON.stringify({ pid: 2 ** 22 + 1, way: 'webgpu' }))
    expect([open().crashedAtStart('webgpu'), open().crashedAtStart('cuda')]).toEqual([true, false])
    writeFileSync(marker, 'damaged')
    expect(open().crashedAtStart('webgpu')).toBe(false)
  })

  it.each([
    [0, false],
    [7, true],
  ])('takes a process that ended by itself with code %i while it started for crashed: %j', (code, crashed) => {
    const script = `
      import { openMemory } from ${JSON.stringify(path.join(import.meta.dirname, 'choice.ts'))}
      openMemory(${JSON.stringify(dir)}, console.log).starting('webgpu')
      process.exit(${code})`
    spawnSync(process.execPath, ['--input-type=module', '-e', script])
    expect(open().crashedAtStart('webgpu')).toBe(crashed)
  })

  it('starts where it cannot leave a mark', () => {
    writeFileSync(path.join(dir, 'file'), '')
    expect(open(path.join(dir, 'file')).starting('webgpu')).not.toThrow()
  })

  it('keeps refusals with their reason', () => {
    const refusal = refused({ reason: 'No card.', remedy: 'Buy one.', detail: 'ENOENT' })
    open().remember(entry(refusal), undefined)
    expect(open().proof('webgpu', 'k')).toEqual(refusal)
    expect(JSON.parse(readFileSync(file(), 'utf8'))).toMatchObject({ format: 2, choice: null })
  })
})
