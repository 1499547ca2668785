/** The receiving half of a transport: keeps messages until there is a listener, and tells once that it is closed. */
export class Inbox {
  private waiting: unknown[] = []
  private listener: ((message: unknown) => void) | null = null
  private readonly closeListeners: ((reason: string) => void)[] = []
  private closedBecause: string | null = null

  get closed(): boolean {
    return this.closedBecause !== null
  }

  deliver(message: unknown): void {
    if (this.closed) return
    if (this.listener === null) this.waiting.push(message)
    else this.listener(message)
  }

  onMessage(listener: (message: unknown) => void): void {
    this.listener = listener
    const waiting = this.waiting
    this.waiting = []
    for (const message of waiting) listener(message)
  }

  onClose(listener: (reason: string) => void): void {
    if (this.closedBecause === null) this.closeListeners.push(listener)
    else listener(this.closedBecause)
  }

  /** The first reason counts. */
  close(reason: string): void {
    if (this.closedBecause !== null) return
    this.closedBecause = reason
    for (const listener of this.closeListeners.splice(0)) listener(reason)
  }
}
