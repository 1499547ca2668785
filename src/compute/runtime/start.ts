import { CodedError } from '../../core/contract/errors.ts'
import { openMemory } from './choice.ts'
import { createLadder, GAVE_UP, NO_TIME, rank } from './ladder.ts'
import { refused as refusedProof } from './proof.ts'
import { startRung } from './rung.ts'
import { FOREIGN_RUNGS, isForeign, isUsable, USABLE_RUNGS } from './rungs.ts'
import { selfTestRefusal } from './selfTest.ts'
import { readSettings } from './settings.ts'
import { threadCount } from './threads.ts'
import { refusalOf, refusalText } from './unavailable.ts'
import { versions } from './versions.ts'
import type { Memory } from './choice.ts'
import type { Judgement, JudgeOptions, Ladder } from './ladder.ts'
import type { Proof } from './proof.ts'
import type { StartedRung } from './rung.ts'
import type { UsableRung } from './rungs.ts'
import type { RuntimeSettings } from './settings.ts'
import type { Refusal } from './unavailable.ts'

export type Notify = (level: 'info' | 'warning', message: string) => void

export interface RuntimeOptions extends Partial<RuntimeSettings> {
  /** The script that answers `--probe`; without it, rungs that need a probe are passed over. */
  readonly probeEntry?: string
  /** What the user should know and no call answers. */
  readonly notify?: Notify
  readonly log?: (line: string) => void
}

export interface Runtime extends StartedRung {
  readonly backend: UsableRung
  /** It was chosen at an earlier start, for the same versions and drivers. */
  readonly cached: boolean
  /** Of the rungs that were tried and passed over, the reason. */
  readonly refused: ReadonlyMap<UsableRung, string>
  readonly versions: Record<string, string>
}

/** One probe at a start, and all of them: a driver that hangs must not keep the user waiting. */
const PROBE_SECONDS = 30
const ALL_PROBES_SECONDS = 60
/** Who insists on a rung waits for it. */
const ASKED_SECONDS = 60
const TOLD_AFTER_MS = 3000
const TRYING =
  'Maskwright is finding out how this computer computes fastest; that is done once for each driver and version.'

/** What decides about rungs, with the same defaults for a start and for doctor. */
export interface LadderParts {
  readonly settings: RuntimeSettings
  readonly threads: number
  readonly memory: Memory
  readonly ladder: Ladder
}

export function ladderParts(options: RuntimeOptions): LadderParts {
  const { probeEntry = null, log = () => undefined } = options
  // A process is told by its environment; whoever calls this in a process of its own says so by `options`.
  const unset: RuntimeSettings = { ...readSettings({}), packagesDir: readSettings().packagesDir }
  const settings: RuntimeSettings = { ...unset, ...options }
  const threads = threadCount(settings.threads)
  const memory = openMemory(settings.stateDir, log)
  return { settings, threads, memory, ladder: createLadder({ settings, threads, memory, probeEntry }) }
}

/**
 * Chooses the fastest rung that starts and passes the self-test, or takes the one asked for; makes it the current
 * backend of TensorFlow.js in this process. Once a process.
 * Throws CodedError('compute-failed') when the rung asked for cannot be used, or none can.
 */
export async function startRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const start = new Start(options)
  const { backend } = start.parts.settings
  if (backend === 'auto') return await start.fastest()
  if (isUsable(backend)) return await start.asked(backend)
  const names = ['auto', ...USABLE_RUNGS].join(', ')
  const what = backend === 'native' ? 'is not built yet' : 'is not part of this version'
  throw new CodedError('compute-failed', `The compute backend "${backend}" ${what}; use one of ${names}.`)
}

class Start {
  readonly parts: LadderParts
  readonly #notify: Notify
  readonly #refused = new Map<UsableRung, Proof>()
  readonly #found = new Map<UsableRung, { key: string; proof: Proof }>()

  constructor(options: RuntimeOptions) {
    this.parts = ladderParts(options)
    this.#notify = options.notify ?? (() => undefined)
  }

