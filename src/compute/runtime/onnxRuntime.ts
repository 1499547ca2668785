import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { nvidiaDevice, processorDevice } from './device.ts'
import { hasNvidiaDriver } from './driver.ts'
import { findPackage } from './optionalPackages.ts'
import { backendName, nativeWay, optionalPackage, waysOfSystem } from './rungs.ts'
import { readFloats } from './tensors.ts'
import { RungUnavailable } from './unavailable.ts'
import { findAdapter, noAdapter } from './webgpuAdapter.ts'
import type { ComputeDevice, Provider } from '../../core/contract/schemas.ts'
import type { FoundPackage } from './optionalPackages.ts'
import type { Refusal } from './unavailable.ts'

const CUDA_LIBRARY = 'libonnxruntime_providers_cuda.so'
const CUDA_NEEDS = 'It needs an NVIDIA graphics card with its driver, CUDA 12 and cuDNN 9.'
const INSTALL_AGAIN = 'Install Maskwright again without leaving out optional packages.'
const DRIVER = "Install or update the graphics card's driver."
const WHAT: Readonly<Record<Provider, string>> = {
  cuda: 'CUDA',
  dml: 'DirectML',
  coreml: 'Core ML',
  webgpu: 'WebGPU',
  cpu: 'this processor',
}

/** What a provider computes on. */
export interface ProviderDevice {
  readonly described: ComputeDevice
  /** No graphics card but a program that computes like one. */
  readonly software: boolean
}

/**
 * Why a provider of ONNX Runtime cannot be used, as far as files tell; null when it may work. Loads nothing, so a broken
 * library cannot do harm.
 */
export function missingOnnxRuntime(
  provider: Provider,
  packagesDir: string | null,
  driver = hasNvidiaDriver(),
): Refusal | null {
  if (!waysOfSystem().includes(nativeWay(provider))) {
    const system = `${process.platform} ${process.arch}`
    return refusal(`ONNX Runtime cannot use ${WHAT[provider]} on this system (${system}).`, null)
  }
  if (provider === 'cuda' && !driver) {
    return refusal('No NVIDIA graphics driver was found on this computer.', CUDA_NEEDS)
  }
  const name = optionalPackage(nativeWay(provider))
  const found = findPackage(name, packagesDir)
  if (found === null) return refusal(`The optional package ${name} is not installed.`, INSTALL_AGAIN)
  const folder = libraryFolder(found)
  if (folder === null) {
    return refusal(`The package ${name} has no library for this system.`, null)
  }
  if (provider === 'cuda' && !existsSync(path.join(folder, CUDA_LIBRARY))) {
    return refusal('The part of ONNX Runtime for CUDA is not installed.', `${cudaDownload(name)} ${CUDA_NEEDS}`)
  }
  return null
}

/** The files that a provider is made of: others make what was proven with them void. */
export function onnxRuntimeFiles(provider: Provider, packagesDir: string | null): string[] {
  const found = findPackage(optionalPackage(nativeWay(provider)), packagesDir)
  const folder = found === null ? null : libraryFolder(found)
  if (folder === null) return []
  const names = readdirSync(folder).sort()
  return names
    .filter((name) => provider === 'cuda' || !name.includes('_providers_'))
    .map((name) => path.join(folder, name))
}

/** The folder of this system's libraries in the package; null where there is none with a binding for Node. */
function libraryFolder({ dir }: FoundPackage): string | null {
  const bin = path.join(dir, 'bin')
  const versions = existsSync(bin) ? readdirSync(bin) : []
  const folders = versions.map((version) => path.join(bin, version, process.platform, process.arch))
  return folders.find((folder) => existsSync(path.join(folder, 'onnxruntime_binding.node'))) ?? null
}

/**
 * What a provider will compute on, before ONNX Runtime is loaded. It tells nobody which graphics card its WebGPU takes;
 * that is the one which our own package of WebGPU (the same library, Dawn) gives for the same wish. Throws RungUnavailable
 * where there is none.
 */
export async function providerDevice(provider: Provider, packagesDir: string | null): Promise<ProviderDevice> {
  const known = (described: ComputeDevice): ProviderDevice => ({ described, software: false })
  const unnamed: ComputeDevice = { name: `graphics device of ${WHAT[provider]}`, memoryMB: null }
  switch (provider) {
    case 'cpu':
    case 'coreml':
      return known(processorDevice())
    case 'cuda':
      return known((await nvidiaDevice()) ?? unnamed)
    case 'dml':
      return known(unnamed)
    case 'webgpu':
      return (await findAdapter(packagesDir)) ?? known(unnamed)
  }
}

