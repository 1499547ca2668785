import { tileName, type TileKey } from './pyramid.ts'

export interface TileQueueOptions<V> {
  readonly load: (key: TileKey, signal: AbortSignal) => Promise<V>
  /** Requests under way at once. */
  readonly parallel: number
  readonly onLoaded: (key: TileKey, value: V) => void
  /** Not told of what was cancelled here. */
  readonly onFailed: (key: TileKey, thrown: unknown) => void
}

/** Asks for tiles in the order in which they are wanted, a few at a time; what is wanted no longer is cancelled. */
export class TileQueue<V> {
  private readonly options: TileQueueOptions<V>
  private readonly underWay = new Map<string, AbortController>()
  private waiting: readonly TileKey[] = []
  /** Counts cancelled requests too until they are over: the backend may still be busy with them. */
  private active = 0

  constructor(options: TileQueueOptions<V>) {
    this.options = options
  }

  /** Tiles that are wanted and not here. */
  get pending(): number {
    return this.waiting.length + this.underWay.size
  }

  /** From now on these are wanted, the first most; replaces what was wanted before. */
  want(keys: readonly TileKey[]): void {
    const names = new Set(keys.map(tileName))
    for (const [name, abort] of this.underWay) {
      if (names.has(name)) continue
      this.underWay.delete(name)
      abort.abort()
    }
    this.waiting = keys.filter((key) => !this.underWay.has(tileName(key)))
    this.pump()
  }

  private pump(): void {
    while (this.active < this.options.parallel) {
      const [next, ...rest] = this.waiting
      if (!next) return
      this.waiting = rest
      void this.load(next)
    }
  }

  private async load(key: TileKey): Promise<void> {
    const name = tileName(key)
    const abort = new AbortController()
    this.underWay.set(name, abort)
    this.active++
    /** Still wanted: takes the request off the list, so that the answer counts once. */
    const mine = (): boolean => this.underWay.get(name) === abort && this.underWay.delete(name)
    try {
      const value = await this.options.load(key, abort.signal)
      if (mine()) this.options.onLoaded(key, value)
    } catch (thrown) {
      if (mine()) this.options.onFailed(key, thrown)
    } finally {
      this.active--
      this.pump()
    }
  }
}
