import type { z } from 'zod'
import type { ComputeMethod, ComputeMethods, ComputeProgress } from '../../core/contract/compute.ts'
import type { EventPayload } from '../../core/contract/events.ts'
import type { ComputeSettings, ComputeStatus } from '../../core/contract/schemas.ts'
import type { Overruled } from './environment.ts'

export type ComputeParams<M extends ComputeMethod> = z.input<ComputeMethods[M]['params']>
export type ComputeResult<M extends ComputeMethod> = z.output<ComputeMethods[M]['result']>

export interface ComputeCallOptions {
  /** Aborting it makes the call reject with code `cancelled` as soon as the current step is over. */
  readonly signal?: AbortSignal
  /**
   * Told during `train` and `predict`, in order, on the host's thread. From step 0 on again where another rung had to
   * take over.
   */
  readonly onProgress?: (progress: ComputeProgress) => void
}

/** What the user did not ask for and should know. */
export type ComputeNotice = EventPayload<'notice'>

/**
 * All that the backend knows of the compute process. An implementation starts the process when it likes, restarts it
 * after a crash, and rejects every call that was in flight with code `compute-crashed`; it never throws synchronously.
 * Where a rung cannot go on (`backend-lost`, or crashes of a graphics card's rung in a row) the calls in flight are asked
 * once more of the next rung, and a notice says so.
 */
export interface ComputePort {
  /** The latest known state; cheap. */
  status(): ComputeStatus
  /** Told after every change of `status()`. Returns the function that ends the subscription. */
  onStatus(listener: (status: ComputeStatus) => void): () => void
  /** Told what compute, or the watch over it, wants the user to know. Returns the function that ends the subscription. */
  onNotice(listener: (notice: ComputeNotice) => void): () => void
  /** `kept` for this computer, the ones in force in this run, and why they differ, if they do. */
  settings(): { readonly kept: ComputeSettings; readonly inForce: ComputeSettings; readonly overruled: Overruled }
  /**
   * Starts compute again with these settings and keeps them for this computer; resolves when it is ready.
   * Rejects with `busy` while a call is in flight, `conflict` where the environment overrules the change,
   * `compute-failed` with the reason where compute cannot run so: what ran before then runs again, and stays the setting.
   */
  configure(settings: ComputeSettings): Promise<void>
  /** Rejects with a `CodedError`: `cancelled`, `compute-crashed`, `compute-failed` or what the method itself answered. */
  call<M extends ComputeMethod>(
    method: M,
    params: ComputeParams<M>,
    options?: ComputeCallOptions,
  ): Promise<ComputeResult<M>>
  /** Resolves when the process has ended; calls in flight reject with `cancelled`. */
  close(): Promise<void>
}
