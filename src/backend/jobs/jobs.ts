import { randomUUID } from 'node:crypto'
import { CodedError, toWireError, type WireError } from '../../core/contract/errors.ts'
import { curvePointSchema, jobSchema, type CurvePoint, type Job } from '../../core/contract/schemas.ts'
import type { EventHub } from '../events.ts'
import type { Database } from '../project/database.ts'
import { json, real, text, textOrNull, type Row } from '../project/rows.ts'
import { Owners, type Owner } from './owners.ts'

/** At most one progress event of a job in this many milliseconds; the last one always goes out. */
const PROGRESS_MS = 100
/** How many ended jobs a project shows. */
const SHOWN = 20
/** How many are kept. */
const KEPT = 200

/** To a window that did not ask for the job, while one that did is open. */
const REFUSED: Record<Job['kind'], string> = {
  train: 'This training was started in another window; cancel it there.',
  predict: 'This prediction was started in another window; cancel it there.',
  export: 'This was started in another window; cancel it there.',
  check: 'This check was started in another window; cancel it there.',
  rank: 'This was started in another window; cancel it there.',
  judge: 'This was started in another window; cancel it there.',
  create: 'This was started in another window; cancel it there.',
  recipe: 'This training was started in another window; cancel it there.',
}
/** To a window that was not the only one to ask for it. */
const GOES_ON: Record<Job['kind'], string> = {
  train: 'Another window waits for this training too, so it goes on there.',
  predict: 'Another window waits for this prediction too, so it goes on there.',
  export: 'Another window waits for this too, so it goes on there.',
  check: 'Another window waits for this check too, so it goes on there.',
  rank: 'Another window waits for this too, so it goes on there.',
  judge: 'Another window waits for this too, so it goes on there.',
  create: 'Another window waits for this too, so it goes on there.',
  recipe: 'Another window waits for this training too, so it goes on there.',
}

type Change = Partial<Pick<Job, 'state' | 'progress' | 'message' | 'secondsLeft' | 'modelId'>>

/** One piece of long work: a row in the database, progress events, and a signal that cancels it. */
export class RunningJob {
  readonly signal: AbortSignal
  readonly owners: Owners
  readonly #controller = new AbortController()
  readonly #save: (job: Job) => void
  readonly #tell: (job: Job) => void
  #job: Job
  #toldAt = 0
  #timer: NodeJS.Timeout | null = null

  constructor(job: Job, owners: Owners, save: (job: Job) => void, tell: (job: Job) => void) {
    this.#job = job
    this.owners = owners
    this.#save = save
    this.#tell = tell
    this.signal = this.#controller.signal
  }

  get job(): Job {
    return { ...this.#job, curve: [...this.#job.curve] }
  }

  get ended(): boolean {
    return this.#job.state !== 'queued' && this.#job.state !== 'running'
  }

  /** Progress: announced, throttled, not stored. */
  progress(change: Change, point: CurvePoint | null = null): void {
    if (this.ended) return
    this.#job = { ...this.#job, ...change, curve: point === null ? this.#job.curve : [...this.#job.curve, point] }
    const wait = this.#toldAt + PROGRESS_MS - Date.now()
    if (wait <= 0) this.#tellNow()
    else this.#timer ??= setTimeout(() => this.#tellNow(), wait)
  }

  /** The work begins anew, since what did it before could not go on: what was seen of it so far is gone. */
  again(): void {
    if (!this.ended) this.#job = { ...this.#job, progress: 0, curve: [] }
  }

  /** The job begins to run. */
  start(message: string): void {
    this.#settle({ state: 'running', message })
  }

  done(message: string, modelId: string | null = null): void {
    if (!this.ended) this.#settle({ state: 'done', progress: 1, message, secondsLeft: null, modelId })
  }

  /** Ends the job as cancelled or failed, whichever `thrown` says. Returns what was recorded. */
  fail(thrown: unknown): WireError {
    const error = toWireError(thrown)
    if (this.ended) return error
    if (error.code === 'cancelled' || this.signal.aborted) {
      this.#settle({ state: 'cancelled', message: 'cancelled', secondsLeft: null })
    } else {
      this.#job = { ...this.#job, error: { code: error.code, message: error.message } }
      this.#settle({ state: 'failed', message: 'failed', secondsLeft: null })
    }
    return error
  }

  /** Asks the work to stop; it ends as cancelled when it notices. */
  cancel(): void {
    this.#controller.abort(new CodedError('cancelled', 'This was cancelled.'))
  }

  #settle(change: Change): void {
    this.#job = { ...this.#job, ...change }
    try {
      this.#save(this.#job)
    } finally {
      this.#tellNow()
    }
  }

  #tellNow(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#toldAt = Date.now()
    this.#tell(this.job)
  }
}

/** All jobs of a project. */
export class Jobs {
  readonly #db: Database
  readonly #events: EventHub
  readonly #log: (line: string) => void
  readonly #live = new Map<string, RunningJob>()
  /** Ended, but their rows could not be written: what a reader of the rows must not take for running. */
  readonly #unrecorded = new Map<string, Job>()

