import { CodedError } from '../../core/contract/errors.ts'
import type { ComputeSettings, Rung, Way } from '../../core/contract/schemas.ts'
import { overruledBy, settingsInForce } from './environment.ts'
import type { ComputePort } from './port.ts'
import type { SettingsFile } from './settings.ts'
import { CONFIGURE_BUSY, CONFIGURING } from './words.ts'

/** What a change of the settings does to the compute process. */
export interface Trial {
  /** Is something asked of compute? */
  readonly inUse: () => boolean
  /** Every way may be tried again. Returns what takes that back. */
  readonly forgetLosses: () => () => void
  /** Starts compute with `current`; rejects with the reason where it cannot be used so. */
  readonly start: (trial: boolean) => Promise<void>
}

/** What the user chose for this computer, as it is kept and as it is in force in this run. */
export class Choice {
  readonly #file: SettingsFile
  readonly #env: NodeJS.ProcessEnv
  #current: ComputeSettings
  #changing = false

  constructor(file: SettingsFile, env: NodeJS.ProcessEnv) {
    this.#file = file
    this.#env = env
    this.#current = file.read()
  }

  /** What compute is started with: as kept when this host started, or as chosen since. */
  get current(): ComputeSettings {
    return this.#current
  }

  /**
   * What was chosen here some time ago; null for 'auto'. When it cannot be used any more, the rest of the ladder
   * is better than nothing. What the environment or a command insists on is another matter: it is here and now.
   */
  get insistsOn(): Rung | Way | null {
    const { backend } = this.#current
    return backend === 'auto' || overruledBy(this.#env).backend !== null ? null : backend
  }

  get changing(): boolean {
    return this.#changing
  }

  view(): ReturnType<ComputePort['settings']> {
    const kept = this.#file.read()
    return { kept, inForce: settingsInForce(this.#env, this.#current), overruled: overruledBy(this.#env) }
  }

  /** Tries the settings, and keeps them once they have proven usable; what ran before comes back otherwise. */
  async change(asked: ComputeSettings, trial: Trial): Promise<void> {
    if (this.#changing) throw new CodedError('busy', CONFIGURING)
    if (trial.inUse()) throw new CodedError('busy', CONFIGURE_BUSY)
    const next = this.#withoutOverruled(asked)
    const before = this.#current
    this.#changing = true
    const restoreLosses = trial.forgetLosses()
    try {
      this.#current = next
      try {
        await trial.start(true)
      } catch (error) {
        this.#current = before
        restoreLosses()
        // Whether that can be used is told by the state of compute.
        await trial.start(false).catch(() => undefined)
        throw error
      }
      try {
        this.#file.write(next)
      } catch (error) {
        // What holds in this run is what is kept: another start would not find it otherwise.
        this.#current = before
        restoreLosses()
        await trial.start(false).catch(() => undefined)
        throw error
      }
    } finally {
      this.#changing = false
    }
  }

  /** What is to be kept of a choice: a field that the environment overrules stays as it was. */
  #withoutOverruled(asked: ComputeSettings): ComputeSettings {
    const { kept, inForce, overruled } = this.view()
    for (const field of ['backend', 'threads'] as const) {
      const reason = overruled[field]
      if (reason !== null && asked[field] !== kept[field] && asked[field] !== inForce[field]) {
        throw new CodedError('conflict', reason)
      }
    }
    return {
      backend: overruled.backend === null ? asked.backend : kept.backend,
      threads: overruled.threads === null ? asked.threads : kept.threads,
    }
  }
}
