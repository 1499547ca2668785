/** Who wants to be told of something. */
export class Listeners<T> {
  readonly #listeners = new Set<(told: T) => void>()

  /** Returns the function that ends the subscription. */
  add(listener: (told: T) => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  tell(told: T): void {
    for (const listener of [...this.#listeners]) listener(told)
  }
}
