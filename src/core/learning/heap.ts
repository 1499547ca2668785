interface Scored<T> {
  readonly item: T
  readonly score: number
}

export interface Heap<T> {
  push(entry: Scored<T>): void
  /** The one with the highest score, of equal ones that which was given first; null where there is none. */
  pop(): Scored<T> | null
}

interface Entry<T> extends Scored<T> {
  readonly order: number
}

/** A binary heap. An item that is pushed again keeps its place among equal ones. */
export function createHeap<T>(scored: readonly Scored<T>[]): Heap<T> {
  const orders = new Map<T, number>()
  const entries: Entry<T>[] = []
  for (const entry of scored) push(entry)

  function push(entry: Scored<T>): void {
    const order = orders.get(entry.item) ?? orders.size
    orders.set(entry.item, order)
    let at = entries.push({ ...entry, order }) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(at, parent)) return
      swap(at, parent)
      at = parent
    }
  }

  function pop(): Scored<T> | null {
    const top = entries[0]
    const last = entries.pop()
    if (top === undefined || last === undefined) return null
    if (entries.length > 0) {
      entries[0] = last
      sink()
    }
    return top
  }

  function sink(): void {
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2]
      let best = at
      if (left < entries.length && before(left, best)) best = left
      if (right < entries.length && before(right, best)) best = right
      if (best === at) return
      swap(at, best)
      at = best
    }
  }

  function before(a: number, b: number): boolean {
    const [one, other] = [entries[a], entries[b]]
    if (one === undefined || other === undefined) return false
    return one.score > other.score || (one.score === other.score && one.order < other.order)
  }

  function swap(a: number, b: number): void {
    const [one, other] = [entries[a], entries[b]]
    if (one === undefined || other === undefined) return
    entries[a] = other
    entries[b] = one
  }

  return { push, pop }
}
