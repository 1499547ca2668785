import { CodedError } from '../../core/contract/errors.ts'
import type { Judgement } from '../../core/contract/learning.ts'
import type { Job, ModelSummary } from '../../core/contract/schemas.ts'
import type { EventHub } from '../events.ts'
import type { Jobs, RunningJob } from '../jobs/jobs.ts'
import type { Owner } from '../jobs/owners.ts'
import type { Judgements } from './judgements.ts'
import { blankJudgement, judgeVersion, type JudgingParts, type Waiting } from './judging.ts'
import type { Origin } from './origin.ts'

export type { Waiting } from './judging.ts'

/** A training has written the complete folder of `version`. */
export interface Admission extends Origin {
  readonly version: number
  /** The version that was in use when the training began: another one by now was chosen, and stays. */
  readonly activeId: string | null
  /** Done in the same transaction. */
  readonly also?: () => void
}

export interface PromotionParts extends JudgingParts {
  readonly judgements: Judgements
  readonly jobs: Jobs
  readonly events: EventHub
  /** Another version is in use: every case's summary may have changed. */
  readonly touched: () => void
}

/** Recorded where the user gave no reason, and needed to give none. */
const PROVEN_BEFORE = 'No reason was given: it had been shown to be better before.'

/**
 * Which version is in use. A new one is registered first and judged then; that it is used, and why, is written in one transaction: a
 * crash leaves the old one in use or the new one, and one that was cut off while it was judged waits.
 */
export class Promotion {
  readonly #parts: PromotionParts
  readonly #running = new Map<RunningJob, Promise<void>>()
  /** By version that was admitted, what was in use when its training began. */
  readonly #begunWith = new Map<string, string | null>()

  constructor(parts: PromotionParts) {
    this.#parts = parts
  }

  /**
   * Registers what a training wrote: used at once where there is nothing that could judge it, waiting otherwise. To be called within
   * the turn at the lane in which the folder was written; `settle` follows outside of it. Throws CodedError('bad-file') where the
   * folder is not complete; the folder is then the caller's to remove.
   */
  admit({ version, activeId, also, ...origin }: Admission): ModelSummary {
    const { db, models, judgements } = this.#parts
    const id = db.transaction(() => {
      also?.()
      const againstId = models.activeId()
      const { id } = models.add(version, origin)
      const judgement = this.#first(id, againstId, activeId)
      judgements.add(judgement)
      if (judgement.verdict === 'unproven') models.use(id)
      return id
    })
    this.#begunWith.set(id, activeId)
    this.#tell(id)
    return models.get(id)
  }

