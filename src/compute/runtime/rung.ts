import * as tf from '@tensorflow/tfjs-core'
// Registers the gradients of all operations, which under Node tfjs-core alone does not.
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { registerJsKernels } from '../kernels/index.ts'
import { nvidiaDevice, processorDevice } from './device.ts'
import { setDeviceMemory } from './deviceMemory.ts'
import { missingNativeTensorflow, startNativeTensorflow } from './nativeTensorflow.ts'
import { missingOnnxRuntime, providerDevice, startOnnxRuntime } from './onnxRuntime.ts'
import { findPackage } from './optionalPackages.ts'
import { backendName, isForeign, nativeWay, optionalPackage, providerOf } from './rungs.ts'
import { selfTest } from './selfTest.ts'
import { readSettings } from './settings.ts'
import { timeStep } from './timing.ts'
import { asSentence, refusalOf, RungUnavailable } from './unavailable.ts'
import { startWasm } from './wasm.ts'
import type { ComputeDevice, Rung, Way } from '../../core/contract/schemas.ts'
import type { SelfTestResult } from './selfTest.ts'
import type { Refusal } from './unavailable.ts'

export interface StartedRung {
  readonly threads: number
  readonly device: ComputeDevice
  readonly selfTest: SelfTestResult
  /** What is not as it was asked for: one thread instead of several. Null where all is. */
  readonly note: string | null
  /** timing.ts; null unless `timed`. */
  readonly stepMs: number | null
}

export interface StartOptions {
  /** Where optional packages are looked for first; by default as the environment says. */
  readonly packagesDir?: string | null
  /** Measure a training step, which takes about a second on `wasm`. */
  readonly timed?: boolean
  /** Refuse a graphics device that is only software, before the self-test, which takes long on it. */
  readonly hardwareOnly?: boolean
}

type Conditions = Required<Pick<StartOptions, 'packagesDir' | 'hardwareOnly'>>

interface Running {
  readonly threads: number
  readonly device: ComputeDevice
  readonly note?: string
}

/** Not timed, which would take a minute: without a time it comes behind `wasm`, and works where it is asked for. */
const SOFTWARE = 'There is no graphics card here, only software that computes like one, slower than WebAssembly.'

/**
 * Makes a way of computing the current backend of this process and runs the self-test on it. `wasm` that does not work with threads
 * is started again without. A rung that is not ours may take the process along: see probe.ts.
 * Throws RungUnavailable, or what the backend throws, when it cannot start; a failed self-test is not thrown.
 *
 * @param asked - Of the rung `native` alone, its processor.
 */
export async function startRung(asked: Way | Rung, threads: number, options: StartOptions = {}): Promise<StartedRung> {
  const way = asked === 'native' ? nativeWay('cpu') : asked
  const { packagesDir = readSettings().packagesDir, timed = false, hardwareOnly = false } = options
  tf.enableProdMode()
  const started = await startAndTest(way, threads, { packagesDir, hardwareOnly })
  const stepMs = timed && started.selfTest.ok && started.note !== SOFTWARE ? await timeStep(way) : null
  return { ...started, stepMs }
}

async function startAndTest(way: Way, threads: number, options: Conditions): Promise<Omit<StartedRung, 'stepMs'>> {
  const again = keepFactory(way)
  if (way !== 'wasm' || threads <= 1) {
    try {
      const running = await start(way, threads, options)
      return { note: null, ...running, selfTest: await selfTest() }
    } catch (error) {
      again()
      throw error
    }
  }
  const why = await withThreads(threads)
  if (typeof why !== 'string') return why
  again()
  const alone = await startAndTest(way, 1, options)
  return { ...alone, note: `It runs on one thread, since ${threads} did not work: ${why}` }
}

/** `wasm` with threads, or why it does not work so. */
async function withThreads(threads: number): Promise<Omit<StartedRung, 'stepMs'> | string> {
  try {
    const running = await start('wasm', threads, { packagesDir: null, hardwareOnly: false })
    const tested = await selfTest()
    if (!tested.ok) return asSentence(tested.difference ?? 'The self-test failed.')
    const note = running.threads < threads ? `It runs on ${running.threads} of ${threads} threads.` : null
    return { ...running, note, selfTest: tested }
  } catch (error) {
    return refusalOf(error).reason
  }
}

async function start(way: Way, threads: number, { packagesDir, hardwareOnly }: Conditions): Promise<Running> {
  switch (way) {
    case 'js':
      await tf.setBackend('cpu')
      registerJsKernels()
      return { threads: 1, device: processorDevice() }
    case 'wasm':
      return { threads: await startWasm(threads), device: processorDevice() }
    case 'webgpu': {
      // Loaded when it is asked for: nothing of Dawn is in a process that computes otherwise.
      const { startWebgpu } = await import('./webgpu.ts')
      const { device, software } = await startWebgpu(packagesDir)
      if (software && hardwareOnly) throw new RungUnavailable(SOFTWARE, null, { late: true })
      return { threads: 1, device, ...(software ? { note: SOFTWARE } : {}) }
    }
    case 'tensorflow':
      await startNativeTensorflow(way, packagesDir)
      return { threads, device: processorDevice() }
    case 'cuda':
      await startNativeTensorflow(way, packagesDir)
      return { threads, device: (await nvidiaDevice()) ?? { name: 'NVIDIA graphics card', memoryMB: null } }
    case 'native-cpu':
    case 'native-webgpu':
    case 'native-cuda':
    case 'native-dml':
    case 'native-coreml': {
      const provider = providerOf(way) ?? 'cpu'
      const { described, software } = await providerDevice(provider, packagesDir)
      if (software && hardwareOnly) throw new RungUnavailable(SOFTWARE, null, { late: true })
      await startOnnxRuntime(provider, threads, packagesDir)
      setDeviceMemory(described.memoryMB)
      const used = provider === 'cpu' ? threads : 1
      return { threads: used, device: described, ...(software ? { note: SOFTWARE } : {}) }
    }
  }
}

/** Why a way cannot be used, as far as files tell: nothing of it is loaded. Null where it must be tried. */
export function missingByFiles(way: Way, packagesDir: string | null): Refusal | null {
  const provider = providerOf(way)
  if (provider !== null) return missingOnnxRuntime(provider, packagesDir)
  if (way === 'cuda' || way === 'tensorflow') return missingNativeTensorflow(way, packagesDir)
  if (!isForeign(way) || findPackage(optionalPackage(way), packagesDir) !== null) return null
  const reason = `The optional package ${optionalPackage(way)} is not installed.`
  return { reason, remedy: 'Install Maskwright again without leaving out optional packages.', detail: null }
}

/** Lets a backend be started anew, with other flags, after a failed start. */
function keepFactory(way: Way): () => void {
  const name = backendName(way)
  const factory = tf.findBackendFactory(name)
  return () => {
    // Null where there is none, whatever its type says.
    const now: unknown = tf.findBackendFactory(name)
    if (now !== null) tf.removeBackend(name)
    if (typeof factory === 'function') tf.registerBackend(name, factory)
  }
}
