import * as tf from '@tensorflow/tfjs-core'
import { NATIVE_BACKEND, NativeBackend } from './backend.ts'
import { setRecorder } from '../runtime/program.ts'
import { readSettings } from '../runtime/settings.ts'
import { registerNativeKernels } from './kernels/index.ts'
import { blockSize } from './lowering/blockSize.ts'
import { nativeRecorder } from './program.ts'
import { createOnnxEngine } from './session/onnxEngine.ts'
import { loadOnnxRuntime } from './session/package.ts'

export interface NativeOptions {
  readonly provider: string
  readonly threads: number
  /** As in findPackage. */
  readonly packagesDir: string | null
  /** Where simplified graphs are kept (session/modelFiles.ts): MASKWRIGHT_STATE unless given; null: nowhere. */
  readonly stateDir?: string | null
  /** See lowering/blockSize.ts; found out unless given. */
  readonly block?: number | null
}

/** Makes the recorder the current backend of TensorFlow.js in this process. Throws RungUnavailable. */
export async function startNative({ packagesDir, ...options }: NativeOptions): Promise<NativeBackend> {
  const { stateDir } = readSettings()
  const runtime = loadOnnxRuntime(packagesDir)
  const block = options.provider === 'cpu' ? await blockSize(runtime) : null
  const backend = new NativeBackend(createOnnxEngine({ runtime, stateDir, block, ...options }))
  registerNativeKernels()
  setRecorder(NATIVE_BACKEND, nativeRecorder(backend, { freezes: options.provider !== 'cpu' }))
  tf.registerBackend(NATIVE_BACKEND, () => backend)
  if (!(await tf.setBackend(NATIVE_BACKEND))) throw new Error('The native backend did not start.')
  return backend
}
