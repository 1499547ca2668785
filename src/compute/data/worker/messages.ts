import type { WireError } from '../../../core/contract/errors.ts'
import type { BatchOptions, RecipeBatch } from '../../recipes/types.ts'

/** To a thread that draws batches. Streams have numbers, so that what comes late is told from what is wanted. */
export type ToWorker =
  | { readonly t: 'open'; readonly stream: number; readonly options: BatchOptions }
  | { readonly t: 'draw'; readonly stream: number; readonly step: number }
  | { readonly t: 'close'; readonly stream: number }

export type FromWorker =
  | { readonly t: 'batch'; readonly stream: number; readonly step: number; readonly batch: RecipeBatch }
  | { readonly t: 'failed'; readonly stream: number; readonly step: number; readonly error: WireError }
