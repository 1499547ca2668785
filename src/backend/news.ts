import type { Tallies } from './annotation/tallies.ts'
import type { EventHub } from './events.ts'
import type { Predictions } from './prediction/predictions.ts'
import type { Worklist } from './worklist/worklist.ts'

/** Strokes come quickly; the worklist's summaries follow once in this many milliseconds. */
const GATHER_MS = 60

/** Tells clients what follows from a change: summaries of the worklist, lists of corrected and predicted slices. */
export class News {
  readonly #events: EventHub
  #worklist: Worklist | null = null
  #timer: NodeJS.Timeout | null = null
  #closed = false
  readonly #tallies: Tallies
  readonly #predictions: Predictions

  constructor(events: EventHub, tallies: Tallies, predictions: Predictions) {
    this.#events = events
    this.#tallies = tallies
    this.#predictions = predictions
  }

  connect(worklist: Worklist): void {
    this.#worklist = worklist
  }

  projectChanged(): void {
    if (this.#closed) return
    this.#timer ??= setTimeout(() => this.#tellProject(), GATHER_MS)
  }

  slicesChanged(caseId: string): void {
    this.#events.emit('case.slices', {
      caseId,
      ...this.#tallies.marks(caseId),
      predicted: this.#predictions.indices(caseId),
    })
  }

  /** What waits to be told is told now; what comes later has no project to be told of. */
  close(): void {
    this.#closed = true
    if (this.#timer === null) return
    clearTimeout(this.#timer)
    this.#tellProject()
  }

  #tellProject(): void {
    this.#timer = null
    if (this.#worklist !== null) this.#events.emit('project.changed', { cases: this.#worklist.summaries() })
  }
}
