/** The pens of all windows. One that was not heard of for a while is taken for lifted: its window may be gone. */
export class Pens {
  readonly #lostMs: number
  readonly #changed: () => void
  readonly #down = new Map<string, NodeJS.Timeout>()

  constructor(lostMs: number, changed: () => void) {
    this.#lostMs = lostMs
    this.#changed = changed
  }

  get down(): boolean {
    return this.#down.size > 0
  }

  set(sessionId: string, down: boolean): void {
    this.#lift(sessionId)
    if (down) {
      const timer = setTimeout(() => this.set(sessionId, false), this.#lostMs).unref()
      this.#down.set(sessionId, timer)
    }
    this.#changed()
  }

  close(): void {
    for (const sessionId of [...this.#down.keys()]) this.#lift(sessionId)
  }

  #lift(sessionId: string): void {
    clearTimeout(this.#down.get(sessionId))
    this.#down.delete(sessionId)
  }
}
