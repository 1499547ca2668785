/** Keeps what was used last, up to so many bytes; of the rest, `drop` frees what it holds. */
export class ByteCache<T> {
  readonly #limit: number
  readonly #drop: (value: T) => void
  readonly #kept = new Map<string, { readonly value: T; readonly bytes: number }>()
  #bytes = 0

  constructor(limit: number, drop: (value: T) => void = () => undefined) {
    this.#limit = limit
    this.#drop = drop
  }

  get bytes(): number {
    return this.#bytes
  }

  get(key: string): T | undefined {
    const found = this.#kept.get(key)
    if (found === undefined) return undefined
    this.#kept.delete(key)
    this.#kept.set(key, found)
    return found.value
  }

  /** What alone is larger than the limit is kept until the next comes. */
  set(key: string, value: T, bytes: number): void {
    const before = this.#kept.get(key)
    if (before !== undefined && before.value === value) {
      this.#kept.delete(key)
      this.#bytes -= before.bytes
    } else this.delete(key)
    this.#kept.set(key, { value, bytes })
    this.#bytes += bytes
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#limit || oldest === key) break
      this.delete(oldest)
    }
  }

  clear(): void {
    for (const key of [...this.#kept.keys()]) this.delete(key)
  }

  /** Frees it, where it is kept. */
  delete(key: string): void {
    const found = this.#kept.get(key)
    if (found === undefined) return
    this.#kept.delete(key)
    this.#bytes -= found.bytes
    this.#drop(found.value)
  }
}
