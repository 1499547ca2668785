import * as tf from '@tensorflow/tfjs-core'
// Registers the gradients of all operations, which under Node tfjs-core alone does not.
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { registerJsKernels } from '../kernels/index.ts'
import { missingNativeTensorflow, startNativeTensorflow } from './nativeTensorflow.ts'
import { NATIVE_PACKAGES } from './rungs.ts'
import { selfTest } from './selfTest.ts'
import { startWasm } from './wasm.ts'
import type { UsableRung } from './rungs.ts'
import type { SelfTestResult } from './selfTest.ts'

export interface StartedRung {
  readonly threads: number
  readonly selfTest: SelfTestResult
}

/** Starts a rung in this process and runs the self-test on it. Throws when it cannot start. */
export async function startRung(rung: UsableRung, threads: number): Promise<StartedRung> {
  tf.enableProdMode()
  const running = await start(rung, threads)
  return { threads: running, selfTest: await selfTest() }
}

async function start(rung: UsableRung, threads: number): Promise<number> {
  if (rung === 'wasm') return await startWasm(threads)
  if (rung === 'js') {
    await tf.setBackend('cpu')
    registerJsKernels()
    return 1
  }
  const packageName = NATIVE_PACKAGES[rung]
  if (packageName === undefined) throw new Error(`The rung ${rung} has no package.`)
  const missing = missingNativeTensorflow(packageName)
  if (missing !== null) throw new Error(missing)
  await startNativeTensorflow(packageName)
  return threads
}
