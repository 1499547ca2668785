/** A window that asked for a job: its session, and whether its page is there (absent: it is). A call's context is one. */
export interface Owner {
  readonly sessionId: string
  readonly connected?: () => boolean
}

/** The windows that wait for one job. */
export class Owners {
  readonly #bySession = new Map<string, Owner>()

  constructor(owners: Iterable<Owner>) {
    for (const owner of owners) this.add(owner)
  }

  add({ sessionId, connected }: Owner): void {
    this.#bySession.set(sessionId, connected === undefined ? { sessionId } : { sessionId, connected })
  }

  leave(sessionId: string): void {
    this.#bySession.delete(sessionId)
  }

  has(sessionId: string): boolean {
    return this.#bySession.has(sessionId)
  }

  all(): Owner[] {
    return [...this.#bySession.values()]
  }

  /** Those whose window is open, other than this one. A window that was closed or loaded again has left its jobs behind. */
  othersPresent(sessionId: string): boolean {
    return this.all().some((owner) => owner.sessionId !== sessionId && owner.connected?.() !== false)
  }
}
