import { CodedError } from '../../core/contract/errors.ts'
import type { DoctorReport } from '../../core/contract/schemas.ts'
import type { Jobs } from '../jobs/jobs.ts'
import { priorities, type Lane } from '../jobs/lane.ts'
import type { ComputePort } from './port.ts'

const FRESH_BUSY =
  'A training or a prediction is running, and trying every backend would disturb both; wait for it, or cancel it, then check again.'

/** Reports on the backends of this computer without disturbing what runs. */
export class Examiner {
  readonly #compute: ComputePort
  readonly #jobs: Jobs
  readonly #lane: Lane

  constructor(parts: { readonly compute: ComputePort; readonly jobs: Jobs; readonly lane: Lane }) {
    this.#compute = parts.compute
    this.#jobs = parts.jobs
    this.#lane = parts.lane
  }

  /**
   * Trying and timing rungs takes its turn like a job, so that neither spoils the figures of the other. While a job
   * runs nothing is tried: what is known is told between two of its steps, and a fresh check throws CodedError `busy`.
   */
  async report(fresh: boolean, signal: AbortSignal): Promise<DoctorReport> {
    const compute = this.#compute
    if (this.#jobs.live().length > 0) {
      if (fresh) throw new CodedError('busy', FRESH_BUSY)
      return this.#current(await compute.call('doctor', { known: true }, { signal }))
    }
    const work = () => compute.call('doctor', { fresh }, { signal })
    return this.#current(await this.#lane.run(priorities.examination, signal, work))
  }

  /** What another process says of what was asked of it, this one knows best: the settings, also while a rung is left out. */
  #current(report: DoctorReport): DoctorReport {
    return { ...report, wanted: this.#compute.settings().inForce }
  }
}
