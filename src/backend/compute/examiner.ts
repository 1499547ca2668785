import { freemem } from 'node:os'
import { CodedError } from '../../core/contract/errors.ts'
import type { DoctorReport } from '../../core/contract/schemas.ts'
import type { Jobs } from '../jobs/jobs.ts'
import { priorities, type Lane } from '../jobs/lane.ts'
import type { ComputePort } from './port.ts'

const FRESH_BUSY =
  'A training or a prediction is running, and trying every backend would disturb both; wait for it, or cancel it, then check again.'
const NOT_KNOWN_YET =
  'What this computer can use is looked at when the training or prediction that runs is over; open this again then.'

/** Reports on the backends of this computer without disturbing what runs. */
export class Examiner {
  readonly #compute: ComputePort
  readonly #jobs: Jobs
  readonly #lane: Lane
  #last: DoctorReport | null = null

  constructor(parts: { readonly compute: ComputePort; readonly jobs: Jobs; readonly lane: Lane }) {
    this.#compute = parts.compute
    this.#jobs = parts.jobs
    this.#lane = parts.lane
  }

  /**
   * Trying and timing rungs takes its turn like a job, so that neither spoils the figures of the other. While a job
   * runs, the report is what is known already. Throws CodedError `busy` for a fresh one then, or where nothing is known.
   */
  async report(fresh: boolean, signal: AbortSignal): Promise<DoctorReport> {
    if (this.#jobs.live().length > 0) {
      if (fresh) throw new CodedError('busy', FRESH_BUSY)
      if (this.#last === null) throw new CodedError('busy', NOT_KNOWN_YET)
      return this.#known(this.#last)
    }
    const report = await this.#lane.run(priorities.examination, signal, () =>
      this.#compute.call('doctor', { fresh }, { signal }),
    )
    this.#last = report
    return this.#known(report)
  }

  /** What changes by the second or by a choice is told as it is now. */
  #known(report: DoctorReport): DoctorReport {
    const status = this.#compute.status()
    const now = report.backends.find(({ name }) => name === status.backend)
    return {
      ...report,
      ...(now === undefined ? {} : { chosen: now.name, threads: status.threads }),
      wanted: this.#compute.settings().inForce,
      memory: { ...report.memory, freeMB: Math.round(freemem() / 2 ** 20) },
    }
  }
}
