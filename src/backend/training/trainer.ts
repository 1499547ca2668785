import { CodedError } from '../../core/contract/errors.ts'
import type { MethodParams } from '../../core/contract/methods.ts'
import type { Job } from '../../core/contract/schemas.ts'
import { trainingCrashed } from '../compute/words.ts'
import type { Jobs, RunningJob } from '../jobs/jobs.ts'
import { cancelled, untilAborted } from '../jobs/lane.ts'
import type { Owner } from '../jobs/owners.ts'
import type { Predictor } from '../prediction/predictor.ts'
import { chooseSlices } from './choosing.ts'
import { trainVersion, trainedParent, type VersionParts } from './version.ts'

type TrainParams = MethodParams<'train.start'>

export interface TrainerParts extends VersionParts {
  readonly predictor: Predictor
  readonly jobs: Jobs
}

/** Of the progress of a job whose version is held against another one afterwards. */
const TRAINING_SHARE = 0.8

interface Turn {
  readonly job: RunningJob
  params: TrainParams
  finished: Promise<void>
}

/**
 * One click on Retrain: learns the corrected slices, makes the next model version, has it held against the one in use, and
 * shows what is used then. One training at a time; a second one waits, and takes the state that it finds when its turn comes.
 */
export class Trainer {
  readonly #parts: TrainerParts
  #running: Turn | null = null
  #waiting: Turn | null = null

  constructor(parts: TrainerParts) {
    this.#parts = parts
  }

  /**
   * While one runs, the next one waits for it; while one waits already, that is the answer, and the owners wait for it too.
   * Throws CodedError('nothing-to-train') without labels or corrected slices.
   */
  start(params: TrainParams, owners: readonly Owner[]): Job {
    const { jobs } = this.#parts
    this.#refuseNothing(params)
    const waiting = this.#waiting
    if (waiting?.job.signal.aborted === false) {
      for (const owner of owners) waiting.job.owners.add(owner)
      waiting.params = params
      return waiting.job.job
    }
    const before = this.#running
    const words = before === null ? 'reading the corrected slices' : 'waiting for the training before it'
    const turn: Turn = { job: jobs.create('train', null, words, owners), params, finished: Promise.resolve() }
    if (before === null) this.#running = turn
    else this.#waiting = turn
    turn.finished = this.#run(turn, before)
    return turn.job.job
  }

  async stop(): Promise<void> {
    const turns = [this.#waiting, this.#running].filter((turn) => turn !== null)
    for (const { job } of turns) job.cancel()
    await Promise.all(turns.map(({ finished }) => finished))
  }

  #refuseNothing({ seed }: TrainParams): void {
    const { project, labels, models } = this.#parts
    if (chooseSlices(project.db, trainedParent(models.active())?.id ?? null, { seed }).length === 0) {
      throw new CodedError('nothing-to-train', 'No slice is corrected yet; correct one by brush, then press Retrain.')
    }
    if (labels.list().length === 0) {
      throw new CodedError('nothing-to-train', 'The project has no label yet; add one and draw it, then press Retrain.')
    }
  }

  async #run(turn: Turn, before: Turn | null): Promise<void> {
    const { job } = turn
    try {
      // After `start` has answered: a listener must not hear of a job that nobody has been told of.
      await Promise.resolve()
      if (before !== null) await untilAborted(before.finished, job.signal)
      // While it waited: its turn has come.
      if (this.#waiting === turn) this.#waiting = null
      this.#running = turn
      if (before !== null) this.#refuseNothing(turn.params)
      const words = await this.#train(turn)
      if (this.#running === turn) this.#running = null
      job.done(words, turn.job.job.modelId)
    } catch (error) {
      if (this.#running === turn) this.#running = null
      if (this.#waiting === turn) this.#waiting = null
      job.fail(inWords(error))
    }
  }

  /** Gives what the job says in the end. */
  async #train({ job, params }: Turn): Promise<string> {
    const { promotion, models, holdout, log } = this.#parts
    job.start('reading the corrected slices')
    const share = models.activeId() !== null && holdout.slices().length > 0 ? TRAINING_SHARE : 1
    const made = await trainVersion(this.#parts, job, { bounds: params, share })
    job.progress({ modelId: made.id })
    // Whoever made the first version waits for what it says, not for its scores.
    if (made.active) this.#show(job, params)
    const { version, active, judged } = await promotion
      .settle(made.id, {
        signal: job.signal,
        tell: (done, message) => job.progress({ progress: share + (1 - share) * done, message, secondsLeft: null }),
      })
      .catch((error: unknown) => {
        if (!made.active) throw unjudged(made.version, error)
        log(`version ${made.version} was not scored: ${String(error)}`)
        return made
      })
    if (active && !made.active) this.#show(job, params)
    return active ? `version ${version} is ready` : `version ${version} is kept aside: ${judged?.reason ?? ''}`
  }

  /** The slice on screen as the version in use predicts it. */
  #show({ owners }: RunningJob, { show }: TrainParams): void {
    // Its case may have been taken off the worklist meanwhile: the version is there all the same.
    if (show !== null) this.#parts.predictor.offer(show.caseId, show.index, owners.all())
  }
}

function inWords(error: unknown): unknown {
  return error instanceof CodedError && error.code === 'compute-crashed' ? trainingCrashed(error) : error
}

/** The version is there, and what was in use still is. */
function unjudged(version: number, error: unknown): unknown {
  if (!(error instanceof CodedError)) return error
  if (error.code === 'cancelled') return cancelled()
  return new CodedError(
    'compute-failed',
    `Version ${version} was trained and could not be compared with the one in use; compare them on the page of the models.`,
    { cause: error, detail: error.message },
  )
}
