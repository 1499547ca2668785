import * as tf from '@tensorflow/tfjs-core'
import { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { OutOfMemoryError } from './failures.ts'

/** The most that the shipped binaries allow: 65,536 pages of 64 KiB, less the last page (emscripten's getHeapMax). */
export const WASM_HEAP_MOST = 4_294_901_760

/** Bytes of the heap of tfjs-backend-wasm. It grows, and never shrinks. */
export interface WasmHeap {
  /** Of the memory as it is, used or not. */
  size(): number
  /** Held by tensors and other blocks that were asked for from JavaScript, without what XNNPACK keeps for itself. */
  live(): number
  /** The most that was ever held: so much of the memory is the process's own for certain. */
  highest(): number
  /** The most that was held since the last call of this function. */
  takePeak(): number
  /** From now on a block that would make more than this `live` is refused, by an OutOfMemoryError. */
  limit(bytes: number): void
}

/** What this uses of the emscripten module. */
interface Allocator {
  _malloc(bytes: number): number
  _free(at: number): void
  readonly HEAPU8: Uint8Array
}

const watched = new WeakMap<object, WasmHeap>()

/** Of the current backend; null where that is another. Counts from the first call on: startWasm makes it. */
export function wasmHeap(): WasmHeap | null {
  if (tf.getBackend() !== 'wasm') return null
  const backend = tf.backend()
  if (!(backend instanceof BackendWasm)) return null
  const known = watched.get(backend)
  if (known !== undefined) return known
  const wasm: object = backend.wasm
  if (!isAllocator(wasm)) throw new Error('The WebAssembly module has no allocator.')
  const heap = watch(wasm)
  watched.set(backend, heap)
  return heap
}

function isAllocator(module: object): module is Allocator {
  return '_malloc' in module && '_free' in module && 'HEAPU8' in module
}

/**
 * Counts what is allocated and refuses where it would be too much. As shipped, a block that could not be had lies at
 * address 0: the tensor's values are written over whatever is there, and nothing is said.
 */
function watch(wasm: Allocator): WasmHeap {
  // emscripten puts its own functions in place of themselves at the first call.
  wasm._free(wasm._malloc(16))
  const malloc = wasm._malloc.bind(wasm)
  const free = wasm._free.bind(wasm)
  const sizes = new Map<number, number>()
  // Tensors that were there before.
  let live = tf.memory().numBytes
  let peak = live
  let highest = live
  let most = WASM_HEAP_MOST
  wasm._malloc = (bytes) => {
    if (live + bytes > most) throw refused(bytes)
    const at = malloc(bytes) >>> 0
    if (at === 0) throw refused(bytes)
    sizes.set(at, bytes)
    live += bytes
    if (live > peak) peak = live
    if (live > highest) highest = live
    return at
  }
  wasm._free = (at) => {
    const address = at >>> 0
    live = Math.max(0, live - (sizes.get(address) ?? 0))
    sizes.delete(address)
    free(at)
  }
  return {
    size: () => wasm.HEAPU8.length,
    live: () => live,
    highest: () => highest,
    takePeak() {
      const before = peak
      peak = live
      return before
    },
    limit(bytes) {
      most = Math.min(bytes, WASM_HEAP_MOST)
    },
  }
}

function refused(bytes: number): OutOfMemoryError {
  return new OutOfMemoryError(`Out of memory: a block of ${bytes} bytes does not fit the bound on this process.`)
}
