import type { RecipeOrder } from '../../core/contract/compute.ts'
import { CodedError } from '../../core/contract/errors.ts'
import type { DataReport } from '../../core/contract/recipes.ts'
import type { Job } from '../../core/contract/schemas.ts'
import type { ComputePort, ComputeResult } from '../compute/port.ts'
import type { Jobs, RunningJob } from '../jobs/jobs.ts'
import { priorities, waitingWords, type Lane } from '../jobs/lane.ts'
import type { Owner } from '../jobs/owners.ts'

export interface CheckParts {
  readonly compute: ComputePort
  readonly jobs: Jobs
  readonly lane: Lane
}

/** Checks whose findings are kept; each has some thumbnails. */
const KEPT = 4

/** Looks through the data of a recipe before anything is made of it. */
export class Checks {
  readonly #parts: CheckParts
  readonly #found = new Map<string, DataReport>()
  readonly #running = new Map<RunningJob, Promise<void>>()

  constructor(parts: CheckParts) {
    this.#parts = parts
  }

  start(order: RecipeOrder, thumbnails: number, owners: readonly Owner[]): Job {
    const job = this.#parts.jobs.create('check', null, 'looking for the files', owners)
    const ended = this.#run(job, order, thumbnails).finally(() => this.#running.delete(job))
    this.#running.set(job, ended)
    return job.job
  }

  /** Throws CodedError('not-found') for a check that is not done, or was forgotten. */
  found(jobId: string): DataReport {
    const report = this.#found.get(jobId)
    if (report !== undefined) return report
    throw new CodedError('not-found', 'What this check found is not known any more; check the data again.')
  }

  /** Throws CodedError: `busy` while a training runs, and what compute says of the data. */
  async sheet(
    order: RecipeOrder,
    rows: number,
    columns: number,
    signal: AbortSignal,
  ): Promise<ComputeResult<'augmentationSheet'>> {
    const { lane, compute } = this.#parts
    if (lane.current === priorities.training) {
      throw new CodedError('busy', 'A training is running; samples can be drawn when it has ended.')
    }
    return lane.run(priorities.volume, signal, () =>
      compute.call('augmentationSheet', { ...order, rows, columns }, { signal }),
    )
  }

  async stop(): Promise<void> {
    for (const job of this.#running.keys()) job.cancel()
    await Promise.all(this.#running.values())
  }

  async #run(job: RunningJob, order: RecipeOrder, thumbnails: number): Promise<void> {
    const { lane, compute } = this.#parts
    // After `start` has answered: a listener must not hear of a job that nobody has been told of.
    await Promise.resolve()
    try {
      const looking = 'looking for the files'
      job.start(waitingWords(lane) ?? looking)
      const report = await lane.run(priorities.volume, job.signal, () => {
        job.progress({ message: looking })
        return compute.call('checkData', { ...order, thumbnails }, { signal: job.signal, onProgress: progressOf(job) })
      })
      this.#keep(job.job.id, report)
      job.done(`${count(report.cases.length, 'case')}, ${count(report.left.length, 'file')} left out`)
    } catch (error) {
      job.fail(error)
    }
  }

  #keep(jobId: string, report: DataReport): void {
    this.#found.set(jobId, report)
    for (const oldest of this.#found.keys()) {
      if (this.#found.size <= KEPT) break
      this.#found.delete(oldest)
    }
  }
}

function count(many: number, one: string): string {
  return `${many} ${many === 1 ? one : `${one}s`}`
}

/** What compute tells while it reads cases. */
export function progressOf(job: RunningJob, share = 1): (progress: { step: number; steps: number }) => void {
  return ({ step, steps }) => {
    if (steps <= 0) return
    const message = `case ${Math.min(step + 1, steps)} of ${steps}`
    job.progress({ progress: Math.min(1, step / steps) * share, message })
  }
}