/**
 * Loads ONNX Runtime, makes the recorder on this provider the current backend of TensorFlow.js and computes a sum by it.
 * May crash the process where a driver is broken: probe in a child. Throws RungUnavailable; what ran before then runs again.
 */
export async function startOnnxRuntime(provider: Provider, threads: number, packagesDir: string | null): Promise<void> {
  const missing = missingOnnxRuntime(provider, packagesDir)
  if (missing !== null) throw new RungUnavailable(missing.reason, missing.remedy)
  // Undefined before the first one, whatever its type says.
  const before: unknown = tf.getBackend()
  const name = backendName(nativeWay(provider))
  remove(name)
  try {
    // Loaded when it is asked for: nothing of it is in a process that computes otherwise.
    const { startNative } = await import('../native/start.ts')
    await startNative({ provider, threads, packagesDir })
    await computeSum()
  } catch (error) {
    remove(name)
    if (typeof before === 'string' && before !== name) await tf.setBackend(before)
    throw onnxFailure(error, provider)
  }
}

function remove(name: string): void {
  // Null where there is none, whatever its type says.
  const registered: unknown = tf.findBackendFactory(name)
  if (registered !== null) tf.removeBackend(name)
}

/** Only a graph that runs shows that the provider is there. */
async function computeSum(): Promise<void> {
  const sum = tf.tidy(() => tf.add(tf.tensor1d([1, 2]), tf.tensor1d([3, 5])))
  try {
    const [four, seven] = await readFloats(sum)
    if (four !== 4 || seven !== 7) throw new RungUnavailable('It starts, but computes a wrong sum.')
  } finally {
    sum.dispose()
  }
}

/** What ONNX Runtime and the dynamic loader of each system say, in plain words. */
export function onnxFailure(error: unknown, provider: Provider): RungUnavailable {
  if (error instanceof RungUnavailable) return error
  const message = error instanceof Error ? error.message : String(error)
  const options = { detail: error instanceof Error ? (error.stack ?? message) : message, cause: error }
  const name = optionalPackage(nativeWay(provider))
  if (provider === 'cuda') {
    const library = missingCudaLibrary(message)
    if (library !== null) return new RungUnavailable(library, CUDA_NEEDS, options)
    if (/failed to load (shared )?library/i.test(message)) {
      return new RungUnavailable('The part of ONNX Runtime for CUDA does not load.', CUDA_NEEDS, options)
    }
  }
  if (provider === 'webgpu' && message.includes('WebGPU adapter')) return noAdapter()
  const newer = /version [`']([\w.]+)' not found/.exec(message)?.[1]
  if (newer !== undefined) {
    const reason = `The library of ${name} was made for a newer system (${newer}).`
    return new RungUnavailable(reason, 'Update the operating system, or use another backend.', options)
  }
  if (error instanceof Error && 'code' in error && error.code === 'ERR_DLOPEN_FAILED') {
    const reason = `The library of ${name} is damaged or made for another system.`
    return new RungUnavailable(reason, 'Install Maskwright again.', options)
  }
  if (message.includes('no available backend found')) {
    return new RungUnavailable(`This build of ONNX Runtime cannot use ${WHAT[provider]}.`, null, options)
  }
  const remedy = provider === 'cpu' ? null : DRIVER
  return new RungUnavailable(`ONNX Runtime does not start on ${WHAT[provider]}.`, remedy, options)
}

/** The sentence for a library of CUDA that the dynamic loader did not find; null where it says nothing of one. */
export function missingCudaLibrary(text: string): string | null {
  const pattern =
    /(lib(?:cuda|cudart|cudnn|cublas|cufft|curand|cusolver|cusparse|nvrtc)\w*\.so[\w.]*): cannot open shared/
  const library = pattern.exec(text)?.[1]
  return library === undefined ? null : `ONNX Runtime does not find ${library}, a part of CUDA 12 or cuDNN 9.`
}

/** As a refusal for who only read what was printed; null where nothing of CUDA is missing. */
export function cudaLibraryRefusal(printed: string): Refusal | null {
  const reason = missingCudaLibrary(printed)
  return reason === null ? null : refusal(reason, CUDA_NEEDS)
}

function cudaDownload(name: string): string {
  return `"npm rebuild ${name} --ignore-scripts=false" in Maskwright's folder downloads it.`
}

function refusal(reason: string, remedy: string | null): Refusal {
  return { reason, remedy, detail: null }
}
