import { CodedError } from '../../core/contract/errors.ts'

/**
 * What is wanted at once is more than the graphics device has or takes: a smaller batch or tile may go through. Thrown
 * before anything is computed with, so that nothing wrong is read.
 */
export class DeviceMemoryError extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'DeviceMemoryError'
  }
}

/** The graphics device cannot be used any more, or not be trusted: what was under way has no result. */
export function deviceLost(detail: string): CodedError {
  return new CodedError('backend-lost', 'The graphics device stopped working; the computation must go on without it.', {
    detail,
  })
}

/**
 * Keeps what a device reports outside of any call. WebGPU does not throw: an operation that fails is an event, and what
 * it should have written holds zeros or what was there before, so whoever computes must ask here before believing a
 * result. Under Node, Dawn reports within the call that fails.
 */
export interface DeviceFailures {
  /**
   * Asked after an allocation: what says that it failed for want of memory, or null. Once asked, it is settled: nothing
   * has been computed with that buffer.
   */
  allocationFailure(): DeviceMemoryError | null
  /**
   * Throws CodedError('backend-lost') when the device is gone or anything else failed on it, from then on always: of
   * the tensors that it holds nobody knows which are right.
   */
  check(): void
}

export function watchDevice(device: GPUDevice, onLost: (reason: string) => void): DeviceFailures {
  let lost: string | null = null
  let memory: string | null = null
  const lose = (reason: string) => {
    if (lost !== null) return
    lost = reason
    onLost(reason)
  }
  device.addEventListener('uncapturederror', (event: Event) => {
    const { kind, message } = errorOf('error' in event ? event.error : undefined)
    if (kind === 'GPUOutOfMemoryError') memory ??= message
    else lose(`${kind}: ${message}`)
  })
  void device.lost.then(({ reason, message }) => {
    lose(`${reason}: ${message}`)
  })
  return {
    allocationFailure() {
      const message = memory
      memory = null
      return message === null ? null : outOfMemory(message)
    },
    check() {
      // Memory that ran out elsewhere than in an allocation has taken the work that was queued along.
      if (memory !== null) lose(memory)
      if (lost !== null) throw deviceLost(lost)
    },
  }
}

function errorOf(error: unknown): { kind: string; message: string } {
  if (!(error instanceof Object)) return { kind: 'GPUError', message: String(error) }
  return { kind: error.constructor.name, message: 'message' in error ? String(error.message) : '' }
}

export function outOfMemory(detail: string): DeviceMemoryError {
  return new DeviceMemoryError('The graphics device has too little memory for this at once.', { cause: detail })
}
