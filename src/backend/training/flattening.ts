/** Steps over which the loss is averaged: single batches differ too much. */
const WINDOW = 60
/** The mean has to fall by this share to count as progress. */
const PROGRESS = 0.01
/** Windows without progress after which more of the same teaches nothing. */
const PATIENCE = 3
/** Steps after which it is enough in any case. */
const MOST = 2000

/** Whether a training that sees nothing new still learns. */
export class Flattening {
  #steps = 0
  #sum = 0
  #count = 0
  #best = Number.POSITIVE_INFINITY
  #without = 0

  /** There is something new to learn. */
  restart(): void {
    this.#steps = 0
    this.#sum = 0
    this.#count = 0
    this.#best = Number.POSITIVE_INFINITY
    this.#without = 0
  }

  /** A run did so many steps; `loss` is that of its last one. */
  add(steps: number, loss: number | null): void {
    if (loss === null || steps === 0) return
    this.#steps += steps
    this.#sum += loss * steps
    this.#count += steps
    if (this.#count < WINDOW) return
    const mean = this.#sum / this.#count
    this.#sum = 0
    this.#count = 0
    if (mean < this.#best * (1 - PROGRESS)) this.#without = 0
    else this.#without++
    this.#best = Math.min(this.#best, mean)
  }

  get flat(): boolean {
    return this.#without >= PATIENCE || this.#steps >= MOST
  }
}
