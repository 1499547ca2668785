import type { EventName, EventPayload, EventSource } from '../core/contract/events.ts'

/** The backend's one place that tells events; each connection subscribes. A listener that throws harms nobody else. */
export class EventHub implements EventSource {
  readonly #listeners = new Set<(name: EventName, payload: unknown) => void>()
  readonly #log: (line: string) => void

  constructor(log: (line: string) => void) {
    this.#log = log
  }

  on(listener: (name: EventName, payload: unknown) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  emit<E extends EventName>(name: E, payload: EventPayload<E>): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(name, payload)
      } catch (error) {
        this.#log(`event ${name}: a listener failed: ${String(error)}`)
      }
    }
  }
}
