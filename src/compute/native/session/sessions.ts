import type { InferenceSession } from 'onnxruntime-common'

/** Sessions that were made, for as long as memory allows. */
export interface Sessions {
  /**
   * Runs `work` with the session of this name, which is made where it is not there (any more). `size` is that of what it is
   * given, in any unit: more than ever before makes it take more memory.
   */
  use<T>(
    name: string,
    size: number,
    make: () => Promise<InferenceSession>,
    work: (session: InferenceSession) => Promise<T>,
  ): Promise<T>
  /** Lets go of this session as soon as nobody uses it. */
  drop(name: string): void
  /** Lets go of all that nobody uses. */
  trim(): void
  /** Bytes by which this process grew with the sessions that nobody uses: they can be had back. */
  idleBytes(): number
}

export interface Bounds {
  readonly count: number
  /** Of all sessions together; the one used last is kept in any case. */
  readonly bytes: () => number
}

interface Kept {
  readonly session: Promise<InferenceSession>
  users: number
  bytes: number
  largest: number
  dropped: boolean
}

/**
 * Keeps sessions, the ones not used for longest going first. What a session holds (weights, and the arena that its first
 * run fills and later ones use again) is taken to be what the process grew by while it was made and run on the most so far;
 * by what it grows otherwise is waiting to be collected.
 */
export function keepSessions({ count, bytes }: Bounds, resident = () => process.memoryUsage.rss()): Sessions {
  /** The one used last comes last. */
  const kept = new Map<string, Kept>()

  function entry(name: string, make: () => Promise<InferenceSession>): Kept {
    const found = kept.get(name) ?? { session: make(), users: 0, bytes: 0, largest: -1, dropped: false }
    kept.delete(name)
    kept.set(name, found)
    return found
  }

  function drop(name: string): void {
    const found = kept.get(name)
    if (found === undefined) return
    kept.delete(name)
    found.dropped = true
    if (found.users === 0) release(found)
  }

  function keepWithin(): void {
    const [last] = [...kept.keys()].slice(-1)
    let all = [...kept.values()].reduce((sum, each) => sum + each.bytes, 0)
    for (const [name, each] of [...kept]) {
      if (kept.size <= count && all <= bytes()) return
      if (name === last || each.users > 0) continue
      all -= each.bytes
      drop(name)
    }
  }

  return {
    async use(name, size, make, work) {
      const more = size > (kept.get(name)?.largest ?? -1)
      const before = more ? resident() : 0
      const found = entry(name, make)
      found.users++
      try {
        return await work(await found.session)
      } catch (error) {
        drop(name)
        throw error
      } finally {
        found.users--
        if (more) found.bytes += Math.max(0, resident() - before)
        found.largest = Math.max(found.largest, size)
        if (found.dropped && found.users === 0) release(found)
        keepWithin()
      }
    },
    drop,
    trim() {
      for (const [name, { users }] of [...kept]) if (users === 0) drop(name)
    },
    idleBytes: () => [...kept.values()].reduce((sum, { users, bytes: held }) => sum + (users === 0 ? held : 0), 0),
  }
}

function release({ session }: Kept): void {
  // One that could not be made holds nothing.
  void session.then((made) => made.release()).catch(() => undefined)
}
