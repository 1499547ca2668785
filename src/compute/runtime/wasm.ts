import * as tf from '@tensorflow/tfjs-core'
import { BackendWasm, getThreadsCount, setThreadsCount } from '@tensorflow/tfjs-backend-wasm'
import { registerWasmKernels } from '../kernels/index.ts'
import { startThreads } from '../kernels/threads/index.ts'
import { wasmHeap } from './wasmHeap.ts'
import { endUnusedWorkers, withThreadedWasm } from './wasmThreads.ts'

/**
 * Starts the `wasm` rung with SIMD and, for `threads` > 1, with threads; makes it the current backend. Once a process.
 * Returns the number of threads that run. Throws when WebAssembly or its binary cannot be loaded.
 */
export async function startWasm(threads: number): Promise<number> {
  tf.env().set('WASM_HAS_SIMD_SUPPORT', true)
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', threads > 1)
  setThreadsCount(threads)
  const started = threads > 1 ? await withThreadedWasm(threads, start) : await start()
  if (!started) throw new Error('The WebAssembly backend did not start.')
  const backend = tf.backend()
  if (!(backend instanceof BackendWasm)) throw new Error('The WebAssembly backend is not the one that started.')
  registerWasmKernels()
  wasmHeap()
  if (threads <= 1) return 1
  await endUnusedWorkers(backend.wasm)
  return Math.min(getThreadsCount(), await startThreads(backend, threads))
}

async function start(): Promise<boolean> {
  const chosen = await tf.setBackend('wasm')
  await tf.ready()
  return chosen
}
