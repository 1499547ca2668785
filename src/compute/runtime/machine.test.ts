import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { nvidiaDevice, parseNvidia, processorDevice, processorName } from './device.ts'
import { fileFacts, graphicsDriver } from './driver.ts'
import { proofKey } from './proof.ts'
import { readSettings } from './settings.ts'
import { containerQuota, threadCount, usableCores } from './threads.ts'
import { refusalOf, refusalText, RungUnavailable } from './unavailable.ts'
import { versions } from './versions.ts'

describe('readSettings', () => {
  it('takes the environment, and arguments before it', () => {
    const env = {
      MASKWRIGHT_BACKEND: 'webgpu',
      MASKWRIGHT_THREADS: '3',
      MASKWRIGHT_STATE: '/home/user/state',
      MASKWRIGHT_WITHOUT: 'webgpu, cuda,abacus,',
      MASKWRIGHT_MEMORY_MB: '2048',
      MASKWRIGHT_PACKAGES: '/opt/packages',
    }
    expect(readSettings(env)).toEqual({
      backend: 'webgpu',
      threads: 3,
      stateDir: path.resolve('/home/user/state'),
      without: ['webgpu', 'cuda'],
      memoryMB: 2048,
      packagesDir: path.resolve('/opt/packages'),
    })
    expect(readSettings(env, { backend: 'js', threads: '1' })).toMatchObject({ backend: 'js', threads: 1 })
  })

  it('does not take what makes no sense', () => {
    const nothing = { backend: 'auto', threads: 0, stateDir: null, without: [], memoryMB: null, packagesDir: null }
    expect(readSettings({})).toEqual(nothing)
    const env = { MASKWRIGHT_BACKEND: '', MASKWRIGHT_THREADS: '-2', MASKWRIGHT_MEMORY_MB: 'much', MASKWRIGHT_STATE: '' }
    expect(readSettings(env)).toEqual(nothing)
  })
})

describe('threads', () => {
  it('are as many as there are cores, at most 8, or as many as asked for', () => {
    expect([1, 2, 6, 8, 64].map((cores) => threadCount(0, cores))).toEqual([1, 2, 6, 8, 8])
    expect([1, 4, 100].map((asked) => threadCount(asked, 2))).toEqual([1, 4, 8])
    expect(usableCores()).toBeGreaterThanOrEqual(1)
    expect(usableCores()).toBeLessThanOrEqual(os.availableParallelism())
  })

  it('keep to the share of a container', () => {
    const files = (found: Record<string, string>) => (file: string) => found[path.basename(file)] ?? null
    expect(containerQuota(files({ 'cpu.max': '150000 100000\n' }))).toBe(1.5)
    expect(containerQuota(files({ 'cpu.max': 'max 100000\n' }))).toBeNull()
    expect(containerQuota(files({ 'cpu.cfs_quota_us': '200000\n', 'cpu.cfs_period_us': '100000\n' }))).toBe(2)
    expect(containerQuota(files({ 'cpu.cfs_quota_us': '-1\n', 'cpu.cfs_period_us': '100000\n' }))).toBeNull()
    expect(containerQuota(files({}))).toBeNull()
  })
})

describe('devices', () => {
  it('have the names that people know', () => {
    expect(processorName('Intel(R) Core(TM) i5-8250U CPU @ 1.60GHz')).toBe('Intel Core i5-8250U')
    expect(processorName('AMD Ryzen 7 5800X 8-Core Processor')).toBe('AMD Ryzen 7 5800X 8-Core')
    expect(processorName('unknown')).toBe(`${os.arch()} processor`)
    expect(processorName('')).toBe(`${os.arch()} processor`)
    expect(processorDevice().memoryMB).toBeGreaterThan(100)
  })

  it('come from the NVIDIA tool', () => {
    expect(parseNvidia('NVIDIA RTX A2000, 6138 MiB\nNVIDIA T4, 15360 MiB\n')).toEqual({
      name: 'NVIDIA RTX A2000',
      memoryMB: 6138,
    })
    expect(parseNvidia('NVIDIA GB10, [N/A]\n')).toEqual({ name: 'NVIDIA GB10', memoryMB: null })
    expect(parseNvidia('No devices were found\n')).toBeNull()
    expect(parseNvidia('')).toBeNull()
  })

  it('are none where the tool is not there', async () => {
    expect(await nvidiaDevice(path.join(os.tmpdir(), 'no-such-tool'))).toBeNull()
  })
})

describe('the key of a proof', () => {
  it('changes with the driver, without loading it', () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'maskwright-driver-'))
    try {
      const manifest = path.join(dir, 'card_icd.json')
      writeFileSync(manifest, '{}')
      const env = { VK_ICD_FILENAMES: manifest }
      const before = graphicsDriver(env)
      expect(graphicsDriver(env)).toBe(before)
      utimesSync(manifest, 1000, 1000)
      if (process.platform === 'linux') expect(graphicsDriver(env)).not.toBe(before)
      expect(fileFacts(manifest)).toBe(`${manifest} 2 1000000`)
      expect(fileFacts(path.join(dir, 'none'))).toBe(path.join(dir, 'none'))
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })

  it('differs by rung and by thread count, and is the same again', () => {
    const keys = [proofKey('wasm', 1, null), proofKey('wasm', 2, null), proofKey('webgpu', 1, null)]
    expect(new Set(keys).size).toBe(3)
    expect(proofKey('wasm', 1, null)).toBe(keys[0])
    expect(proofKey('webgpu', 2, null)).toBe(keys[2])
  })
})

describe('versions', () => {
  it('name this program and what it computes with', () => {
    const found = versions(null)
    expect(found.maskwright).toMatch(/^\d+\.\d+\.\d+/)
    expect(found.node).toBe(process.versions.node)
    expect(found['tfjs-core']).toMatch(/^4\./)
  })
})

describe('refusals', () => {
  it('are sentences, whatever was thrown', () => {
    const told = new RungUnavailable('No card.', 'Buy one.', { detail: 'ENOENT' })
    expect(refusalOf(told)).toMatchObject({ reason: 'No card.', remedy: 'Buy one.', detail: 'ENOENT' })
    expect(refusalText(refusalOf(told))).toBe('No card. Buy one.')
    expect(refusalOf(new Error('abort(12)\n at x'))).toMatchObject({ reason: 'Abort(12).', remedy: null })
    expect(refusalOf('gone').reason).toBe('Gone.')
    expect(refusalOf(new Error('')).reason).toMatch(/^[A-Z].*\.$/)
  })
})
