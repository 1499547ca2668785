import * as tf from '@tensorflow/tfjs-core'
// Registers the gradients of all operations, which under Node tfjs-core alone does not.
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { registerJsKernels } from '../kernels/index.ts'
import { nvidiaDevice, processorDevice } from './device.ts'
import { missingNativeTensorflow, startNativeTensorflow } from './nativeTensorflow.ts'
import { findPackage } from './optionalPackages.ts'
import { BACKEND_NAMES, isForeign, OPTIONAL_PACKAGES } from './rungs.ts'
import { selfTest } from './selfTest.ts'
import { readSettings } from './settings.ts'
import { timeStep } from './timing.ts'
import { asSentence, refusalOf, RungUnavailable } from './unavailable.ts'
import { startWasm } from './wasm.ts'
import type { ComputeDevice } from '../../core/contract/schemas.ts'
import type { UsableRung } from './rungs.ts'
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
 * Makes a rung the current backend of this process and runs the self-test on it. `wasm` that does not work with threads
 * is started again without. A rung that is not ours may take the process along: see probe.ts.
 * Throws RungUnavailable, or what the backend throws, when it cannot start; a failed self-test is not thrown.
 */
export async function startRung(rung: UsableRung, threads: number, options: StartOptions = {}): Promise<StartedRung> {
  const { packagesDir = readSettings().packagesDir, timed = false, hardwareOnly = false } = options
  tf.enableProdMode()
  const started = await startAndTest(rung, threads, { packagesDir, hardwareOnly })
  const stepMs = timed && started.selfTest.ok && started.note !== SOFTWARE ? await timeStep(rung) : null
  return { ...started, stepMs }
}

async function startAndTest(
  rung: UsableRung,
  threads: number,
  options: Conditions,
): Promise<Omit<StartedRung, 'stepMs'>> {
  const again = keepFactory(rung)
  if (rung !== 'wasm' || threads <= 1) {
    try {
      const running = await start(rung, threads, options)
      return { note: null, ...running, selfTest: await selfTest() }
    } catch (error) {
      again()
      throw error
    }
  }
  const why = await withThreads(threads)
  if (typeof why !== 'string') return why
  again()
  const alone = await startAndTest(rung, 1, options)
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

async function start(rung: UsableRung, threads: number, { packagesDir, hardwareOnly }: Conditions): Promise<Running> {
  switch (rung) {
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
      await startNativeTensorflow(rung, packagesDir)
      return { threads, device: processorDevice() }
    case 'cuda':
      await startNativeTensorflow(rung, packagesDir)
      return { threads, device: (await nvidiaDevice()) ?? { name: 'NVIDIA graphics card', memoryMB: null } }
  }
}

/** Why a rung cannot be used, as far as files tell: nothing of it is loaded. Null where it must be tried. */
export function missingByFiles(rung: UsableRung, packagesDir: string | null): Refusal | null {
  if (rung === 'cuda' || rung === 'tensorflow') return missingNativeTensorflow(rung, packagesDir)
  if (!isForeign(rung) || findPackage(OPTIONAL_PACKAGES[rung], packagesDir) !== null) return null
  const reason = `The optional package ${OPTIONAL_PACKAGES[rung]} is not installed.`
  return { reason, remedy: 'Install Maskwright again without leaving out optional packages.', detail: null }
}

/** Lets a backend be started anew, with other flags, after a failed start. */
function keepFactory(rung: UsableRung): () => void {
  const name = BACKEND_NAMES[rung]
  const factory = tf.findBackendFactory(name)
  return () => {
    // Null where there is none, whatever its type says.
    const now: unknown = tf.findBackendFactory(name)
    if (now !== null) tf.removeBackend(name)
    if (typeof factory === 'function') tf.registerBackend(name, factory)
  }
}
