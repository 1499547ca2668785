import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import type { MethodParams } from '../../core/contract/methods.ts'
import type { Job } from '../../core/contract/schemas.ts'
import { writeDataset, type DatasetCase } from '../../imaging/index.ts'
import type { Tallies } from '../annotation/tallies.ts'
import type { CaseRecord } from '../project/cases.ts'
import type { Jobs, RunningJob } from '../jobs/jobs.ts'
import type { Owner } from '../jobs/owners.ts'
import type { ExportParts } from './exportMask.ts'
import { refuseOurOwn } from './targets.ts'

export interface DatasetParts extends ExportParts {
  readonly jobs: Jobs
  readonly tallies: Tallies
  /** The status of cases changed: their masks are saved now. */
  readonly touched: () => void
}

type Format = MethodParams<'export.dataset'>['format']
type Only = NonNullable<MethodParams<'export.dataset'>['only']>

/** Data sets are written one at a time, as jobs. */
export class Datasets {
  readonly #parts: DatasetParts
  #running: { readonly job: RunningJob; readonly ended: Promise<void> } | null = null

  constructor(parts: DatasetParts) {
    this.#parts = parts
  }

  /**
   * Begins to write a data set; `target` null: into the project's exports/. Throws CodedError: `busy` while another one is written,
   * `bad-request` where there is nothing to write or the folder is not for that, `not-found` for a case that is not on the list.
   */
  async start(
    options: { format: Format; caseIds: readonly string[] | null; only: Only | null; target: string | null },
    owners: Iterable<Owner>,
  ): Promise<Job> {
    const { jobs, project, cases, tallies } = this.#parts
    if (this.#running !== null) {
      throw new CodedError('busy', 'A data set is being written already; wait for it, or cancel it first.')
    }
    const { only } = options
    const meant = cases.list().filter((one) => only === null || kindOf(one) === only)
    const ids = options.caseIds ?? meant.map(({ id }) => id).filter((id) => tallies.voxels(id).length > 0)
    for (const id of ids) cases.get(id)
    if (ids.length === 0) throw new CodedError('bad-request', 'No case has a mask yet; annotate one first.')
    const job = jobs.create('export', null, 'starting…', owners)
    // Taken before anything is waited for, so that there are never two.
    const work = async (): Promise<void> => {
      try {
        const folder = options.target ?? (await freeFolder(project.folders.exports, options.format))
        await refuseOurOwn(this.#parts, folder, 'folder')
        await this.#write(job, options.format, [...new Set(ids)], folder)
      } catch (error) {
        job.fail(error)
      } finally {
        this.#running = null
      }
    }
    this.#running = { job, ended: Promise.resolve().then(work) }
    return job.job
  }

  /** Cancels what is being written and waits for its end. */
  async stop(): Promise<void> {
    this.#running?.job.cancel()
    await this.#running?.ended
  }

  async #write(job: RunningJob, format: Format, caseIds: readonly string[], folder: string): Promise<void> {
    const { cases, labels, touched } = this.#parts
    const revisions = new Map<string, number>()
    job.start(`case 1 of ${caseIds.length}`)
    await writeDataset(
      folder,
      format,
      caseIds.map((id) => this.#caseOf(id, revisions)),
      {
        names: labels.list(),
        signal: job.signal,
        onProgress: (done) => {
          const next = Math.min(done + 1, caseIds.length)
          const message = done === caseIds.length ? 'comparing' : `case ${next} of ${caseIds.length}`
          job.progress({ progress: done / (caseIds.length + 1), message })
        },
      },
    )
    for (const [id, revision] of revisions) cases.setSaved(id, revision)
    touched()
    job.done(`${caseIds.length === 1 ? '1 mask' : `${caseIds.length} masks`} in ${folder}`)
  }

  #caseOf(caseId: string, revisions: Map<string, number>): DatasetCase {
    const { cases, masks, volumes, tallies } = this.#parts
    return {
      stem: cases.get(caseId).stem,
      values: tallies.voxels(caseId).map(({ label }) => label),
      open: (use) =>
        volumes.use(caseId, async (image) => {
          const { labels, revision } = await masks.use(caseId, (mask) => ({
            labels: mask.labels.slice(),
            revision: mask.revision,
          }))
          revisions.set(caseId, revision)
          return use(image, labels)
        }),
    }
  }
}

/** As nnU-Net tells data sets apart. */
function kindOf({ kind, channels }: Pick<CaseRecord, 'kind' | 'channels'>): Only {
  if (kind === 'volume') return 'volumes'
  return channels === 3 ? 'colour' : 'grey'
}

async function freeFolder(exports: string, format: Format): Promise<string> {
  for (let n = 1; ; n++) {
    const path = join(exports, n === 1 ? format : `${format}-${n}`)
    if ((await stat(path).catch(() => null)) === null) return path
  }
}
