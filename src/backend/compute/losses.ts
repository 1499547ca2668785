import { rungSchema, type Rung } from '../../core/contract/schemas.ts'
import { cannotBeUsed, gaveUp } from './words.ts'

/** Rungs whose drivers are known to take a process along. */
const GRAPHICS: ReadonlySet<Rung> = new Set(['cuda', 'webgpu'])
/** Rungs that load code which is not ours or the browser engine's. */
const FOREIGN: readonly Rung[] = ['native', 'cuda', 'webgpu', 'tensorflow']
const CRASHES_IN_A_ROW = 2
const FAILED_STARTS_IN_A_ROW = 3

/** The rungs that gave up in this session, and what is counted until one does. */
export class Losses {
  #rungs = new Set<Rung>()
  #crashes = 0
  #failedStarts = 0
  #untold: { rungs: Rung[]; why: string; chosen: boolean } | null = null

  get rungs(): ReadonlySet<Rung> {
    return this.#rungs
  }

  /** The rung cannot go on; `why` is a sentence. False where the ladder has none below it: then it stays. */
  lose(rung: Rung, why: string): boolean {
    if (rung === rungSchema.options.at(-1)) return false
    this.#exclude([rung], why)
    return true
  }

  /** A rung that was chosen for this computer cannot be started any more. As `lose`, in other words. */
  refused(rung: Rung, why: string): boolean {
    if (rung === rungSchema.options.at(-1)) return false
    this.#exclude([rung], why, true)
    return true
  }

  /**
   * Compute crashed while `rung` computed something that was asked of it. True: too often in a row for a rung of
   * the graphics card, which has given up with this.
   */
  crashed(rung: Rung): boolean {
    if (!GRAPHICS.has(rung) || ++this.#crashes < CRASHES_IN_A_ROW) return false
    this.#crashes = 0
    return this.lose(rung, 'It crashed twice in a row.')
  }

  /** Compute stopped before it was ready, on a rung that is not known: after a few times in a row the safe ones are left. */
  failedToStart(): void {
    if (++this.#failedStarts !== FAILED_STARTS_IN_A_ROW) return
    const left = FOREIGN.filter((rung) => !this.#rungs.has(rung))
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
    const { rungs, why, chosen } = untold
    return chosen ? cannotBeUsed(rungs.join(', '), why, now) : gaveUp(rungs, why, now)
  }

  /** Every rung may be tried again. Returns what brings the exclusions back. */
  clear(): () => void {
    const before = this.#rungs
    this.#rungs = new Set()
    this.#crashes = 0
    this.#failedStarts = 0
    return () => (this.#rungs = before)
  }

  #exclude(rungs: Rung[], why: string, chosen = false): void {
    this.#rungs = new Set([...this.#rungs, ...rungs])
    this.#untold = { rungs: [...(this.#untold?.rungs ?? []), ...rungs], why, chosen }
  }
}
