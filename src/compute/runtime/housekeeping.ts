import { idleBytes, releaseIdle } from './deviceMemory.ts'
import { collectGarbage, memoryBound } from './memory.ts'
import { wasmHeap } from './wasmHeap.ts'

/**
 * Keeps the process within its bound between two calls. What no call uses is given back; where that is not enough, since
 * the heap of WebAssembly never shrinks, the process ends by itself with RECYCLED and the host starts it afresh. Without
 * calls for a while it does so earlier: an idle workstation should not hold gigabytes. But not as long as it holds what is
 * nowhere else: a training that waits for the next stroke.
 */
export interface Housekeeping {
  /** A call begins. */
  begin(): void
  /** A call was answered. */
  end(): void
}

/** What the process ends with to be started afresh by its host, which takes that for no crash. */
export const RECYCLED = 75

export interface HousekeepingOptions {
  /** Gives back what is only kept to be faster: loaded models, copies of cases. */
  readonly dropCaches: () => void
  /** Ends the process with RECYCLED, after what it has said got out. */
  readonly recycle: () => void
  /** The process holds what would be lost with it, and is not ended for being idle. */
  readonly needed?: () => boolean
  readonly idleMs?: number
  /** What the process holds, and may hold; in bytes (tests). */
  readonly measure?: () => Holdings
  /** Gives back what is not in use (tests). */
  readonly giveBack?: () => void
}

export interface Holdings {
  readonly rss: number
  readonly bound: number
  /** The heap of WebAssembly; 0 on other rungs. */
  readonly heap: number
  /** What releaseIdle() gives back, on the rung that keeps sessions. */
  readonly sessions?: number
}

const IDLE_MS = 30_000
/** Without calls the heap, or sessions, may stay this large: what predicting slices of 512 x 512 leaves. */
const IDLE_HEAP = 512 * 2 ** 20
/** A new process that would hold about as much again is no use. */
const WORTH_IT = 128 * 2 ** 20

export function createHousekeeping({
  dropCaches,
  recycle,
  needed = () => false,
  idleMs = IDLE_MS,
  measure = measured,
  giveBack = giveBackIdle,
}: HousekeepingOptions): Housekeeping {
  let running = 0
  let atStart: number | null = null
  let idle: NodeJS.Timeout | null = null
  let over = false

  function restart(): void {
    over = true
    recycle()
  }

  function tidy(): void {
    if (isOver(measure())) {
      dropCaches()
      giveBack()
    }
    if (isOver(measure())) restart()
  }

  function isOver({ rss, bound }: Holdings): boolean {
    return rss > bound && rss - (atStart ?? 0) > WORTH_IT
  }

  return {
    begin() {
      running++
      if (idle !== null) clearTimeout(idle)
      idle = null
    },
    end() {
      running--
      // The first call asks whether there is a backend.
      atStart ??= measure().rss
      if (running > 0 || over) return
      tidy()
      idle = setTimeout(() => {
        const { heap, bound, sessions = 0 } = measure()
        if (running > 0 || over) return
        if (heap > Math.min(IDLE_HEAP, bound / 2) && !needed()) restart()
        else if (sessions > Math.min(IDLE_HEAP, bound / 2)) giveBack()
      }, idleMs)
      idle.unref()
    },
  }
}

function giveBackIdle(): void {
  releaseIdle()
  collectGarbage()
}

function measured(): Holdings {
  return { rss: process.memoryUsage.rss(), bound: memoryBound(), heap: wasmHeap()?.size() ?? 0, sessions: idleBytes() }
}
