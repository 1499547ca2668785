/** Strokes of one correction follow each other: only this long after the last one the pen counts as up. */
const LIFT_MS = 300
/** A pen of which nothing is heard for 10 s is taken for lifted: a long stroke says that it goes on. */
const REPEAT_MS = 4000

/**
 * Tells that the pen is down, and up again. What it costs is paid after the event that the stroke was drawn in, never
 * within it.
 */
export class PenSignal {
  private readonly send: (down: boolean) => void
  private lifting: ReturnType<typeof setTimeout> | undefined
  private telling: ReturnType<typeof setTimeout> | undefined
  private repeating: ReturnType<typeof setInterval> | undefined

  constructor(send: (down: boolean) => void) {
    this.send = send
  }

  down(): void {
    clearTimeout(this.lifting)
    this.lifting = undefined
    if (this.repeating !== undefined) return
    this.telling = setTimeout(() => this.send(true), 0)
    this.repeating = setInterval(() => this.send(true), REPEAT_MS)
  }

  up(): void {
    if (this.repeating === undefined || this.lifting !== undefined) return
    this.lifting = setTimeout(() => {
      this.forget()
      this.send(false)
    }, LIFT_MS)
  }

  /** Whatever was told no longer matters: nobody listens, or a new listener knows of no pen. */
  forget(): void {
    clearTimeout(this.lifting)
    clearTimeout(this.telling)
    clearInterval(this.repeating)
    this.lifting = undefined
    this.telling = undefined
    this.repeating = undefined
  }
}
