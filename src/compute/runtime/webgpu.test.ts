import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { runChild, swiftshaderEnv, WITHOUT_SWIFTSHADER } from '../testing/swiftshader.ts'
import { deviceName, isSoftware, missingLimit } from './webgpuAdapter.ts'
import type { AdapterInfo } from './webgpuAdapter.ts'

const env = swiftshaderEnv()
const MINUTES = 60_000
const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern)
const containing = (text: string): unknown => expect.stringContaining(text)
const lost = { code: 'backend-lost', lost: true, memory: false }
const destroyed = { ...lost, detail: containing('destroyed') }

async function failure(name: string, change: NodeJS.ProcessEnv = {}): Promise<unknown> {
  const script = path.join(import.meta.dirname, 'testing/webgpuFailureChild.ts')
  const { messages, code, signal, stderr } = await runChild(script, [name], { ...env, ...change })
  expect({ code, signal, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, signal: null, stderr: '' })
  return messages[0]
}

describe('graphics devices', () => {
  const card: AdapterInfo = {
    vendor: 'nvidia',
    architecture: 'ampere',
    device: 'nvidia-geforce-rtx-3060',
    description: 'NVIDIA: 550.54.14',
  }

  it('are called by their names, and software by what it is', () => {
    expect(deviceName(card)).toBe('NVIDIA GeForce RTX 3060')
    expect(deviceName({ ...card, device: '' })).toBe('nvidia')
    const llvmpipe = { ...card, vendor: 'mesa', architecture: '', device: 'llvmpipe-llvm-15.0.6-256-bits' }
    expect(deviceName(llvmpipe)).toBe('Llvmpipe LLVM 15.0.6 256 Bits (software, no graphics card)')
    expect([card, llvmpipe, { ...card, isFallbackAdapter: true }].map(isSoftware)).toEqual([false, true, true])
  })

  it('that are too small are refused with what they lack', () => {
    const limits = {
      ...{ maxBufferSize: 2 ** 30, maxStorageBufferBindingSize: 2 ** 30, maxStorageBuffersPerShaderStage: 10 },
      ...{ maxComputeWorkgroupStorageSize: 2 ** 15, maxComputeInvocationsPerWorkgroup: 1024 },
      ...{ maxComputeWorkgroupSizeX: 1024, maxComputeWorkgroupsPerDimension: 65535 },
    }
    expect(missingLimit(limits)).toBeNull()
    expect(missingLimit({ ...limits, maxStorageBuffersPerShaderStage: 4 })).toBe(
      'its maxStorageBuffersPerShaderStage is 4 instead of 8 or more',
    )
  })
})

describe.skipIf(env === null)(`what is missing for webgpu (else: ${WITHOUT_SWIFTSHADER})`, () => {
  it('is said in a sentence with a remedy: a driver', async () => {
    expect(await failure('start', { VK_ICD_FILENAMES: '/nowhere/driver.json' })).toMatchObject({
      name: 'RungUnavailable',
      message: 'No graphics card with a Vulkan driver was found.',
      remedy: matching(/^Install .*\.$/),
    })
  })

  // Where the system has the loader, it cannot be hidden from a process.
  it.skipIf(env?.LD_LIBRARY_PATH === undefined)('the Vulkan loader', async () => {
    expect(await failure('start', { LD_LIBRARY_PATH: '' })).toMatchObject({
      message: 'The library libvulkan.so.1 is missing, by which graphics cards are reached.',
      remedy: matching(/libvulkan1.*\.$/),
    })
  })

  it('the package', async () => {
    expect(await failure('no-package')).toMatchObject({
      message: 'The optional package webgpu is not installed.',
      remedy: matching(/\.$/),
    })
  })

  it('a library that fits this system', async () => {
    const dir = await mkdtemp(path.join(os.tmpdir(), 'maskwright-webgpu-'))
    try {
      const own = path.join(dir, 'node_modules/webgpu')
      await mkdir(own, { recursive: true })
      await writeFile(path.join(own, 'package.json'), '{ "name": "webgpu", "version": "0.0.0", "main": "index.js" }')
      await writeFile(path.join(own, 'index.js'), 'throw new Error("GLIBC_9.99 not found")')
      expect(await failure('start', { TEST_PACKAGES: dir })).toMatchObject({
        message: matching(/^The library of the package webgpu cannot be loaded on this system \(.*\)\.$/),
        remedy: matching(/\.$/),
      })
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  })
})

describe.skipIf(env === null)(`failures of webgpu (else: ${WITHOUT_SWIFTSHADER})`, () => {
  it(
    'a device that is lost in a training ends it, and everything after it',
    async () => {
      expect(await failure('lost-in-training')).toMatchObject({ first: destroyed, again: destroyed, told: 1 })
    },
    2 * MINUTES,
  )

  it(
    'a device that is lost in a prediction gives no mask',
    async () => {
      expect(await failure('lost-in-prediction')).toMatchObject({ before: 6, first: destroyed, again: destroyed })
    },
    2 * MINUTES,
  )

  it(
    'a tensor larger than the adapter takes is refused before anything is allocated',
    async () => {
      const result = await failure('too-large')
      expect(result).toMatchObject({ thrown: { memory: true, lost: false }, asked: 0, sum: 10_000 })
      expect(result).toMatchObject({
        thrown: { message: matching(/^A piece of 1025 MB .*\(1024 MB\)\.$/) },
      })
    },
    MINUTES,
  )

  it(
    'memory that runs out is told from all else, and the work with what there is goes on',
    async () => {
      const result = await failure('out-of-memory')
      expect(result).toMatchObject({ before: 1000, thrown: { memory: true, lost: false }, left: 0 })
      // What had been allocated before is as it was.
      expect(result).toMatchObject({ each: 1000 })
    },
    MINUTES,
  )

  it(
    'an operation that the driver refuses ends the rung instead of giving zeros',
    async () => {
      const refused = { ...lost, detail: containing('GPUValidationError') }
      expect(await failure('invalid')).toMatchObject({ first: refused, again: refused, told: 1 })
    },
    MINUTES,
  )

  it(
    'values cannot be read at once, which is said',
    async () => {
      expect(await failure('read-at-once')).toMatchObject({ message: containing('asynchronously') })
    },
    MINUTES,
  )

  it(
    'a rung that was given up can be started again',
    async () => {
      expect(await failure('restart')).toEqual({ first: 8, reason: 'destroyed', second: 9 })
    },
    MINUTES,
  )

  it(
    'a process that ends in the middle of its work does not crash',
    async () => {
      const script = path.join(import.meta.dirname, 'testing/webgpuFailureChild.ts')
      const ends = await Promise.all(['exit', 'uncaught'].map((name) => runChild(script, [name], env ?? {})))
      expect(ends.map(({ code, signal }) => ({ code, signal }))).toEqual([
        { code: 7, signal: null },
        { code: 1, signal: null },
      ])
    },
    MINUTES,
  )
})
