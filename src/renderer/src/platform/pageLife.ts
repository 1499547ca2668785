/** What a page that begins anew goes on with: all else it reads from the backend. */
export interface Carried {
  /** The full page to show first. */
  readonly page: 'training'
  /** Training was asked for as soon as the project is open. */
  readonly train: boolean
}

let begin: () => void = () => window.location.reload()
let carried: Carried | null = null
let lostStrokes = 0

/** `again` takes the interface down and builds it up afresh over the same connection. */
export function provideRestart(again: () => void): void {
  begin = again
}

/** What the next beginning is to go on with; null: nothing. */
export function carry(next: Carried | null): void {
  carried = next
}

/** Once: whoever takes it acts on it. */
export function takeCarried(): Carried | null {
  const taken = carried
  carried = null
  return taken
}

/**
 * Begins the interface anew: another project is open, and nothing that was known holds. `lost` strokes of the one before
 * were not on disk.
 */
export function restartPage(lost: number): void {
  lostStrokes = lost
  begin()
}

/** Once: how many strokes the last beginning anew lost. */
export function takeLostStrokes(): number {
  const taken = lostStrokes
  lostStrokes = 0
  return taken
}
