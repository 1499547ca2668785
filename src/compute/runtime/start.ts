import { CodedError } from '../../core/contract/errors.ts'
import { openMemory } from './choice.ts'
import { createLadder, GAVE_UP, NO_TIME, rank } from './ladder.ts'
import { refused as refusedProof } from './proof.ts'
import { startRung } from './rung.ts'
import { isForeign, providerOf, rungOf, RUNGS, waysOf, waysOfSystem } from './rungs.ts'
import { selfTestRefusal } from './selfTest.ts'
import { readSettings } from './settings.ts'
import { threadCount } from './threads.ts'
import { refusalOf, refusalText } from './unavailable.ts'
import { versions } from './versions.ts'
import type { Provider, Rung, Way } from '../../core/contract/schemas.ts'
import type { Memory } from './choice.ts'
import type { Judgement, JudgeOptions, Ladder } from './ladder.ts'
import type { Proof } from './proof.ts'
import type { StartedRung } from './rung.ts'
import type { RuntimeSettings } from './settings.ts'
import type { Refusal } from './unavailable.ts'

export type Notify = (level: 'info' | 'warning', message: string) => void

export interface RuntimeOptions extends Partial<RuntimeSettings> {
  /** The script that answers `--probe`; without it, ways that need a probe are passed over. */
  readonly probeEntry?: string
  /** What the user should know and no call answers. */
  readonly notify?: Notify
  readonly log?: (line: string) => void
}

export interface Runtime extends StartedRung {
  readonly backend: Rung
  /** Of the rung `native`; null on others. */
  readonly provider: Provider | null
  readonly way: Way
  /** It was chosen at an earlier start, for the same versions and drivers. */
  readonly cached: boolean
  /** Of the ways that were tried and passed over, the reason. */
  readonly refused: ReadonlyMap<Way, string>
  readonly versions: Record<string, string>
}

/** One probe at a start, and all of them: a driver that hangs must not keep the user waiting. */
const PROBE_SECONDS = 30
const ALL_PROBES_SECONDS = 60
/** Who insists on one way waits for it. */
const ASKED_SECONDS = 60
const TOLD_AFTER_MS = 3000
const TRYING =
  'Maskwright is finding out how this computer computes fastest; that is done once for each driver and version.'

/** What decides about ways of computing, with the same defaults for a start and for doctor. */
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
 * Chooses the fastest way of computing that starts and passes the self-test, or takes the one asked for (of the rung
 * `native` its fastest provider); makes it the current backend of TensorFlow.js in this process. Once a process.
 * Throws CodedError('compute-failed') when what was asked for cannot be used, or none can.
 */
export async function startRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const start = new Start(options)
  const { backend } = start.parts.settings
  if (backend === 'auto') return await start.fastest()
  const [way, ...others] = waysOf(backend)
  if (way === undefined) {
    const names = ['auto', ...RUNGS].join(', ')
    const message = `The compute backend "${backend}" is not part of this version; use one of ${names}.`
    throw new CodedError('compute-failed', message)
  }
  return await (others.length === 0 ? start.asked(way) : start.fastestOf(backend, [way, ...others]))
}

class Start {
  readonly parts: LadderParts
  readonly #notify: Notify
  readonly #refused = new Map<Way, Proof>()
  readonly #found = new Map<Way, { key: string; proof: Proof }>()

  constructor(options: RuntimeOptions) {
    this.parts = ladderParts(options)
    this.#notify = options.notify ?? (() => undefined)
  }

