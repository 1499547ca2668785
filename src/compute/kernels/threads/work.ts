/**
 * How the threads share one call. Only numbers in a SharedArrayBuffer pass between them: the thread that calls writes
 * down the function, its arguments and into how many chunks of units the work is cut, and every thread takes the next
 * chunk until none is left. A thread that is late finds nothing to do, and holds up nobody.
 */

/** Places in the Int32Array that leads the control block. */
export const PLACES = {
  /** (number of the call << 8) | the next chunk to be taken: one value, so that a chunk is taken of this call alone. */
  ticket: 0,
  chunks: 1,
  units: 2,
  /** Which of the functions, by their order. */
  called: 3,
  argumentCount: 4,
  /** Chunks that are done. */
  done: 5,
  /** Set when a function stopped with an error on a worker. */
  failed: 6,
  /** Workers that wait and must be woken. */
  sleepers: 7,
  /** Set when the caller waits and must be woken. */
  callerSleeps: 8,
  ended: 9,
} as const

/** Chunks must stay below: a ticket with this in its low bits has none left. */
export const CLOSED = 255

const PLACE_COUNT = 16
const ARGUMENT_COUNT = 40

export interface ControlBlock {
  readonly buffer: SharedArrayBuffer
  readonly words: Int32Array
  readonly args: Float64Array
}

export function createControlBlock(): ControlBlock {
  const buffer = new SharedArrayBuffer(PLACE_COUNT * 4 + ARGUMENT_COUNT * 8)
  return { buffer, words: new Int32Array(buffer, 0, PLACE_COUNT), args: new Float64Array(buffer, PLACE_COUNT * 4) }
}

/** A function that does the units begin..end-1 of its work. */
export type UnitFunction = (begin: number, end: number, ...args: number[]) => void

/**
 * Takes and does chunks of the call that `ticket` names until none is left. Used by the caller and the workers alike;
 * it refers to nothing outside, since workers get its source text.
 */
export function takeChunks(
  words: Int32Array,
  args: Float64Array,
  functions: readonly UnitFunction[],
  places: typeof PLACES,
  firstTicket: number,
): void {
  let ticket = firstTicket
  const chunks = words[places.chunks] ?? 0
  const units = words[places.units] ?? 0
  const called = functions[words[places.called] ?? 0]
  const values = [...args.subarray(0, words[places.argumentCount] ?? 0)]
  // Ever smaller chunks: the first ones cost few calls, and the last ones let the threads finish at the same time.
  const boundary = (chunk: number) => Math.round(units * (1 - (1 - chunk / chunks) ** 2))
  while ((ticket & 255) < chunks) {
    // What was read above belongs to this ticket if the ticket is still the same: it changes before anything else does.
    const seen = Atomics.compareExchange(words, places.ticket, ticket, ticket + 1)
    if (seen !== ticket) {
      if (seen >> 8 !== firstTicket >> 8) return
      ticket = seen
      continue
    }
    const chunk = ticket & 255
    try {
      const [begin, end] = [boundary(chunk), boundary(chunk + 1)]
      if (end > begin) called?.(begin, end, ...values)
    } catch (error) {
      Atomics.store(words, places.failed, 1)
      throw error
    } finally {
      Atomics.add(words, places.done, 1)
      if (Atomics.load(words, places.callerSleeps) === 1) Atomics.notify(words, places.done)
    }
    ticket++
  }
}
