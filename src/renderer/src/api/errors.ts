import { CodedError, toWireError, type WireError } from '../../../core/contract/index.ts'

/** Whatever was thrown, as the error that the interface shows. */
export function asWireError(thrown: unknown): WireError {
  return toWireError(thrown)
}

/** A call that the user or a newer call took back: nothing to show. */
export function isCancelled(thrown: unknown): boolean {
  return thrown instanceof CodedError && thrown.code === 'cancelled'
}
