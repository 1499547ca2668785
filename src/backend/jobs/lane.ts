import { CodedError } from '../../core/contract/errors.ts'

interface Waiter {
  readonly priority: number
  readonly enter: () => void
}

interface Turn {
  readonly priority: number
  /** Aborted when somebody who goes first waits. */
  readonly wanted: AbortController
}

/**
 * Whose turn it is at the compute process, which does one thing at a time. The highest priority goes first, among
 * equals who came first.
 */
export class Lane {
  #current: Turn | null = null
  readonly #waiting: Waiter[] = []

  /** The priority of whose turn it is. */
  get current(): number | null {
    return this.#current?.priority ?? null
  }

  /**
   * Waits for the turn, then runs `work`; the turn ends with it. `wanted` is aborted as soon as somebody of a higher priority
   * waits: work that can go on later may then end its turn.
   * Throws CodedError('cancelled') when the signal is aborted before the turn comes.
   */
  async run<T>(priority: number, signal: AbortSignal, work: (wanted: AbortSignal) => Promise<T>): Promise<T> {
    const turn = await this.#enter(priority, signal)
    try {
      if (signal.aborted) throw cancelled()
      return await work(turn.wanted.signal)
    } finally {
      this.#current = null
      this.#next()
    }
  }

  #enter(priority: number, signal: AbortSignal): Promise<Turn> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(cancelled())
        return
      }
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
        reject(cancelled())
      }
      const turn: Turn = { priority, wanted: new AbortController() }
      const waiter: Waiter = {
        priority,
        enter: () => {
          signal.removeEventListener('abort', onAbort)
          this.#current = turn
          resolve(turn)
        },
      }
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiting.push(waiter)
      if (this.#current !== null && this.#current.priority < priority) this.#current.wanted.abort(cancelled())
      this.#next()
    })
  }

  #next(): void {
    if (this.#current !== null) return
    let best: Waiter | undefined
    for (const waiter of this.#waiting) if (best === undefined || waiter.priority > best.priority) best = waiter
    if (best === undefined) return
    this.#waiting.splice(this.#waiting.indexOf(best), 1)
    best.enter()
  }
}

/** Who goes first at the compute process. */
export const priorities = {
  /** The slice somebody is looking at. */
  visibleSlice: 4,
  training: 3,
  /** The rest of a volume. */
  volume: 2,
  /** Trying and timing what this computer can compute with. */
  examination: 1,
  /** What to look at next. */
  ranking: 0,
  /** Training in the quiet between strokes: gives its turn up to everybody else. */
  live: -1,
} as const

/** What a job says while it waits behind something that is not of its own kind; null where that needs no word. */
export function waitingWords(lane: Lane): string | null {
  if (lane.current === priorities.training) return 'waiting for the training'
  if (lane.current === priorities.examination) return 'waiting for the check of the compute backends'
  return null
}

export function cancelled(): CodedError {
  return new CodedError('cancelled', 'This was cancelled.')
}

/** What `promise` gives, unless the signal is aborted before: CodedError('cancelled'). The work itself goes on for others. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(cancelled())
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
