/**
 * The smallest thing that carries messages between two ends. Messages are plain data (objects, arrays, strings,
 * numbers, booleans, null, typed arrays); an implementation keeps their order and delivers each at most once.
 */
export interface Transport {
  send(message: unknown): void
  /** One listener; messages that arrive before it is set are kept for it. */
  onMessage(listener: (message: unknown) => void): void
  /** Called once, when the other end is gone or `close` was called. */
  onClose(listener: (reason: string) => void): void
  close(): void
}
