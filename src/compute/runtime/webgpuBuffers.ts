import { DeviceMemoryError, outOfMemory } from './webgpuErrors.ts'
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu'
import type { DeviceFailures } from './webgpuErrors.ts'

type BufferManager = WebGPUBackend['bufferManager']
/**
 * Bytes kept for later, as a multiple of those in use at the peak. A training step needs its sizes at different times:
 * kept for all of them, they came to 1.4 times the peak; with less, most are made anew each step.
 */
const KEPT = 2

type Limits = Pick<GPUSupportedLimits, 'maxBufferSize' | 'maxStorageBufferBindingSize'>

/**
 * Puts a manager of buffers that checks in place of TensorFlow.js's own, which hands out what a failed allocation gives:
 * a size that the device does not take is refused before it is asked for, a failed allocation throws (after the buffers
 * kept for later were given up), and what is kept for later is bounded by twice what was in use at the peak, so that
 * tiles of ever new sizes do not fill the device. `flush` hands the recorded work over. Returns what gives up all that is kept.
 */
export function guardBuffers(
  manager: BufferManager,
  device: GPUDevice,
  failures: DeviceFailures,
  flush: () => void,
): () => void {
  /** Least recently used first. */
  const free = new Map<string, GPUBuffer[]>()
  const used = new Set<GPUBuffer>()
  let freeCount = 0
  let freeBytes = 0
  let peak = 0

  const destroy = (buffer: GPUBuffer) => {
    manager.numBytesAllocated -= buffer.size
    buffer.destroy()
  }
  const takeFree = (key: string): GPUBuffer | null => {
    const buffers = free.get(key)
    const buffer = buffers?.pop()
    if (buffers === undefined || buffer === undefined) return null
    free.delete(key)
    if (buffers.length > 0) free.set(key, buffers)
    freeCount--
    freeBytes -= buffer.size
    return buffer
  }
  const trim = (most: number) => {
    for (const key of free.keys()) {
      while (freeBytes > most) {
        const buffer = takeFree(key)
        if (buffer === null) break
        destroy(buffer)
      }
      if (freeBytes <= most) return
    }
  }
  const create = (size: number, usage: number, mappedAtCreation: boolean): GPUBuffer => {
    try {
      const buffer = device.createBuffer({ size, usage, mappedAtCreation })
      const failure = failures.allocationFailure()
      if (failure === null) return buffer
      buffer.destroy()
      throw failure
    } catch (error) {
      // Mapped buffers are the one case in which an allocation throws.
      throw error instanceof RangeError ? (failures.allocationFailure() ?? outOfMemory(error.message)) : error
    }
  }

  manager.acquireBuffer = (size, usage, mappedAtCreation = false, reuse = true) => {
    refuseTooLarge(size, usage, device.limits)
    let buffer = reuse ? takeFree(keyOf(size, usage)) : null
    if (buffer === null) {
      try {
        buffer = create(size, usage, mappedAtCreation)
      } catch (error) {
        if (!(error instanceof DeviceMemoryError)) throw error
        // What was freed stays in use until the work that was recorded with it is handed over.
        flush()
        if (freeCount === 0) throw error
        trim(0)
        // Dawn gives back what no work under way uses when it is handed work next.
        device.queue.submit([])
        buffer = create(size, usage, mappedAtCreation)
      }
      manager.numBytesAllocated += size
    }
    used.add(buffer)
    manager.numBytesUsed += size
    peak = Math.max(peak, manager.numBytesUsed)
    return buffer
  }
  manager.releaseBuffer = (buffer, reuse = true) => {
    // After `dispose` there is nothing to give back to.
    if (!used.delete(buffer)) return
    manager.numBytesUsed -= buffer.size
    if (!reuse) {
      destroy(buffer)
      return
    }
    const key = keyOf(buffer.size, buffer.usage)
    const buffers = free.get(key) ?? []
    buffers.push(buffer)
    free.delete(key)
    free.set(key, buffers)
    freeCount++
    freeBytes += buffer.size
    trim(KEPT * peak)
  }
  manager.getNumUsedBuffers = () => used.size
  manager.getNumFreeBuffers = () => freeCount
  manager.dispose = () => {
    trim(0)
    used.forEach(destroy)
    used.clear()
    manager.numBytesUsed = 0
  }
  return () => {
    flush()
    trim(0)
    peak = manager.numBytesUsed
  }
}

function refuseTooLarge(size: number, usage: number, { maxBufferSize, maxStorageBufferBindingSize }: Limits): void {
  const stored = (usage & GPUBufferUsage.STORAGE) !== 0
  const most = stored ? Math.min(maxBufferSize, maxStorageBufferBindingSize) : maxBufferSize
  if (size <= most) return
  const megabytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MB`
  throw new DeviceMemoryError(
    `A piece of ${megabytes(size)} is more than the graphics device takes at once (${megabytes(most)}).`,
  )
}

function keyOf(size: number, usage: number): string {
  return `${size} ${usage}`
}
