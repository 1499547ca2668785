import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { deviceMemory, idleBytes } from './deviceMemory.ts'
import { machineMemory } from './machineMemory.ts'
import { readSettings } from './settings.ts'
import { WASM_HEAP_MOST, wasmHeap } from './wasmHeap.ts'
import type { DeviceMemory } from './deviceMemory.ts'

/** All that decides how much the next pass may take. Bytes. */
export interface MemoryReading {
  /** What this process may hold altogether. */
  readonly bound: number
  /** What it holds, the heap of WebAssembly included, as far as that was ever touched; without what it can give back. */
  readonly rss: number
  /** What the machine, or the container, can still give. */
  readonly available: number
  /** The heap of the `wasm` rung; null on others. */
  readonly heap: { readonly size: number; readonly live: number; readonly highest: number } | null
  /** The graphics device that holds the tensors; null where this process does. */
  readonly device: DeviceMemory | null
}

export interface Budget {
  /** Bytes that tensors of the next pass may take. */
  readonly tensors: number
  /** Bytes that this process may take beside them: pictures, what is read back. */
  readonly process: number
  /** Bytes of the largest single tensor. */
  readonly largest: number
  /** Bytes that tensors in the heap of WebAssembly hold already; null on other rungs. */
  readonly heapLive: number | null
}

/** Of the machine's memory, unless MASKWRIGHT_MEMORY_MB says otherwise. */
const SHARE_OF_MACHINE = 0.7
/** Of what is free one pass takes so much: the rest is for others, and for what the estimate does not see. */
const SHARE_OF_FREE = 0.5
/**
 * Of the heap of WebAssembly tensors and tables are planned to fill so much. It has come to be 1.4 to 1.7 times as large
 * as they are, since freed blocks of other sizes lie between them, and a heap that is full ends the process.
 */
const SHARE_OF_HEAP = 0.4
/** emscripten grows the heap by this much more than was asked for, at most: so much of it may never have been touched. */
const UNTOUCHED = 100_663_296
/** Of a device's memory: its driver and the screen need some, and the backend keeps buffers for later. */
const SHARE_OF_DEVICE = 0.6
/** A pass may always take this much: with less nothing could be computed, and a failed try costs little. */
const LEAST = 16 * 2 ** 20
/** The longest array of bytes that V8 makes for certain. */
const LARGEST_ARRAY = 2 ** 31

/** More than this of the machine, or of the container, nothing may hold, whatever was asked for. */
const MOST_OF_MACHINE = 0.95

/** What this process may hold: MASKWRIGHT_MEMORY_MB, else a share of the machine. Bytes. */
export function memoryBound(): number {
  const { memoryMB } = readSettings()
  const { total } = machineMemory()
  return memoryMB === null ? SHARE_OF_MACHINE * total : Math.min(memoryMB * 2 ** 20, MOST_OF_MACHINE * total)
}

export function readMemory(): MemoryReading {
  const heap = wasmHeap()
  // What a session has taken its next run uses again.
  const rss = process.memoryUsage.rss()
  const idle = Math.min(idleBytes(), rss / 2)
  return {
    bound: memoryBound(),
    rss: rss - idle,
    available: machineMemory().available + idle,
    heap: heap === null ? null : { size: heap.size(), live: heap.live(), highest: heap.highest() },
    device: deviceMemory(),
  }
}

/** What the next pass may take. Pure: the numbers alone decide. */
export function budgetOf({ bound, rss, available, heap, device }: MemoryReading): Budget {
  if (device !== null) {
    const tensors = Math.max(LEAST, SHARE_OF_DEVICE * device.total - device.held)
    const process = Math.max(LEAST, SHARE_OF_FREE * Math.min(bound - rss, available))
    return { tensors, process, largest: device.largest, heapLive: null }
  }
  if (heap === null) {
    const free = Math.max(LEAST, SHARE_OF_FREE * Math.min(bound - rss, available))
    return { tensors: free, process: free, largest: LARGEST_ARRAY, heapLive: null }
  }
  // What of the heap is in memory for certain is not lost to the next pass: freed blocks are used again.
  const touched = Math.min(rss, Math.max(heap.highest, heap.size - UNTOUCHED))
  const free = Math.max(0, Math.min(bound - rss, available))
  const limit = Math.min(SHARE_OF_HEAP * WASM_HEAP_MOST, Math.max(heap.live + LEAST, touched + SHARE_OF_FREE * free))
  const tensors = Math.max(LEAST, limit - heap.live)
  return { tensors, process: tensors, largest: tensors, heapLive: heap.live }
}

let collect: (() => void) | null | undefined

/** Frees what JavaScript holds without need: arrays of megabytes may wait long for that. Does nothing where it cannot. */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc')
    const found: unknown = runInNewContext('gc')
    collect = typeof found === 'function' ? () => void Reflect.apply(found, undefined, []) : null
  }
  collect?.()
}
