import * as tf from '@tensorflow/tfjs-core'
import { NATIVE_BACKEND, NativeBackend } from './backend.ts'
import { setRecorder } from '../runtime/program.ts'
import { registerNativeKernels } from './kernels/index.ts'
import { nativeRecorder } from './program.ts'
import { createOnnxEngine } from './session/onnxEngine.ts'
import { loadOnnxRuntime } from './session/package.ts'

export interface NativeOptions {
  readonly provider: string
  readonly threads: number
  /** As in findPackage. */
  readonly packagesDir: string | null
}

/** Makes the recorder the current backend of TensorFlow.js in this process. Throws RungUnavailable. */
export async function startNative({ provider, threads, packagesDir }: NativeOptions): Promise<NativeBackend> {
  const backend = new NativeBackend(createOnnxEngine({ runtime: loadOnnxRuntime(packagesDir), provider, threads }))
  registerNativeKernels()
  setRecorder(NATIVE_BACKEND, nativeRecorder(backend))
  tf.registerBackend(NATIVE_BACKEND, () => backend)
  if (!(await tf.setBackend(NATIVE_BACKEND))) throw new Error('The native backend did not start.')
  return backend
}