  /** The rung that the user insists on. */
  async asked(rung: UsableRung): Promise<Runtime> {
    const { ladder, memory } = this.parts
    if (isForeign(rung)) {
      const judged = await this.#judge(rung, {
        fresh: memory.crashedAtStart(rung),
        patient: true,
        seconds: ASKED_SECONDS,
      })
      memory.remember(this.#found, undefined)
      if (!judged.proof.ok) throw this.#refusal(rung)
    }
    const started = await this.#attempt(rung)
    if (started === null) throw this.#refusal(rung)
    return this.#runtime(rung, started, memory.chosen(ladder.choiceKey()) === rung)
  }

  async fastest(): Promise<Runtime> {
    const { ladder, memory, settings } = this.parts
    const key = ladder.choiceKey()
    const remembered = memory.chosen(key)
    const usable = remembered !== null && !settings.without.includes(remembered) && !memory.crashedAtStart(remembered)
    if (usable) {
      const started = await this.#attempt(remembered)
      if (started !== null) return this.#runtime(remembered, started, true)
    }
    // What fails now was remembered wrongly: all is tried again.
    const order = await this.#order(remembered !== null && !settings.without.includes(remembered))
    for (const rung of order) {
      const started = await this.#attempt(rung)
      if (started === null) continue
      // A choice among what is left in a session is not the choice for this computer.
      memory.remember(this.#found, settings.without.length > 0 ? undefined : { key, rung })
      return this.#runtime(rung, started, false)
    }
    const reasons = [...this.#refused].map(([rung, proof]) => `${rung}: ${text(proof)}`).join(' ')
    throw new CodedError('compute-failed', `No compute backend can be used on this computer. ${reasons}`)
  }

  /**
   * Tries what is not known yet, one after the other so that none disturbs the times of another. `wasm` cannot harm this
   * process and needs no proof; it is only timed where there is something to compare it with.
   */
  async #order(fresh: boolean): Promise<UsableRung[]> {
    const proofs = new Map<UsableRung, Proof>()
    const told = setTimeout(() => {
      this.#notify('info', TRYING)
    }, TOLD_AFTER_MS)
    const begin = performance.now()
    try {
      for (const rung of FOREIGN_RUNGS) {
        const left = ALL_PROBES_SECONDS - (performance.now() - begin) / 1000
        const { proof } = await this.#judge(rung, { fresh, seconds: Math.min(PROBE_SECONDS, left) })
        if (proof.ok) proofs.set(rung, proof)
      }
      const safe = this.#safe()
      if (proofs.size === 0 || !safe.includes('wasm')) return [...rank(proofs), ...safe]
      const { proof } = await this.#judge('wasm', { fresh })
      if (proof.ok) proofs.set('wasm', proof)
      const ranked = rank(proofs)
      // What could not be timed in a process of its own may work in this one, and otherwise says why not.
      return [...ranked, ...safe.filter((rung) => !ranked.includes(rung))]
    } finally {
      clearTimeout(told)
    }
  }

  /** What can do no harm, without what gave up in this session. */
  #safe(): UsableRung[] {
    const { without } = this.parts.settings
    if (without.includes('wasm')) this.#refused.set('wasm', refusedProof(GAVE_UP))
    return without.includes('wasm') ? ['js'] : ['wasm', 'js']
  }

  async #judge(rung: UsableRung, options: JudgeOptions): Promise<Judgement> {
    const { ladder, settings } = this.parts
    const { fresh = false, patient = false, seconds = PROBE_SECONDS } = options
    const late: Judgement = { proof: refusedProof(NO_TIME), source: 'untried' }
    // What gave up in this session stays out of it.
    const again = fresh && !settings.without.includes(rung)
    const judged = seconds < 1 ? late : await ladder.judge(rung, { fresh: again, patient, seconds })
    if (!judged.proof.ok) this.#refused.set(rung, judged.proof)
    if (judged.source === 'probe') this.#found.set(rung, { key: ladder.key(rung), proof: judged.proof })
    return judged
  }

  async #attempt(rung: UsableRung): Promise<StartedRung | null> {
    const { memory, threads, settings } = this.parts
    const over = isForeign(rung) ? memory.starting(rung) : () => undefined
    try {
      const started = await startRung(rung, threads, { packagesDir: settings.packagesDir })
      if (started.selfTest.ok) return started
      this.#fails(rung, selfTestRefusal(started.selfTest))
    } catch (error) {
      this.#fails(rung, refusalOf(error))
    } finally {
      over()
    }
    return null
  }

  /** Here, whatever it did in a process of its own. */
  #fails(rung: UsableRung, refusal: Refusal): void {
    const proof = refusedProof(refusal)
    this.#refused.set(rung, proof)
    if (isForeign(rung)) this.#found.set(rung, { key: this.parts.ladder.key(rung), proof })
  }

  #runtime(backend: UsableRung, started: StartedRung, cached: boolean): Runtime {
    if (started.note !== null) this.#notify('warning', `${backend}: ${started.note}`)
    const reasons = new Map([...this.#refused].map(([rung, proof]) => [rung, text(proof)]))
    return { backend, cached, refused: reasons, versions: versions(this.parts.settings.packagesDir), ...started }
  }

  #refusal(rung: UsableRung): CodedError {
    const proof = this.#refused.get(rung)
    const why = proof === undefined ? '' : ` ${text(proof)}`
    const detail = proof?.detail ?? null
    const message = `The compute backend "${rung}" was asked for and cannot be used.${why} With "auto", Maskwright takes one that works.`
    return new CodedError('compute-failed', message, detail === null ? {} : { detail })
  }
}

function text({ reason, remedy }: Proof): string {
  return refusalText({ reason: reason ?? '', remedy })
}
