import { createRandom } from '../demo/random.ts'

export interface ReplaySlice {
  readonly caseId: string
  readonly slice: number
  /** Grows with time. */
  readonly changedSeq: number
  /** Labels that occur in it, background left out; none: it teaches what is empty. */
  readonly labels: readonly number[]
}

/** Slices without any label have their share, too. */
const EMPTY = 0

/**
 * Draws `count` of the slices, at most all: half of the newer half of them, half of the older one. In each, every label
 * gets its turn, that with the fewest slices so far first, and gives it to the case with the fewest; which of its slices is
 * left to the seed. The newest first.
 */
export function drawReplay<T extends ReplaySlice>(slices: readonly T[], count: number, seed: number): T[] {
  const ordered = [...slices].sort((a, b) => b.changedSeq - a.changedSeq)
  if (ordered.length <= count) return ordered
  const middle = Math.ceil(ordered.length / 2)
  const reservoir = new Reservoir<T>(seed)
  const ofOlder = Math.min(Math.floor(count / 2), ordered.length - middle)
  const drawn = new Set([
    ...reservoir.draw(ordered.slice(0, middle), count - ofOlder),
    ...reservoir.draw(ordered.slice(middle), ofOlder),
  ])
  return ordered.filter((slice) => drawn.has(slice))
}

class Reservoir<T extends ReplaySlice> {
  readonly #random: ReturnType<typeof createRandom>
  readonly #ofLabel = new Map<number, number>()
  readonly #ofCase = new Map<string, number>()

  constructor(seed: number) {
    this.#random = createRandom(seed)
  }

  draw(from: readonly T[], count: number): T[] {
    const drawn: T[] = []
    const left = this.#shuffled(from)
    while (drawn.length < count && left.length > 0) {
      const label = this.#neediest(left)
      let best = -1
      for (const [at, slice] of left.entries()) {
        if (!labelsOf(slice).includes(label)) continue
        if (best < 0 || this.#drawnOf(slice) < this.#drawnOf(left[best])) best = at
      }
      const [slice] = left.splice(best, 1)
      if (slice === undefined) break
      drawn.push(slice)
      for (const each of labelsOf(slice)) this.#ofLabel.set(each, (this.#ofLabel.get(each) ?? 0) + 1)
      this.#ofCase.set(slice.caseId, this.#drawnOf(slice) + 1)
    }
    return drawn
  }

  #drawnOf(slice: T | undefined): number {
    return slice === undefined ? 0 : (this.#ofCase.get(slice.caseId) ?? 0)
  }

  /** Of the labels that are left, the one with the fewest slices; the lower value where there are several. */
  #neediest(left: readonly T[]): number {
    const labels = [...new Set(left.flatMap(labelsOf))].sort((a, b) => a - b)
    const drawn = (label: number): number => this.#ofLabel.get(label) ?? 0
    return labels.reduce((best, label) => (drawn(label) < drawn(best) ? label : best), labels[0] ?? EMPTY)
  }

  #shuffled(from: readonly T[]): T[] {
    const items = [...from]
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.#random.int(0, i)
      const [a, b] = [items[i], items[j]]
      if (a !== undefined && b !== undefined) [items[i], items[j]] = [b, a]
    }
    return items
  }
}

function labelsOf({ labels }: ReplaySlice): readonly number[] {
  return labels.length === 0 ? [EMPTY] : labels
}
