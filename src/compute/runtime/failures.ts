import { CodedError } from '../../core/contract/errors.ts'
import { memoryReturned } from './deviceMemory.ts'

/**
 * What backends throw when memory ends or the device goes away, told apart from faults of ours. The messages are those
 * of tfjs-backend-wasm (emscripten), tfjs-backend-cpu (V8), tfjs-backend-webgpu (Dawn) and TensorFlow.
 */

/** Thrown by ourselves before a backend would run out of memory, or where it says so without an error of its own. */
export class OutOfMemoryError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'OutOfMemoryError'
  }
}

/** runtime/webgpuErrors.ts throws the second before anything is computed with a buffer that was not had. */
const OUT_OF_MEMORY_NAMES = new Set(['GPUOutOfMemoryError', 'DeviceMemoryError'])

const OUT_OF_MEMORY = [
  /out of memory/i,
  /\bOOM\b/,
  /array buffer allocation failed/i,
  /allocation failed/i,
  /invalid (typed )?array (buffer )?length/i,
  /maximum memory size exceeded/i,
  /RESOURCE_EXHAUSTED/,
  /bad_alloc/,
  // Dawn: a buffer or binding that the adapter does not take.
  /exceeds the max(imum)?\b/i,
  /(is )?(greater|larger) than the maximum/i,
  /max(StorageBufferBinding|Buffer)Size/,
  // tfjs-core checks before it makes a texture or buffer.
  /exceeds? (the )?(maximum|limit)/i,
]

const DEVICE_LOST = [
  /device (is|was) (lost|destroyed)/i,
  /device lost/i,
  /lost device/i,
  /DXGI_ERROR_DEVICE/,
  /VK_ERROR_DEVICE_LOST/,
  /CUDA_ERROR_(LAUNCH_FAILED|ILLEGAL_ADDRESS|UNKNOWN|DEINITIALIZED|ECC_UNCORRECTABLE)/,
  /instance (was )?dropped/i,
]

/** tfjs-core, of an operation that the current backend does not have. */
const MISSING_KERNEL = /Kernel '([^']+)' not registered for backend/

/** Is less memory worth a try? A wasm heap that aborted is not among these: see isDeviceLost. */
export function isOutOfMemory(error: unknown): boolean {
  if (isDeviceLost(error)) return false
  return chain(error).some(
    (each) =>
      each instanceof OutOfMemoryError ||
      OUT_OF_MEMORY_NAMES.has(each.name) ||
      OUT_OF_MEMORY.some((pattern) => pattern.test(each.message)),
  )
}

/**
 * Can the backend of this process compute nothing any more? So it is when the device is gone, and when WebAssembly
 * stopped in the middle of its work: emscripten's abort leaves a heap that is not to be trusted.
 */
export function isDeviceLost(error: unknown): boolean {
  return chain(error).some(
    (each) =>
      (each instanceof CodedError && each.code === 'backend-lost') ||
      // WebAssembly.RuntimeError, of whichever realm or thread.
      each.name === 'RuntimeError' ||
      DEVICE_LOST.some((pattern) => pattern.test(each.message)),
  )
}

/** The error and what caused it. What was thrown need not be an Error: tfjs throws plain objects in places. */
function chain(thrown: unknown): { name: string; message: string }[] {
  const found: { name: string; message: string }[] = []
  for (let each = thrown; each !== undefined && each !== null && found.length < 5;) {
    if (typeof each !== 'object') {
      found.push({ name: '', message: typeof each === 'string' ? each : '' })
      break
    }
    // Errors of Dawn and of other realms are no instances of this realm's Error.
    const { name, message, cause }: { name?: unknown; message?: unknown; cause?: unknown } = each
    found.push(each instanceof Error ? each : { name: text(name), message: text(message) })
    each = cause
  }
  return found
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** The operation that the current backend does not have, where that is what was thrown. */
function missingKernel(error: unknown): string | null {
  return chain(error).flatMap(({ message }) => MISSING_KERNEL.exec(message)?.[1] ?? [])[0] ?? null
}

/**
 * What `run` gives, or null where it ran out of memory. Throws CodedError('backend-lost') where the device is gone, or the
 * backend lacks an operation, which is then named.
 */
export async function unlessOutOfMemory<T>(run: () => Promise<T>): Promise<T | null> {
  try {
    return await run()
  } catch (error) {
    const missing = missingKernel(error)
    if (missing !== null) throw backendLost(`This backend has no operation ${missing}`, error)
    if (isDeviceLost(error)) throw backendLost('What computes stopped working', error)
    if (!isOutOfMemory(error)) throw error
    await memoryReturned()
    return null
  }
}

/** `what` happened, without the full stop. */
export function backendLost(what: string, cause: unknown = null): CodedError {
  if (cause instanceof CodedError && cause.code === 'backend-lost') return cause
  return new CodedError('backend-lost', `${what}; another way to compute must take over.`, {
    cause,
    ...(cause === null ? {} : { detail: describe(cause) }),
  })
}

function describe(cause: unknown): string {
  return chain(cause)
    .map(({ name, message }) => `${name}: ${message}`)
    .join(', caused by ')
}
