import type { StoreOptions } from './store.ts'

interface Waiter {
  readonly count: number
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/** How many of the voxels of an image are there, and who waits for more of them. */
export class Arrival {
  #count = 0
  #state: 'arriving' | 'complete' | 'failed' = 'arriving'
  #reason: unknown = null
  #waiters: Waiter[] = []
  readonly #cancelled: () => Error

  constructor(cancelled: () => Error) {
    this.#cancelled = cancelled
  }

  /** From now on `count` voxels are there. */
  reach(count: number): void {
    this.#count = count
    this.#settle()
  }

  /** Everything is there, and known to be whole. */
  finish(): void {
    if (this.#state === 'arriving') this.#state = 'complete'
    this.#settle()
  }

  /** Nothing more will come. What is there can still be asked for. */
  fail(reason: unknown): void {
    if (this.#state !== 'arriving') return
    this.#state = 'failed'
    this.#reason = reason
    this.#settle()
  }

  /** Resolves when so many voxels are there; rejects with the reason where they will never be. */
  until(count: number, { signal }: StoreOptions = {}): Promise<void> {
    if (signal?.aborted) return Promise.reject(this.#cancelled())
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter)
        reject(this.#cancelled())
      }
      const free = (): void => signal?.removeEventListener('abort', stop)
      const waiter: Waiter = {
        count,
        resolve: () => {
          free()
          resolve()
        },
        reject: (reason) => {
          free()
          reject(reason instanceof Error ? reason : new Error(String(reason)))
        },
      }
      signal?.addEventListener('abort', stop, { once: true })
      this.#waiters.push(waiter)
      this.#settle()
    })
  }

  /** Resolves when everything is there and the file is known to be whole. */
  complete(options: StoreOptions = {}): Promise<void> {
    return this.until(Infinity, options)
  }

  #settle(): void {
    const waiting: Waiter[] = []
    for (const waiter of this.#waiters) {
      if (waiter.count <= this.#count || this.#state === 'complete') waiter.resolve()
      else if (this.#state === 'failed') waiter.reject(this.#reason)
      else waiting.push(waiter)
    }
    this.#waiters = waiting
  }
}
