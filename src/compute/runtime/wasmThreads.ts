import { createRequire } from 'node:module'
import os from 'node:os'
import { Worker } from 'node:worker_threads'
import { z } from 'zod'

/**
 * TensorFlow.js ships a threaded WebAssembly binary but not a way to start it under Node (tensorflow/tfjs#3830). Three
 * things stand in the way, and this file handles each while the backend starts:
 * 1. The emscripten worker arrives as a blob URL, which Node's Worker does not take: a worker is started from the
 *    package's own `wasmWorkerContents` instead.
 * 2. The `load` message names the script as a Blob: the worker requires the threaded module itself.
 * 3. The thread count is capped at half of `os.cpus().length`: the list is shown longer for that moment.
 */

// Not named `require`: the build puts its own of that name into the same chunk.
const packages = createRequire(import.meta.url)
const threadedModule = '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.js'
const workerModule = '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.worker.js'
const workerModuleSchema = z.object({ wasmWorkerContents: z.string() })
const loadMessageSchema = z.looseObject({ cmd: z.literal('load') })

function workerSource(): string {
  const { wasmWorkerContents } = workerModuleSchema.parse(packages(workerModule))
  const modulePath = JSON.stringify(packages.resolve(threadedModule))
  // The contents were written for a Blob, which turns the escaped line ends into real ones; here they must stay.
  return `${wasmWorkerContents.replace(/\n/g, '\\n')}
;globalThis.importScripts = () => { globalThis.WasmBackendModuleThreadedSimd = require(${modulePath}) }`
}

/**
 * Runs `start` with the three obstacles out of the way, and puts everything back afterwards. Rejects where the system has
 * no room for the threads; emscripten as shipped throws that where nobody can catch it, which ends the process.
 */
export async function withThreadedWasm<T>(threads: number, start: () => Promise<T>): Promise<T> {
  const source = workerSource()
  const failure = Promise.withResolvers<never>()
  const workers: Worker[] = []
  let started = false
  class WasmWorker extends Worker {
    constructor() {
      super(source, { eval: true })
      // An idle thread must not keep the process alive.
      this.unref()
      workers.push(this)
    }

    /** The failure of a thread ends the process, but for those that never came to run. */
    override emit(event: string | symbol, ...told: unknown[]): boolean {
      if (event !== 'error' || started) return super.emit(event, ...told)
      failure.reject(told[0])
      return true
    }

    override postMessage(message: unknown): void {
      const load = loadMessageSchema.safeParse(message)
      super.postMessage(load.success ? { ...load.data, urlOrBlob: threadedModule } : message)
    }
  }
  const worker = Object.getOwnPropertyDescriptor(globalThis, 'Worker')
  const cpus = os.cpus
  // The module assigns `globalThis.Worker` while it starts; a setter that ignores it keeps ours in place.
  Object.defineProperty(globalThis, 'Worker', { configurable: true, get: () => WasmWorker, set: () => undefined })
  os.cpus = () => {
    const real = cpus()
    const first = real[0]
    return first === undefined ? real : Array.from({ length: threads * 2 }, () => first)
  }
  try {
    const result = await Promise.race([start(), failure.promise])
    started = true
    return result
  } catch (error) {
    // They hold memory.
    await Promise.all(workers.map((worker) => worker.terminate()))
    throw error
  } finally {
    os.cpus = cpus
    if (worker === undefined) Reflect.deleteProperty(globalThis, 'Worker')
    else Object.defineProperty(globalThis, 'Worker', worker)
  }
}

const threadPoolSchema = z.looseObject({
  PThread: z.looseObject({ unusedWorkers: z.array(z.instanceof(Worker)) }),
})

/** emscripten starts eight workers whatever the thread count; those that got no thread only hold memory. */
export async function endUnusedWorkers(wasmModule: unknown): Promise<void> {
  const parsed = threadPoolSchema.safeParse(wasmModule)
  if (!parsed.success) return
  const unused = parsed.data.PThread.unusedWorkers
  await Promise.all(unused.map((worker) => worker.terminate()))
}
