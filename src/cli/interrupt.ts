import { CodedError } from '../core/contract/errors.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Runs work with a signal that is aborted when the command is interrupted, so that what it began to write is removed, or kept
 * as `words` say.
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  words: () => string = () => 'interrupted; no unfinished file was left behind.',
): Promise<T> {
  const interrupted = new AbortController()
  const interrupt = () => interrupted.abort()
  for (const signal of SIGNALS) process.once(signal, interrupt)
  try {
    return await work(interrupted.signal)
  } catch (error) {
    if (interrupted.signal.aborted) throw new CodedError('cancelled', words())
    throw error
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupt)
  }
}
