import { CodedError } from '../../../core/contract/errors.ts'
import type { Axis } from '../../../core/contract/schemas.ts'

export interface SliceKey {
  readonly axis: Axis
  readonly index: number
}

export interface SliceCacheOptions<T> {
  readonly load: (key: SliceKey, signal: AbortSignal) => Promise<T>
  readonly bytesOf: (value: T) => number
  readonly budgetBytes: number
  /** Requests of the prefetch that may be under way at once. */
  readonly parallel?: number
}

interface Entry<T> {
  readonly key: SliceKey
  readonly value: T
  readonly bytes: number
}

function nameOf(key: SliceKey): string {
  return `${key.axis}:${key.index}`
}

/**
 * Slices of one kind, the least recently used dropped first. The same slice is asked for once at a time. What arrives
 * after it was dropped or the cache was cleared is handed to nobody.
 */
export class SliceCache<T> {
  private readonly options: SliceCacheOptions<T>
  private readonly entries = new Map<string, Entry<T>>()
  private readonly loading = new Map<string, { promise: Promise<T>; abort: AbortController }>()
  private queue: SliceKey[] = []
  private prefetching = 0
  private bytes = 0

  constructor(options: SliceCacheOptions<T>) {
    this.options = options
  }

  /** The slice if it is here; counts as a use. */
  get(key: SliceKey): T | undefined {
    const name = nameOf(key)
    const entry = this.entries.get(name)
    if (!entry) return undefined
    this.entries.delete(name)
    this.entries.set(name, entry)
    return entry.value
  }

  *values(): IterableIterator<readonly [SliceKey, T]> {
    for (const { key, value } of this.entries.values()) yield [key, value]
  }

  put(key: SliceKey, value: T): void {
    const name = nameOf(key)
    this.remove(name)
    const bytes = this.options.bytesOf(value)
    this.entries.set(name, { key, value, bytes })
    this.bytes += bytes
    for (const oldest of this.entries.keys()) {
      if (this.bytes <= this.options.budgetBytes || oldest === name) break
      this.remove(oldest)
    }
  }

  /** From the cache or from the backend. Rejects with a CodedError('cancelled') when it was dropped meanwhile. */
  want(key: SliceKey): Promise<T> {
    const here = this.get(key)
    if (here !== undefined) return Promise.resolve(here)
    const name = nameOf(key)
    const under = this.loading.get(name)
    if (under) return under.promise
    const abort = new AbortController()
    const promise = this.options
      .load(key, abort.signal)
      .then((value) => {
        if (abort.signal.aborted) throw new CodedError('cancelled', 'The slice is no longer wanted.')
        this.put(key, value)
        return value
      })
      .finally(() => {
        if (this.loading.get(name)?.abort === abort) this.loading.delete(name)
      })
    this.loading.set(name, { promise, abort })
    return promise
  }

  /** Loads these in the background, in this order; replaces what an earlier call has not begun. */
  prefetch(keys: readonly SliceKey[]): void {
    this.queue = keys.filter((key) => !this.entries.has(nameOf(key)) && !this.loading.has(nameOf(key)))
    this.pump()
  }

  drop(key: SliceKey): void {
    const name = nameOf(key)
    this.loading.get(name)?.abort.abort()
    this.loading.delete(name)
    this.remove(name)
  }

  clear(): void {
    for (const { abort } of this.loading.values()) abort.abort()
    this.loading.clear()
    this.entries.clear()
    this.queue = []
    this.bytes = 0
  }

  private pump(): void {
    while (this.prefetching < (this.options.parallel ?? 2)) {
      const key = this.queue.shift()
      if (!key) return
      this.prefetching++
      // A failure shows when the slice is really wanted and asked for again.
      this.want(key)
        .catch(() => undefined)
        .finally(() => {
          this.prefetching--
          this.pump()
        })
    }
  }

  private remove(name: string): void {
    const entry = this.entries.get(name)
    if (!entry) return
    this.entries.delete(name)
    this.bytes -= entry.bytes
  }
}

/** The slices to have ready after a move to `index` in `direction` (1 or -1): `ahead` onwards, `behind` back. */
export function prefetchPlan(
  axis: Axis,
  index: number,
  count: number,
  direction: 1 | -1,
  ahead: number,
  behind: number,
): SliceKey[] {
  const keys: SliceKey[] = []
  const add = (at: number): void => {
    if (at >= 0 && at < count) keys.push({ axis, index: at })
  }
  for (let distance = 1; distance <= Math.max(ahead, behind); distance++) {
    if (distance <= ahead) add(index + direction * distance)
    if (distance <= behind) add(index - direction * distance)
  }
  return keys
}
