import { memoryOf, startSimd } from './simd/index.ts'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import type { SimdFunctions } from './simd/index.ts'

const started = new WeakMap<BackendWasm, SimdFunctions>()

/** The assembled functions over this backend's memory, on this thread; those that split their work: see threads/. */
export function simd(backend: BackendWasm): SimdFunctions {
  const known = started.get(backend)
  if (known !== undefined) return known
  const { functions } = startSimd(memoryOf(backend.wasm))
  started.set(backend, functions)
  return functions
}
