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

/** What is waited for, or CodedError('cancelled') as soon as the signal is aborted; nobody hears of it then. */
export async function orCancelled<T>(waited: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = (): void => undefined
  const cancelled = new Promise<never>((_, reject) => {
    stop = () => {
      reject(new CodedError('cancelled', 'Cancelled.'))
    }
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
  })
  try {
    return await Promise.race([cancelled, waited])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
