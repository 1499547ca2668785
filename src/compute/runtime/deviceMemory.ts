import * as tf from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { NATIVE_BACKEND, NativeBackend } from '../native/backend.ts'
import { machineMemory } from './machineMemory.ts'

/** A graphics device has memory of its own, and does not tell how much. Bytes. */
export interface DeviceMemory {
  /** What it is taken to have. */
  readonly total: number
  /** What tensors hold of it, without what the backend keeps of freed ones for later: releaseIdle() gives that back. */
  readonly held: number
  /** The largest tensor that the adapter takes. */
  readonly largest: number
}

/** Taken where nobody says: what small integrated graphics have. Too much only costs a second try in smaller pieces. */
const GUESS = 2 * 2 ** 30
/** ONNX Runtime does not tell what its device takes; more than this few do. */
const LARGEST_OF_NATIVE = 2 ** 30
/** The least that WebGPU guarantees (maxStorageBufferBindingSize). */
const LEAST_BINDING = 128 * 2 ** 20

const limitsSchema = z.object({
  device: z.object({
    limits: z.object({ maxBufferSize: z.number(), maxStorageBufferBindingSize: z.number() }),
  }),
})

let configured: number | null = null

/** The device's memory, where its driver tells it; MASKWRIGHT_DEVICE_MEMORY_MB goes first. null: not known. */
export function setDeviceMemory(megabytes: number | null): void {
  configured = megabytes === null ? null : megabytes * 2 ** 20
}

/** Of the current backend; null where that computes in this process's memory. */
export function deviceMemory(): DeviceMemory | null {
  const onDevice = native()?.engine.deviceBytes() ?? null
  if (onDevice !== null) return { total: totalOf(onDevice), held: onDevice, largest: LARGEST_OF_NATIVE }
  if (tf.getBackend() !== 'webgpu') return null
  const backend = limitsSchema.safeParse(tf.backend())
  const limits = backend.success ? backend.data.device.limits : null
  const held = gpuBytes('numBytesInGPU')
  return {
    total: totalOf(held),
    held,
    largest: limits === null ? LEAST_BINDING : Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize),
  }
}

function totalOf(held: number): number {
  const asked = Number(process.env.MASKWRIGHT_DEVICE_MEMORY_MB ?? NaN)
  return asked > 0 ? asked * 2 ** 20 : (configured ?? guessedTotal(held, machineMemory().available))
}

/** The recorder, where it is the current backend. */
function native(): NativeBackend | null {
  if (tf.getBackend() !== NATIVE_BACKEND) return null
  const backend = tf.backend()
  return backend instanceof NativeBackend ? backend : null
}

/** Bytes of this process that releaseIdle() gives back: what sessions of the recorder keep for their next run. */
export function idleBytes(): number {
  return native()?.engine.idleBytes() ?? 0
}

/** Whoever does not tell may have no memory but the machine's, as integrated graphics do: then what is free there bounds it. */
export function guessedTotal(held: number, available: number): number {
  return Math.min(GUESS, held + available)
}

/** What the pool of a graphics backend holds, in use and kept for later; 0 on other backends. */
export function pooledBytes(): number {
  return gpuBytes('numBytesAllocatedInGPU')
}

function gpuBytes(name: string): number {
  const bytes: unknown = Reflect.get(tf.memory(), name)
  return typeof bytes === 'number' ? bytes : 0
}

/** Of runtime/webgpuBackend.ts, which is not loaded here: it loads what only machines with a graphics device need. */
interface Pooled {
  /** Gives up what is kept of freed tensors for later. */
  trim(): void
  /** Waits until the device has done what it was handed. */
  settle(): Promise<void>
}

function pooled(): Pooled | null {
  if (tf.getBackend() !== 'webgpu') return null
  const backend: object & Partial<Pooled> = tf.backend()
  return isPooled(backend) ? backend : null
}

function isPooled(backend: Partial<Pooled>): backend is Pooled {
  return backend.trim !== undefined && backend.settle !== undefined
}

/**
 * Gives back what a graphics backend keeps of freed tensors (pictures of other sizes cannot use it), and the sessions of
 * the recorder, which are made again when they are needed.
 */
export function releaseIdle(): void {
  pooled()?.trim()
  native()?.trim()
}

/** After memory ran out: a graphics device gives back what was freed only once it has done the work that it was handed. */
export async function memoryReturned(): Promise<void> {
  await pooled()?.settle()
}
