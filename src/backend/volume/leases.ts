/** How things are opened, closed and weighed. */
export interface LeaseOptions<T> {
  /** `signal` is aborted when nobody will want the thing any more. */
  readonly open: (key: string, signal: AbortSignal) => Promise<T>
  readonly close: (value: T) => Promise<void>
  /** The share that an opened thing takes of what all together may take: 1 and more fills it alone. Asked again and again. */
  readonly share: (value: T) => number
  /** Closed after so long without use, in milliseconds; null: only when others need the room. */
  readonly idleMs: number | null
}

interface Entry<T> {
  readonly opening: Promise<T>
  readonly stop: AbortController
  /** Null while it is being opened. */
  value: T | null
  users: number
  /** Not to be found any more; closed when its last user is done. */
  dropped: boolean
  timer: NodeJS.Timeout | null
  readonly closed: PromiseWithResolvers<true>
}

/**
 * Things that are opened when they are wanted, such as images, and stay open for the next who wants them: the least recently
 * used is closed when all together take too much, but none while it is used.
 */
export class Leases<T> {
  readonly #options: LeaseOptions<T>
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry<T>>()
  /** Dropped ones that are still used or being closed. */
  readonly #leaving = new Set<Entry<T>>()
  #ended = false

  constructor(options: LeaseOptions<T>) {
    this.#options = options
  }

  /**
   * Opens the thing, or takes the open one, and keeps it open until `work` is done. The signal given to `work` is aborted when the
   * thing was dropped for good. Throws what opening throws; the next use then tries afresh.
   */
  async use<R>(key: string, work: (value: T, signal: AbortSignal) => R | Promise<R>): Promise<R> {
    const entry = this.#entries.get(key) ?? this.#open(key)
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    if (entry.timer !== null) clearTimeout(entry.timer)
    entry.timer = null
    entry.users++
    try {
      return await work(await entry.opening, entry.stop.signal)
    } finally {
      entry.users--
      this.#rest(key, entry)
      this.#shrink()
    }
  }

  /** Keeps something that was opened for another reason. What was open under this key is dropped. */
  keep(key: string, value: T): void {
    this.drop(key)
    this.#add(key, Promise.resolve(value), new AbortController()).value = value
    if (this.#ended) this.drop(key)
    this.#shrink()
  }

  /** Closes it when its users are done; `abort`: they are told to stop. The next use opens it afresh. */
  drop(key: string, options: { readonly abort?: boolean } = {}): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#dropEntry(key, entry)
    if (options.abort === true) entry.stop.abort()
  }

  isOpen(key: string): boolean {
    return this.#entries.has(key)
  }

  /** Tells all users to stop, and resolves when everything is closed. What comes afterwards is closed at once. */
  async close(): Promise<void> {
    this.#ended = true
    for (const key of [...this.#entries.keys()]) this.drop(key, { abort: true })
    const leaving = [...this.#leaving]
    for (const entry of leaving) entry.stop.abort()
    await Promise.all(leaving.map((entry) => entry.closed.promise))
  }

  #open(key: string): Entry<T> {
    const stop = new AbortController()
    if (this.#ended) stop.abort()
    const entry = this.#add(key, this.#options.open(key, stop.signal), stop)
    entry.opening.then(
      (value) => {
        entry.value = value
        if (this.#ended) this.#dropEntry(key, entry)
        this.#closeUnused(entry)
        this.#shrink()
      },
      () => {
        if (this.#entries.get(key) === entry) this.#entries.delete(key)
        this.#leaving.delete(entry)
        entry.closed.resolve(true)
      },
    )
    return entry
  }

  #add(key: string, opening: Promise<T>, stop: AbortController): Entry<T> {
    const entry: Entry<T> = {
      opening,
      stop,
      value: null,
      users: 0,
      dropped: false,
      timer: null,
      closed: Promise.withResolvers<true>(),
    }
    this.#entries.set(key, entry)
    return entry
  }

  /** Nothing happens where another one is open under this key by now. */
  #dropEntry(key: string, entry: Entry<T>): void {
    if (this.#entries.get(key) !== entry) return
    this.#entries.delete(key)
    entry.dropped = true
    this.#leaving.add(entry)
    this.#closeUnused(entry)
  }

  #rest(key: string, entry: Entry<T>): void {
    if (entry.dropped) this.#closeUnused(entry)
    else if (entry.users === 0 && this.#options.idleMs !== null) {
      entry.timer = setTimeout(() => this.#dropEntry(key, entry), this.#options.idleMs)
      entry.timer.unref()
    }
  }

  #closeUnused(entry: Entry<T>): void {
    const { value } = entry
    if (!entry.dropped || entry.users > 0 || value === null) return
    entry.value = null
    if (entry.timer !== null) clearTimeout(entry.timer)
    // What cannot be closed is left to the system.
    void this.#options
      .close(value)
      .catch(() => undefined)
      .finally(() => {
        this.#leaving.delete(entry)
        entry.closed.resolve(true)
      })
  }

  #shrink(): void {
    const share = (entry: Entry<T>): number => (entry.value === null ? 0 : this.#options.share(entry.value))
    let total = 0
    for (const entry of this.#entries.values()) total += share(entry)
    for (const [key, entry] of [...this.#entries]) {
      if (total <= 1 || this.#entries.size <= 1) return
      if (entry.users > 0 || entry.value === null) continue
      total -= share(entry)
      this.drop(key)
    }
  }
}
