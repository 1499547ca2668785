import { setImmediate as pause } from 'node:timers/promises'
import { CodedError } from '../../core/contract/errors.ts'
import type { Job } from '../../core/contract/schemas.ts'
import { rankSlices } from '../../core/learning/ranking.ts'
import type { EventHub } from '../events.ts'
import type { Jobs, RunningJob } from '../jobs/jobs.ts'
import type { Owner } from '../jobs/owners.ts'
import type { ModelRecord, Models } from '../models/models.ts'
import { examineCase, planExamination, type ExaminingParts } from './examining.ts'
import type { ReviewQueue } from './queue.ts'

/** Slices that the queue keeps: more than anybody corrects before the next ranking. */
const KEPT = 1000

export interface RankerParts extends ExaminingParts {
  readonly models: Models
  readonly jobs: Jobs
  readonly events: EventHub
  readonly queue: ReviewQueue
  /** Nothing else computed for so long before a ranking begins by itself. */
  readonly quietMs: number
  readonly log: (line: string) => void
}

interface Ranking {
  readonly job: RunningJob
  readonly model: ModelRecord
  /** Null: all. Can grow while it runs. */
  caseIds: ReadonlySet<string> | null
  finished: Promise<void>
}

/**
 * Ranks what to look at next: asks the model in use about slices that nobody has corrected, batch by batch between all others, and
 * orders them. When another version is used it does so by itself, as soon as nothing else computes.
 */
export class Ranker {
  readonly #parts: RankerParts
  #active: Ranking | null = null
  #timer: NodeJS.Timeout | null = null
  /** The model in use that was ranked with, or could not be: it is not tried again by itself. */
  #settledFor: string | null
  #liveOn = false
  #closed = false

  constructor(parts: RankerParts) {
    this.#parts = parts
    // What was in use when the project was opened is ranked with when somebody asks for it.
    this.#settledFor = parts.models.activeId()
    parts.events.on((name, payload) => {
      if (name === 'live.changed') this.#liveOn = (payload as { on: boolean }).on
      if (name === 'models.changed') this.#modelsChanged()
    })
  }

  /** Throws CodedError('no-model'). Where a ranking runs with the model in use, the owners wait for that one too. */
  start(caseIds: readonly string[] | null, owners: readonly Owner[]): Job {
    const { models, cases } = this.#parts
    const model = models.active()
    if (model === null) {
      throw new CodedError('no-model', 'This project has no model yet; correct a few slices, then press Retrain.')
    }
    for (const caseId of caseIds ?? []) cases.get(caseId)
    const wanted = caseIds === null ? null : new Set(caseIds)
    const active = this.#active
    if (active !== null && active.model.id === model.id && !active.job.signal.aborted) {
      active.caseIds = active.caseIds === null || wanted === null ? null : new Set([...active.caseIds, ...wanted])
      for (const owner of owners) active.job.owners.add(owner)
      return active.job.job
    }
    // Made with the model before: its result would be old at once.
    active?.job.cancel()
    return this.#begin(model, wanted, owners, active?.finished ?? Promise.resolve()).job.job
  }

  /** A ranking runs that nobody asked for. */
  get unasked(): boolean {
    return this.#active !== null && isUnasked(this.#active.job)
  }

  /** Ends a ranking that nobody asked for; it goes on by itself where it was once nothing else computes. */
  async giveWay(): Promise<void> {
    if (!this.unasked) return
    this.#active?.job.cancel()
    await this.#active?.finished
    this.#settledFor = null
    this.#arm()
  }

  async stop(): Promise<void> {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#active?.job.cancel()
    await this.#active?.finished
  }

  #modelsChanged(): void {
    if (this.#closed) return
    const modelId = this.#parts.models.activeId()
    if (this.unasked && this.#active?.model.id !== modelId) this.#active?.job.cancel()
    if (modelId !== null && modelId !== this.#settledFor) this.#arm()
  }

  #arm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (this.#closed) return
    this.#timer = setTimeout(() => this.#byItself(), this.#parts.quietMs)
    this.#timer.unref()
  }

  /** Once nothing computes; until then it is looked at now and then. */
  #byItself(): void {
    const { models, jobs, lane, log } = this.#parts
    this.#timer = null
    if (this.#closed) return
    if (this.#liveOn || lane.current !== null || jobs.live().length > 0) {
      this.#arm()
      return
    }
    try {
      const model = models.active()
      if (model === null || model.id === this.#settledFor) return
      this.#begin(model, null, [], Promise.resolve())
    } catch (error) {
      log(`ranking: ${String(error)}`)
    }
  }

  #begin(
    model: ModelRecord,
    caseIds: ReadonlySet<string> | null,
    owners: readonly Owner[],
    before: Promise<void>,
  ): Ranking {
    const job = this.#parts.jobs.create('rank', null, 'looking at slices', owners)
    const ranking: Ranking = { job, model, caseIds, finished: Promise.resolve() }
    this.#active = ranking
    this.#settledFor = model.id
    ranking.finished = before.then(() => this.#run(ranking))
    return ranking
  }

  async #run(ranking: Ranking): Promise<void> {
    const { queue, examined } = this.#parts
    const { job, model } = ranking
    try {
      if (job.signal.aborted) throw new CodedError('cancelled', 'This was cancelled.')
      job.start('looking at slices')
      // More can be asked for while it runs.
      for (let wanted: Ranking['caseIds'] | undefined; wanted !== ranking.caseIds;) {
        wanted = ranking.caseIds
        await this.#examine(ranking, wanted)
      }
      const { open, learned, taken } = examined.byStanding(model.id)
      const features = learned.map((slice) => slice.features)
      const rest = async (): Promise<void> => {
        await pause()
        job.signal.throwIfAborted()
      }
      const slices = await rankSlices(open, features, taken, { limit: KEPT }, rest)
      queue.replace({ modelId: model.id, rankedAt: new Date().toISOString(), slices })
      job.done(open.length === 1 ? '1 slice ranked' : `${open.length} slices ranked`)
    } catch (error) {
      job.fail(error)
    } finally {
      if (this.#active === ranking) this.#active = null
    }
  }

  async #examine({ job, model }: Ranking, caseIds: ReadonlySet<string> | null): Promise<void> {
    const plan = planExamination(this.#parts, model.id, caseIds)
    const total = plan.reduce((sum, { slices }) => sum + slices.length, 0)
    const startedAt = performance.now()
    let done = 0
    for (const examination of plan) {
      await examineCase(this.#parts, model, examination, job.signal, (more, waiting) => {
        done += more
        const secondsLeft = done > 0 ? ((performance.now() - startedAt) / 1000 / done) * (total - done) : null
        const message = waiting ? 'waiting for other work' : `slice ${done} of ${total}`
        job.progress({ progress: done / total, message, secondsLeft: waiting ? null : secondsLeft })
      })
    }
  }
}

/** No window waits for it. */
export function isUnasked({ job, owners }: RunningJob): boolean {
  return job.kind === 'rank' && owners.all().length === 0
}