  constructor(db: Database, events: EventHub, log: (line: string) => void) {
    this.#db = db
    this.#events = events
    this.#log = log
    // Nothing of this process runs yet: these were cut off when the last one ended.
    db.run(
      `UPDATE jobs SET state = 'failed', ended_at = ?, error_code = 'cancelled', message = 'failed',
         error_message = 'Maskwright was closed while this ran; start it again.'
       WHERE state IN ('queued', 'running')`,
      new Date().toISOString(),
    )
    db.run('DELETE FROM jobs WHERE rowid NOT IN (SELECT rowid FROM jobs ORDER BY created_at DESC LIMIT ?)', KEPT)
  }

  create(kind: Job['kind'], caseId: string | null, message: string, owners: Iterable<Owner>): RunningJob {
    const job: Job = {
      id: randomUUID(),
      kind,
      state: 'queued',
      caseId,
      progress: 0,
      message,
      secondsLeft: null,
      curve: [],
      error: null,
      modelId: null,
    }
    this.#db.run(
      `INSERT INTO jobs (id, kind, state, case_id, progress, message, curve, created_at) VALUES (?, ?, ?, ?, 0, ?, '[]', ?)`,
      job.id,
      kind,
      job.state,
      caseId,
      message,
      new Date().toISOString(),
    )
    const running = new RunningJob(
      job,
      new Owners(owners),
      (state) => this.#save(state),
      (state) => this.#events.emit('job.changed', { job: state }),
    )
    this.#live.set(job.id, running)
    return running
  }

  /** The jobs that run or wait, and the latest that ended; newest first. */
  list(): Job[] {
    this.#recordLate()
    return this.#db.all('SELECT * FROM jobs ORDER BY created_at DESC, rowid DESC LIMIT ?', SHOWN).map((row) => {
      const id = text(row, 'id')
      return this.#live.get(id)?.job ?? this.#unrecorded.get(id) ?? toJob(row)
    })
  }

  live(): RunningJob[] {
    return [...this.#live.values()]
  }

  /**
   * Asks the job to stop. An ended job is left as it is. Where other windows wait for it too, it goes on for them, and
   * `notice` says so. Throws CodedError: `not-found`; `busy` where `by` did not ask for it and a window that did is open.
   */
  cancel(jobId: string, by: Owner): Job & { notice?: string } {
    const live = this.#live.get(jobId)
    if (live === undefined) return this.#ended(jobId)
    const { owners, job } = live
    if (owners.othersPresent(by.sessionId)) {
      if (!owners.has(by.sessionId)) throw new CodedError('busy', REFUSED[job.kind])
      owners.leave(by.sessionId)
      return { ...job, notice: GOES_ON[job.kind] }
    }
    live.cancel()
    return job
  }

  /** What could not be recorded when it ended is tried once more: the last chance of this project. */
  close(): void {
    this.#recordLate()
  }

  #ended(jobId: string): Job {
    const job = this.#unrecorded.get(jobId)
    if (job !== undefined) return job
    const row = this.#db.get('SELECT * FROM jobs WHERE id = ?', jobId)
    if (row === undefined) throw new CodedError('not-found', 'This job is not known (any more).')
    return toJob(row)
  }

  #save(job: Job): void {
    const ended = job.state !== 'queued' && job.state !== 'running'
    if (ended) this.#live.delete(job.id)
    try {
      this.#record(job, ended)
    } catch (error) {
      // The work itself is what counts; its row is for the record.
      this.#log(`job ${job.id} was not recorded: ${String(error)}`)
      if (ended) this.#unrecorded.set(job.id, job)
    }
  }

  #recordLate(): void {
    for (const job of [...this.#unrecorded.values()]) {
      try {
        this.#record(job, true)
        this.#unrecorded.delete(job.id)
      } catch {
        // The disk is still full; at the next start its row is told as cut off.
        return
      }
    }
  }

  #record(job: Job, ended: boolean): void {
    this.#db.run(
      `UPDATE jobs SET state = ?, progress = ?, message = ?, curve = ?, error_code = ?, error_message = ?,
         model_id = ?, ended_at = ? WHERE id = ?`,
      job.state,
      job.progress,
      job.message,
      JSON.stringify(job.curve),
      job.error?.code ?? null,
      job.error?.message ?? null,
      job.modelId,
      ended ? new Date().toISOString() : null,
      job.id,
    )
  }
}

function toJob(row: Row): Job {
  const code = textOrNull(row, 'error_code')
  return jobSchema.parse({
    id: row.id,
    kind: row.kind,
    state: row.state,
    caseId: row.case_id,
    progress: real(row, 'progress'),
    message: row.message,
    secondsLeft: null,
    curve: curvePointSchema.array().parse(json(row, 'curve')),
    error: code === null ? null : { code, message: text(row, 'error_message') },
    modelId: row.model_id,
  })
}
