import type { z } from 'zod'
import type { ComputeMethod, ComputeMethods, ComputeProgress } from '../../core/contract/compute.ts'
import type { ComputeStatus } from '../../core/contract/schemas.ts'

export type ComputeParams<M extends ComputeMethod> = z.input<ComputeMethods[M]['params']>
export type ComputeResult<M extends ComputeMethod> = z.output<ComputeMethods[M]['result']>

export interface ComputeCallOptions {
  /** Aborting it makes the call reject with code `cancelled` as soon as the current step is over. */
  readonly signal?: AbortSignal
  /** Told during `train`, in order, on the host's thread. */
  readonly onProgress?: (progress: ComputeProgress) => void
}

/**
 * All that the backend knows of the compute process. An implementation starts the process when it likes, restarts it
 * after a crash, and rejects every call that was in flight with code `compute-crashed`; it never throws synchronously.
 */
export interface ComputePort {
  /** The latest known state; cheap. */
  status(): ComputeStatus
  /** Told after every change of `status()`. Returns the function that ends the subscription. */
  onStatus(listener: (status: ComputeStatus) => void): () => void
  /** Rejects with a `CodedError`: `cancelled`, `compute-crashed`, `compute-failed` or what the method itself answered. */
  call<M extends ComputeMethod>(
    method: M,
    params: ComputeParams<M>,
    options?: ComputeCallOptions,
  ): Promise<ComputeResult<M>>
  /** Ends the process; calls in flight reject with `cancelled`. */
  close(): Promise<void>
}
