import type { Rung, Way } from '../../core/contract/schemas.ts'
import { cannotBeUsed, gaveUp } from './words.ts'

/** Ways whose drivers, or whose own code, may take a process along. */
const FRAGILE: ReadonlySet<string> = new Set<Way>([
  'native-cuda',
  'native-dml',
  'native-coreml',
  'native-webgpu',
  'native-cpu',
  'cuda',
  'webgpu',
])
/** All that loads code which is not ours or the browser engine's; `native` stands for each of its providers. */
const FOREIGN: readonly Rung[] = ['native', 'cuda', 'webgpu', 'tensorflow']
/** There is none below it. */
const LAST: Way = 'js'
const CRASHES_IN_A_ROW = 2
const FAILED_STARTS_IN_A_ROW = 3

/** What gave up in this session, by rungs and single providers of `native`, and what is counted until one does. */
export class Losses {
  #ways = new Set<Rung | Way>()
  #crashes = 0
  #failedStarts = 0
  #untold: { ways: (Rung | Way)[]; why: string; chosen: boolean } | null = null

  get ways(): ReadonlySet<Rung | Way> {
    return this.#ways
  }

  /** The way cannot go on; `why` is a sentence. False where the ladder has none below it: then it stays. */
  lose(way: Way, why: string): boolean {
    if (way === LAST) return false
    this.#exclude([way], why)
    return true
  }

  /** What was chosen for this computer cannot be started any more. As `lose`, in other words. */
  refused(chosen: Rung | Way, why: string): boolean {
    if (chosen === LAST) return false
    this.#exclude([chosen], why, true)
    return true
  }

  /**
   * Compute crashed while `way` computed something that was asked of it. True: too often in a row for one that may crash
   * by itself, which has given up with this.
   */
  crashed(way: Way): boolean {
    if (!FRAGILE.has(way) || ++this.#crashes < CRASHES_IN_A_ROW) return false
    this.#crashes = 0
    return this.lose(way, 'It crashed twice in a row.')
  }

  /** Compute stopped before it was ready, on a way that is not known: after a few times in a row the safe ones are left. */
  failedToStart(): void {
    if (++this.#failedStarts !== FAILED_STARTS_IN_A_ROW) return
    const left = FOREIGN.filter((rung) => !this.#ways.has(rung))
    if (left.length > 0) this.#exclude(left, 'Compute stopped three times in a row while it started.')
  }

  started(): void {
    this.#failedStarts = 0
  }

  /** A training or prediction was answered. */
  worked(): void {
    this.#crashes = 0
  }

  /** What is to be said, once, now that `now` computes. */
  words(now: string): string | null {
    const untold = this.#untold
    this.#untold = null
    if (untold === null) return null
    const { ways, why, chosen } = untold
    return chosen ? cannotBeUsed(ways.join(', '), why, now) : gaveUp(ways, why, now)
  }

  /** Every way may be tried again. Returns what brings the exclusions back. */
  clear(): () => void {
    const before = this.#ways
    this.#ways = new Set()
    this.#crashes = 0
    this.#failedStarts = 0
    return () => (this.#ways = before)
  }

  #exclude(ways: (Rung | Way)[], why: string, chosen = false): void {
    this.#ways = new Set([...this.#ways, ...ways])
    this.#untold = { ways: [...(this.#untold?.ways ?? []), ...ways], why, chosen }
  }
}
