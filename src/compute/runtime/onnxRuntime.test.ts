import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { missingOnnxRuntime, onnxFailure, onnxRuntimeFiles } from './onnxRuntime.ts'
import { proofKey } from './proof.ts'
import { isUsable, waysOf, waysOfSystem, WAYS } from './rungs.ts'
import { packagesFolder } from './testing/packages.ts'
import { RungUnavailable } from './unavailable.ts'
import type { PackagesFolder } from './testing/packages.ts'

const SENTENCE = /^[A-Z].*\.$/
const LINUX = process.platform === 'linux' && process.arch === 'x64'

let packages: PackagesFolder
beforeEach(() => {
  packages = packagesFolder()
})
afterEach(() => {
  packages.remove()
})

const libraries = () =>
  path.join(packages.dir, 'node_modules', 'onnxruntime-node', 'bin', 'napi-v6', process.platform, process.arch)

describe('ways of computing', () => {
  it('are the rungs, and the providers of native highest of all', () => {
    expect(WAYS).toEqual([
      ...['native-cuda', 'native-dml', 'native-coreml', 'native-webgpu', 'native-cpu'],
      ...['cuda', 'webgpu', 'tensorflow', 'wasm', 'js'],
    ])
    expect(waysOf('native')).toHaveLength(5)
    expect([waysOf('native-dml'), waysOf('cuda'), waysOf('abacus')]).toEqual([['native-dml'], ['cuda'], []])
    expect(['native', 'native-cpu', 'wasm', 'auto', 'cpu'].map(isUsable)).toEqual([true, true, true, false, false])
  })

  it.each([
    ['linux', 'x64', ['cuda', 'webgpu', 'cpu']],
    ['linux', 'arm64', ['cpu']],
    ['win32', 'x64', ['dml', 'webgpu', 'cpu']],
    ['darwin', 'arm64', ['coreml', 'webgpu', 'cpu']],
  ])('of %s %s are those that the package has', (platform, arch, providers) => {
    const ways = waysOfSystem(platform, arch)
    expect(ways.filter((way) => way.startsWith('native-'))).toEqual(providers.map((name) => `native-${name}`))
    expect(ways.slice(providers.length)).toEqual(['cuda', 'webgpu', 'tensorflow', 'wasm', 'js'])
  })
})

describe('what files tell of ONNX Runtime', () => {
  it('is a sentence where there is no library for this system', () => {
    packages.add('onnxruntime-node', '')
    expect(missingOnnxRuntime('cpu', packages.dir)).toBeNull()
    rmSync(libraries(), { recursive: true })
    expect(missingOnnxRuntime('cpu', packages.dir)?.reason).toBe(
      'The package onnxruntime-node has no library for this system.',
    )
    rmSync(path.dirname(path.dirname(libraries())), { recursive: true })
    expect(missingOnnxRuntime('cpu', packages.dir)?.reason).toMatch(/no library for this system/)
  })

  it.runIf(LINUX)('says what CUDA lacks, the driver before the library (Linux on x64, which alone may have it)', () => {
    packages.add('onnxruntime-node', '')
    expect(missingOnnxRuntime('cuda', packages.dir, false)?.reason).toMatch(/No NVIDIA graphics driver/)
    const refusal = missingOnnxRuntime('cuda', packages.dir, true)
    expect(refusal?.reason).toBe('The part of ONNX Runtime for CUDA is not installed.')
    expect(refusal?.remedy).toMatch(/npm rebuild onnxruntime-node.*CUDA 12/)
    writeFileSync(path.join(libraries(), 'libonnxruntime_providers_cuda.so'), '')
    expect(missingOnnxRuntime('cuda', packages.dir, true)).toBeNull()
  })

  it.runIf(LINUX)('says that a provider is none of this system (Linux)', () => {
    expect(missingOnnxRuntime('dml', null)?.reason).toBe('ONNX Runtime cannot use DirectML on this system (linux x64).')
  })

  it('makes a proof void when the library is another', () => {
    packages.add('onnxruntime-node', '')
    const keys = (['native-cpu', 'native-webgpu', 'native-cuda', 'wasm'] as const).map((way) => () => {
      return proofKey(way, 2, packages.dir)
    })
    const before = keys.map((key) => key())
    expect(new Set(before).size).toBe(4)
    expect(keys.map((key) => key())).toEqual(before)
    expect(proofKey('native-webgpu', 1, packages.dir)).toBe(before[1])
    expect(proofKey('native-cpu', 1, packages.dir)).not.toBe(before[0])
    const changed = () => keys.map((key, at) => key() !== before[at])
    // What CUDA needs beside it is no matter of the others.
    mkdirSync(libraries(), { recursive: true })
    writeFileSync(path.join(libraries(), 'libonnxruntime_providers_cuda.so'), '')
    expect(changed()).toEqual([false, false, true, false])
    writeFileSync(path.join(libraries(), 'libonnxruntime.so.1'), 'another one')
    expect(changed()).toEqual([true, true, true, false])
    expect(onnxRuntimeFiles('cpu', packages.dir).map((file) => path.basename(file))).toEqual([
      'libonnxruntime.so.1',
      'onnxruntime_binding.node',
    ])
  })
})

describe('what ONNX Runtime throws', () => {
  const fails = (message: string, provider: Parameters<typeof onnxFailure>[1], code?: string) =>
    onnxFailure(Object.assign(new Error(message), code === undefined ? {} : { code }), provider)

  it.each([
    [
      'Failed to load library libonnxruntime_providers_cuda.so with error: libcublasLt.so.12: cannot open shared object file: No such file or directory',
      'cuda',
      'ONNX Runtime does not find libcublasLt.so.12, a part of CUDA 12 or cuDNN 9.',
    ],
    [
      'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library',
      'cuda',
      'The part of ONNX Runtime for CUDA does not load.',
    ],
    [
      'no available backend found. ERR: [dml] backend not found.',
      'dml',
      'This build of ONNX Runtime cannot use DirectML.',
    ],
    [
      "/lib/libm.so.6: version `GLIBC_2.38' not found",
      'cpu',
      'The library of onnxruntime-node was made for a newer system (GLIBC_2.38).',
    ],
    ['webgpu_context.cc:136 something else', 'webgpu', 'ONNX Runtime does not start on WebGPU.'],
  ] as const)('is a sentence with what it said itself: %s', (message, provider, reason) => {
    const failure = fails(message, provider)
    expect(failure.message).toBe(reason)
    expect(failure.detail).toContain(message)
    if (failure.remedy !== null) expect(failure.remedy).toMatch(SENTENCE)
  })

  it('names a damaged library, a missing card, and leaves what is a sentence', () => {
    expect(fails('x.node: invalid ELF header', 'cpu', 'ERR_DLOPEN_FAILED').message).toMatch(/is damaged/)
    expect(fails('Failed to get a WebGPU adapter: No supported adapters', 'webgpu').message).toMatch(/graphics card/)
    const own = new RungUnavailable('No.', 'Yes.')
    expect(onnxFailure(own, 'cpu')).toBe(own)
  })
})
