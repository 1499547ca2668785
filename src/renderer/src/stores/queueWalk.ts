/** A slice across the training axis of a case. */
export interface Place {
  readonly caseId: string
  readonly index: number
}

function same(a: Place | undefined, b: Place | null): boolean {
  return a !== undefined && a.caseId === b?.caseId && a.index === b.index
}

/**
 * The way through the queue: on to the best slice that was not seen yet, and back to those that were. Slices leave the queue
 * as they are dealt with, so the way remembers where it led, not where it stands in the queue.
 */
export class QueueWalk {
  private trail: Place[] = []
  /** Where on the trail; -1: nowhere yet. */
  private at = -1

  /** Another ranking: all of it is unseen. */
  restart(): void {
    this.trail = []
    this.at = -1
  }

  /** `queue` is best first, `here` the slice on screen. Null: there is nothing else in the queue. */
  next(queue: readonly Place[], here: Place | null): Place | null {
    const waiting = (place: Place): boolean => queue.some((one) => same(one, place)) && !same(place, here)
    this.meet(queue, here)
    for (let at = this.at + 1; at < this.trail.length; at++) {
      const place = this.trail[at]
      if (place === undefined || !waiting(place)) continue
      this.at = at
      return place
    }
    const others = queue.filter((place) => !same(place, here))
    const fresh = others.find((place) => !this.trail.some((seen) => same(seen, place)))
    // All were seen: round again, from the best that is left.
    if (fresh === undefined) this.restart()
    const next = fresh ?? others[0]
    if (next === undefined) return null
    this.trail.push(next)
    this.at = this.trail.length - 1
    return next
  }

  /** A slice of the queue that was found by hand is seen as well. */
  private meet(queue: readonly Place[], here: Place | null): void {
    const found = queue.find((place) => same(place, here))
    if (found === undefined || this.trail.some((seen) => same(seen, here))) return
    this.at += 1
    this.trail.splice(this.at, 0, found)
  }

  /** Where the way came from, also when it is out of the queue by now: its last slice where `here` is beside the way. */
  previous(here: Place | null): Place | null {
    const last = this.trail[this.at]
    if (last === undefined) return null
    if (!same(last, here)) return last
    if (this.at === 0) return null
    this.at -= 1
    return this.trail[this.at] ?? null
  }
}
