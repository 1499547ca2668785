import { CodedError } from '../core/contract/errors.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** One Ctrl+C can arrive twice: from the terminal, and from the launcher or npm, which hand their signals on. */
const ECHO_MS = 1000

/**
 * Calls `begin` at the first request to end, and from then on keeps the process until it has ended in order; a later request that
 * is no echo of the first ends it at once.
 *
 * @returns No longer to be called; where it was asked to end already, nothing changes: its end may still take a while.
 */
export function onInterruption(begin: () => void): () => void {
  let askedAt: number | null = null
  const ask = () => {
    const now = performance.now()
    if (askedAt === null) {
      askedAt = now
      begin()
    } else if (now - askedAt > ECHO_MS) process.exit(1)
  }
  for (const signal of SIGNALS) process.on(signal, ask)
  return () => {
    if (askedAt !== null) return
    for (const signal of SIGNALS) process.off(signal, ask)
  }
}

/**
 * Runs work with a signal that is aborted when the command is interrupted, so that what it began to write is removed, or kept
 * as `words` say.
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  words: () => string = () => 'interrupted; no unfinished file was left behind.',
): Promise<T> {
  const interrupted = new AbortController()
  const forget = onInterruption(() => interrupted.abort())
  try {
    return await work(interrupted.signal)
  } catch (error) {
    if (interrupted.signal.aborted) throw new CodedError('cancelled', words())
    throw error
  } finally {
    forget()
  }
}
