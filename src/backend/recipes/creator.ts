import { readdirSync, realpathSync, statSync } from 'node:fs'
import { basename, isAbsolute, join, relative } from 'node:path'
import type { RecipeOrder } from '../../core/contract/compute.ts'
import { CodedError } from '../../core/contract/errors.ts'
import type { Job } from '../../core/contract/schemas.ts'
import type { ComputePort } from '../compute/port.ts'
import type { Jobs, RunningJob } from '../jobs/jobs.ts'
import { waitingWords, type Lane } from '../jobs/lane.ts'
import type { Owner } from '../jobs/owners.ts'
import { makeProject } from '../project/making.ts'
import type { Project } from '../project/project.ts'
import { fillProject } from './filling.ts'

export interface CreatorParts {
  readonly project: Project
  readonly compute: ComputePort
  readonly jobs: Jobs
  readonly lane: Lane
  readonly log: (line: string) => void
}

/** In bytes: file systems hold 255, and while it is made the folder is called a little longer. */
const LONGEST_NAME = 220

/** Makes projects from recipes, one at a time, as jobs of the project that is open. */
export class Creator {
  readonly #parts: CreatorParts
  #running: { readonly job: RunningJob; readonly ended: Promise<void> } | null = null

  constructor(parts: CreatorParts) {
    this.#parts = parts
  }

  /**
   * The folder that the project will be in. Throws CodedError: `bad-request` for a name that is no folder's or a place among
   * the data or in the open project, `conflict` where something is there already.
   */
  target(parent: string, name: string, dataDir: string): string {
    const clean = name.trim()
    if (clean !== basename(clean) || /[\\/:*?"<>|\p{Cc}]/u.test(clean) || /^\.|\.$/.test(clean)) {
      throw new CodedError('bad-request', `"${clean}" cannot be the name of a folder; choose another name.`)
    }
    if (Buffer.byteLength(clean) > LONGEST_NAME) {
      throw new CodedError(
        'bad-request',
        `"${clean.slice(0, 24)}…" is too long for the name of a folder; choose a shorter one.`,
      )
    }
    const folder = statSync(parent, { throwIfNoEntry: false })
    if (folder?.isDirectory() !== true) {
      throw new CodedError('bad-request', `The folder "${basename(parent)}" does not exist; choose another one.`)
    }
    const dir = join(realpathSync(parent), clean)
    if (isInside(dir, realpathSync(dataDir))) {
      throw new CodedError('bad-request', 'A project cannot lie among the data it is made from; choose another folder.')
    }
    if (holdsSomething(dir)) {
      throw new CodedError('conflict', `"${clean}" is there already and is not empty; choose another name.`)
    }
    if (isInside(dir, realpathSync(this.#parts.project.dir))) {
      throw new CodedError('bad-request', 'A project cannot lie in the project that is open; choose another folder.')
    }
    return dir
  }

  /** Throws CodedError('busy') while another one is made. */
  start(order: RecipeOrder, dir: string, owners: readonly Owner[]): Job {
    if (this.#running !== null) {
      throw new CodedError('busy', 'A project is being made already; wait for it, or cancel it first.')
    }
    const job = this.#parts.jobs.create('create', null, 'looking for the files', owners)
    this.#running = { job, ended: this.#run(job, order, dir) }
    return job.job
  }

  async stop(): Promise<void> {
    this.#running?.job.cancel()
    await this.#running?.ended
  }

  async #run(job: RunningJob, order: RecipeOrder, dir: string): Promise<void> {
    const { compute, lane, log } = this.#parts
    // After `start` has answered: a listener must not hear of a job that nobody has been told of.
    await Promise.resolve()
    try {
      job.start(waitingWords(lane) ?? 'looking for the files')
      const name = basename(dir)
      await makeProject(dir, { name }, (project) => fillProject(project, order, { compute, lane, log, job }))
      this.#running = null
      job.done(`"${name}" is ready in ${dir}`)
    } catch (error) {
      this.#running = null
      job.fail(error)
    }
  }
}

function holdsSomething(dir: string): boolean {
  const found = statSync(dir, { throwIfNoEntry: false })
  return found !== undefined && (!found.isDirectory() || readdirSync(dir).length > 0)
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way === '' || (!way.startsWith('..') && !isAbsolute(way))
}
