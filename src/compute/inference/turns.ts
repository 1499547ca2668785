import { CodedError } from '../../core/contract/errors.ts'

export function stopIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new CodedError('cancelled', 'Cancelled.')
}

/** Lets messages in: a cancel or a ping is answered before the next batch or step. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
