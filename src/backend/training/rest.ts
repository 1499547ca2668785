/** Sleep that can be ended by others. One who is woken while awake does not fall asleep the next time. */
export class Rest {
  #woken = false
  #wake: () => void = () => undefined

  wake(): void {
    this.#woken = true
    this.#wake()
  }

  /** Until woken, at most so many milliseconds. */
  async sleep(milliseconds: number): Promise<void> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        const timer = Number.isFinite(milliseconds) ? setTimeout(resolve, Math.max(0, milliseconds)).unref() : undefined
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    this.#wake = () => undefined
    this.#woken = false
  }
}
