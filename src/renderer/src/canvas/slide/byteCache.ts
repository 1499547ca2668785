interface Entry<V> {
  readonly value: V
  readonly bytes: number
  readonly pinned: boolean
}

/** Values by name up to a number of bytes; the least recently used goes first, pinned ones stay. */
export class ByteCache<V> {
  private readonly entries = new Map<string, Entry<V>>()
  private budget: number
  private readonly dropped: (value: V) => void
  private held = 0

  /** `dropped` is told of every value that leaves. */
  constructor(budgetBytes: number, dropped: (value: V) => void = () => undefined) {
    this.budget = budgetBytes
    this.dropped = dropped
  }

  get bytes(): number {
    return this.held
  }

  get size(): number {
    return this.entries.size
  }

  has(name: string): boolean {
    return this.entries.has(name)
  }

  /** Counts as a use. */
  get(name: string): V | undefined {
    const entry = this.entries.get(name)
    if (!entry) return undefined
    this.entries.delete(name)
    this.entries.set(name, entry)
    return entry.value
  }

  put(name: string, value: V, bytes: number, pinned = false): void {
    this.remove(name)
    this.entries.set(name, { value, bytes, pinned })
    this.held += bytes
    this.trim(name)
  }

  setBudget(bytes: number): void {
    this.budget = bytes
    this.trim(null)
  }

  clear(): void {
    for (const name of [...this.entries.keys()]) this.remove(name)
  }

  private trim(keep: string | null): void {
    if (this.held <= this.budget) return
    for (const [oldest, entry] of this.entries) {
      if (this.held <= this.budget) return
      if (!entry.pinned && oldest !== keep) this.remove(oldest)
    }
  }

  private remove(name: string): void {
    const entry = this.entries.get(name)
    if (!entry) return
    this.entries.delete(name)
    this.held -= entry.bytes
    this.dropped(entry.value)
  }
}