  /** The way that the user insists on. */
  async asked(way: Way): Promise<Runtime> {
    const { ladder, memory } = this.parts
    if (isForeign(way)) {
      const judged = await this.#judge(way, {
        fresh: memory.crashedAtStart(way),
        patient: true,
        seconds: ASKED_SECONDS,
      })
      memory.remember(this.#found, undefined)
      if (!judged.proof.ok) throw this.#refusal(way, way)
    }
    const started = await this.#attempt(way)
    if (started === null) throw this.#refusal(way, way)
    return this.#runtime(way, started, memory.chosen(ladder.choiceKey()) === way)
  }

  /** Of the ways that the user insists on by a name for all of them; the last one is what every computer has. */
  async fastestOf(name: string, ways: readonly Way[]): Promise<Runtime> {
    const { memory, settings } = this.parts
    const here = waysOfSystem().filter((way) => ways.includes(way))
    const runtime = await this.#firstThatWorks(here, false)
    if (runtime !== null) return runtime
    memory.remember(this.#found, undefined)
    // What gave up in this session is not insisted on.
    if (here.some((way) => settings.without.includes(way))) return await this.fastest()
    throw this.#refusal(name, here.at(-1))
  }

  async fastest(): Promise<Runtime> {
    const runtime = await this.#firstThatWorks(waysOfSystem(), true)
    if (runtime !== null) return runtime
    const reasons = [...this.#refused].map(([way, proof]) => `${way}: ${text(proof)}`).join(' ')
    throw new CodedError('compute-failed', `No compute backend can be used on this computer. ${reasons}`)
  }

  /** @param all - These are all that there are: what comes of it is the choice for this computer. */
  async #firstThatWorks(ways: readonly Way[], all: boolean): Promise<Runtime | null> {
    const { ladder, memory, settings } = this.parts
    const key = ladder.choiceKey()
    const chosen = memory.chosen(key)
    const remembered = chosen !== null && ways.includes(chosen) && !settings.without.includes(chosen) ? chosen : null
    if (remembered !== null && !memory.crashedAtStart(remembered)) {
      const started = await this.#attempt(remembered)
      if (started !== null) return this.#runtime(remembered, started, true)
    }
    // What fails now was remembered wrongly: all is tried again.
    for (const way of await this.#order(ways, remembered !== null)) {
      const started = await this.#attempt(way)
      if (started === null) continue
      // A choice among what is left in a session is not the choice for this computer.
      memory.remember(this.#found, !all || settings.without.length > 0 ? undefined : { key, way })
      return this.#runtime(way, started, false)
    }
    return null
  }

  /**
   * Tries what is not known yet, one after the other so that none disturbs the times of another. `wasm` cannot harm this
   * process and needs no proof; it is only timed where there is something to compare it with.
   */
  async #order(ways: readonly Way[], fresh: boolean): Promise<Way[]> {
    const proofs = new Map<Way, Proof>()
    const told = setTimeout(() => {
      this.#notify('info', TRYING)
    }, TOLD_AFTER_MS)
    const begin = performance.now()
    try {
      for (const way of ways.filter(isForeign)) {
        const left = ALL_PROBES_SECONDS - (performance.now() - begin) / 1000
        const { proof } = await this.#judge(way, { fresh, seconds: Math.min(PROBE_SECONDS, left) })
        if (proof.ok) proofs.set(way, proof)
      }
      const safe = this.#safe(ways)
      if (proofs.size === 0 || !safe.includes('wasm')) return [...rank(proofs), ...safe]
      const { proof } = await this.#judge('wasm', { fresh })
      if (proof.ok) proofs.set('wasm', proof)
      const ranked = rank(proofs)
      // What could not be timed in a process of its own may work in this one, and otherwise says why not.
      return [...ranked, ...safe.filter((way) => !ranked.includes(way))]
    } finally {
      clearTimeout(told)
    }
  }

  /** What can do no harm, without what gave up in this session. */
  #safe(ways: readonly Way[]): Way[] {
    const gaveUp = this.parts.settings.without.includes('wasm')
    if (gaveUp) this.#refused.set('wasm', refusedProof(GAVE_UP))
    return ways.filter((way) => !isForeign(way) && !(gaveUp && way === 'wasm'))
  }

  async #judge(way: Way, options: JudgeOptions): Promise<Judgement> {
    const { ladder, settings } = this.parts
    const { fresh = false, patient = false, seconds = PROBE_SECONDS } = options
    const late: Judgement = { proof: refusedProof(NO_TIME), source: 'untried' }
    // What gave up in this session stays out of it.
    const again = fresh && !settings.without.includes(way)
    const judged = seconds < 1 ? late : await ladder.judge(way, { fresh: again, patient, seconds })
    if (!judged.proof.ok) this.#refused.set(way, judged.proof)
    if (judged.source === 'probe') this.#found.set(way, { key: ladder.key(way), proof: judged.proof })
    return judged
  }

  async #attempt(way: Way): Promise<StartedRung | null> {
    const { memory, threads, settings } = this.parts
    const over = isForeign(way) ? memory.starting(way) : () => undefined
    try {
      const started = await startRung(way, threads, { packagesDir: settings.packagesDir })
      if (started.selfTest.ok) return started
      this.#fails(way, selfTestRefusal(started.selfTest))
    } catch (error) {
      this.#fails(way, refusalOf(error))
    } finally {
      over()
    }
    return null
  }

  /** Here, whatever it did in a process of its own. */
  #fails(way: Way, refusal: Refusal): void {
    const proof = refusedProof(refusal)
    this.#refused.set(way, proof)
    if (isForeign(way)) this.#found.set(way, { key: this.parts.ladder.key(way), proof })
  }

  #runtime(way: Way, started: StartedRung, cached: boolean): Runtime {
    if (started.note !== null) this.#notify('warning', `${way}: ${started.note}`)
    return {
      way,
      backend: rungOf(way),
      provider: providerOf(way),
      cached,
      refused: new Map([...this.#refused].map(([each, proof]) => [each, text(proof)])),
      versions: versions(this.parts.settings.packagesDir),
      ...started,
    }
  }

  /** @param way - The one whose reason is told. */
  #refusal(name: string, way: Way | undefined): CodedError {
    const proof = way === undefined ? undefined : this.#refused.get(way)
    const why = proof === undefined ? '' : ` ${text(proof)}`
    const detail = proof?.detail ?? null
    const message = `The compute backend "${name}" was asked for and cannot be used.${why} With "auto", Maskwright takes one that works.`
    return new CodedError('compute-failed', message, detail === null ? {} : { detail })
  }
}

function text({ reason, remedy }: Proof): string {
  return refusalText({ reason: reason ?? '', remedy })
}