  /**
   * Judges a version that was admitted, where something can, and uses it if it is better; takes turns at the lane. Throws
   * CodedError: `cancelled`, and as compute does; the version then waits, and what was in use stays in use.
   */
  async settle(modelId: string, waiting: Waiting): Promise<ModelSummary> {
    const { models, holdout, judgements } = this.#parts
    for (;;) {
      const { active, judged } = models.get(modelId)
      // Also what was set aside after it was registered.
      const leak = this.#leak(modelId, models.activeId())
      if (leak !== null) {
        if (judged?.verdict === 'waiting') this.#record(leak, false)
        return models.get(modelId)
      }
      const scorable = holdout.slices().length > 0
      // A first version is in use already: it is scored for the curves alone.
      const alone = active && judged?.verdict === 'unproven' && judgements.latest(modelId)?.againstId === null
      if (!scorable && judged?.verdict === 'waiting') this.#unproven(modelId)
      if (!scorable || !(alone || (judged?.verdict === 'waiting' && !active))) return models.get(modelId)
      const againstId = alone ? null : models.activeId()
      const judgement = await judgeVersion(this.#parts, modelId, againstId, waiting)
      if (this.#decide(judgement, alone)) return models.get(modelId)
      // Another version was used meanwhile, or another hold-out chosen: what was found says nothing any more.
    }
  }

  /** Holds a version against the one in use; nothing is promoted by it. Throws CodedError as `models.judge` of the contract. */
  judge(modelId: string, owners: readonly Owner[]): Job {
    const { models, jobs, holdout } = this.#parts
    const { version, active } = models.get(modelId)
    models.record(modelId)
    if (active) {
      throw new CodedError('conflict', `Version ${version} is the one in use; choose another one to compare with it.`)
    }
    const leak = this.#leak(modelId, models.activeId())
    if (leak !== null) throw new CodedError('conflict', `Version ${version} cannot be compared. ${leak.reason}`)
    if (holdout.slices().length === 0) throw new CodedError('conflict', `Versions cannot be compared: ${this.#lack()}.`)
    const job = jobs.create('judge', null, 'waiting for its turn', owners)
    this.#running.set(
      job,
      this.#judge(job, modelId).finally(() => this.#running.delete(job)),
    )
    return job.job
  }

  /** Ends what is being compared. */
  async stop(): Promise<void> {
    for (const job of this.#running.keys()) job.cancel()
    await Promise.all(this.#running.values())
  }

  /**
   * Uses a version from now on. Whatever its latest comparison speaks against is recorded beside it, with the reason; one that was shown
   * to be better once needs none, and one that was used without proof, or in spite of one, does. Throws CodedError: `not-found`,
   * `file-missing` where its weights were deleted, `bad-file` where its folder is damaged, `conflict` where a reason is needed.
   */
  activate(modelId: string, reason: string | null): ModelSummary {
    const { db, models, judgements } = this.#parts
    const { version, active } = models.get(modelId)
    if (active) return models.get(modelId)
    const [latest, ...earlier] = judgements.of(modelId)
    const waits = latest?.verdict === 'waiting' && models.origin(modelId).usedAt === null
    const doubted = latest?.verdict === 'aside' || waits ? latest : null
    const proven = earlier.some(({ verdict }) => verdict === 'promoted')
    if (doubted !== null && !proven && reason === null) {
      throw new CodedError(
        'conflict',
        `Version ${version} was not shown to be better than the one in use; say why you want to use it all the same.`,
      )
    }
    db.transaction(() => {
      models.use(modelId)
      if (doubted === null) return
      const override = { reason: reason ?? PROVEN_BEFORE, at: new Date().toISOString() }
      judgements.add({ ...doubted, verdict: 'overridden', override })
    })
    this.#tell(modelId)
    return models.get(modelId)
  }

  async #judge(job: RunningJob, modelId: string): Promise<void> {
    const { models, judgements } = this.#parts
    // After the call has answered: a listener must not hear of a job that nobody has been told of.
    await Promise.resolve()
    try {
      job.start('comparing on the hold-out')
      const againstId = models.activeId()
      const tell = (progress: number, message: string): void => job.progress({ progress, message })
      const judgement = await judgeVersion(this.#parts, modelId, againstId, { signal: job.signal, tell })
      judgements.add(this.#leak(modelId, againstId) ?? judgement)
      this.#tell(modelId)
      job.done(`version ${models.get(modelId).version} was compared`)
    } catch (error) {
      job.fail(error)
    }
  }

  /** What is known of a version when it is registered. */
  #first(modelId: string, againstId: string | null, begunWith: string | null): Judgement {
    const { holdout, models } = this.#parts
    const blank = blankJudgement(modelId, againstId, holdout.get().id)
    const leak = this.#leak(modelId, againstId)
    if (leak !== null) return leak
    if (againstId === null) {
      return { ...blank, verdict: 'unproven', reason: 'The first version: there was none to compare it with.' }
    }
    if (holdout.slices().length === 0) return this.#withoutProof(blank, begunWith)
    const { version } = models.get(againstId)
    return { ...blank, verdict: 'waiting', reason: `Not compared with version ${version} yet.` }
  }

  /** It learned from what is set aside by now; null where it did not. */
  #leak(modelId: string, againstId: string | null): Judgement | null {
    const { holdout } = this.#parts
    const leaked = holdout.learnedOf(modelId)
    if (leaked.length === 0) return null
    const reason = `It learned from ${leaked.join(', ')}, of the hold-out, so a score there would prove nothing.`
    return { ...blankJudgement(modelId, againstId, holdout.get().id), verdict: 'aside', reason }
  }

  /** The hold-out was given up while the version waited. */
  #unproven(modelId: string): void {
    const { holdout, models } = this.#parts
    if (models.get(modelId).active) return
    const blank = blankJudgement(modelId, models.activeId(), holdout.get().id)
    const judgement = this.#withoutProof(blank, this.#begunWith.get(modelId) ?? null)
    this.#record(judgement, judgement.verdict === 'unproven')
  }

  /** Nothing can judge it: it is used, but never in the place of what was chosen since its training began. */
  #withoutProof(blank: ReturnType<typeof blankJudgement>, begunWith: string | null): Judgement {
    const { againstId } = blank
    if (againstId === null || againstId === begunWith) {
      return { ...blank, verdict: 'unproven', reason: `Used without proof: ${this.#lack()}.` }
    }
    const { version } = this.#parts.models.get(againstId)
    const reason = `While it was trained, version ${version} was chosen, and nothing can tell which is better: ${this.#lack()}.`
    return { ...blank, verdict: 'aside', reason }
  }

  #lack(): string {
    return this.#parts.holdout.get().id === null
      ? 'no cases are set aside to compare versions on'
      : 'nothing is corrected or approved yet in the cases that are set aside'
  }

  /** Records the judgement and what follows from it, unless it was made of what does not hold any more. */
  #decide(judgement: Judgement, alone: boolean): boolean {
    const { models, holdout } = this.#parts
    const { modelId, againstId, holdoutId, verdict } = judgement
    const { active } = models.get(modelId)
    const stale = alone ? !active : active || models.activeId() !== againstId
    if (stale || holdout.get().id !== holdoutId || this.#leak(modelId, againstId) !== null) return false
    // A first version is in use whatever its images say; it does not wait for them.
    if (alone && verdict === 'waiting') return true
    const chosen = !alone && againstId !== null && againstId !== (this.#begunWith.get(modelId) ?? null)
    if (chosen && verdict === 'unproven') {
      const reason = `Version ${models.get(againstId).version} was chosen since its training began. ${judgement.reason}`
      this.#record({ ...judgement, verdict: 'aside', reason }, false)
      return true
    }
    this.#record(judgement, verdict === 'promoted' || verdict === 'unproven')
    return true
  }

  /** In one transaction: there is never a version in use without the reason why, nor the other way round. */
  #record(judgement: Judgement, used: boolean): void {
    const { db, models, judgements } = this.#parts
    db.transaction(() => {
      judgements.add(judgement)
      if (used) models.use(judgement.modelId)
    })
    this.#tell(judgement.modelId)
  }

  #tell(modelId: string): void {
    const { models, judgements, events, touched } = this.#parts
    const judgement = judgements.latest(modelId)
    if (judgement !== null) events.emit('model.judged', judgement)
    events.emit('models.changed', { models: models.list() })
    touched()
  }
}
