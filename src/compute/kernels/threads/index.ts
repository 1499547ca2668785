import { memoryOf, startSimd } from '../simd/index.ts'
import { ThreadPool } from './pool.ts'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import type { SimdFunctions } from '../simd/index.ts'

/** What a function takes behind `begin` and `end`. */
type ArgumentsOf<N extends keyof SimdFunctions> =
  Parameters<SimdFunctions[N]> extends [number, number, ...infer Rest extends number[]] ? Rest : number[]

/** Calls of assembled functions, shared by the threads of a backend. */
export interface Parallel {
  readonly threads: number
  /** What functions read as threadNumber is below: each thread can have a part of a scratch of so many. */
  readonly places: number
  /** Does the units 0 to units-1 of a function, which must be independent of each other, and returns when all are done. */
  readonly run: <N extends keyof SimdFunctions>(name: N, units: number, ...args: ArgumentsOf<N>) => void
}

const pools = new WeakMap<BackendWasm, ThreadPool>()

/**
 * Starts the threads of a backend whose memory is shared, to end with the backend; with one thread, or a memory that is
 * not shared, nothing is started. Returns how many threads there are now.
 */
export async function startThreads(backend: BackendWasm, threads: number): Promise<number> {
  const assembled = startSimd(memoryOf(backend.wasm))
  const shared = assembled.memory.buffer instanceof SharedArrayBuffer
  const pool = new ThreadPool(assembled, shared ? threads - 1 : 0)
  pools.set(backend, pool)
  const dispose = backend.dispose.bind(backend)
  backend.dispose = () => {
    pool.end()
    dispose()
  }
  return pool.started()
}

/** The assembled functions over this backend's memory, on the threads that were started for it or on this one alone. */
export function parallel(backend: BackendWasm): Parallel {
  const known = pools.get(backend)
  const pool = known ?? new ThreadPool(startSimd(memoryOf(backend.wasm)), 0)
  if (known === undefined) pools.set(backend, pool)
  return { threads: pool.threads, places: pool.places, run: (name, units, ...args) => pool.run(name, units, args) }
}
