import { setImmediate as pause } from 'node:timers/promises'
import { CodedError, toWireError } from '../../core/contract/errors.ts'
import type { EventName } from '../../core/contract/events.ts'
import type { LiveState } from '../../core/contract/learning.ts'
import { KEEPS_STOPPING } from '../compute/words.ts'
import { cancelled, priorities } from '../jobs/lane.ts'
import type { Jobs } from '../jobs/jobs.ts'
import type { Owner } from '../jobs/owners.ts'
import type { Predictor } from '../prediction/predictor.ts'
import { LiveCourse, type LiveCourseParts } from './liveCourse.ts'
import { LiveProof } from './liveProof.ts'
import type { ShownSlice } from './liveView.ts'
import { Pens } from './pens.ts'
import { Rest } from './rest.ts'

/** In milliseconds, but for steps. */
export interface LivePace {
  /** Of quiet after a stroke, before it goes on. */
  readonly quietMs: number
  /** Of one run; the slice on screen is predicted after each. */
  readonly runMs: number
  /** A pen that was not heard of for so long is taken for lifted. */
  readonly penMs: number
  /** A version is kept after so many steps, once it has been quiet for so long. */
  readonly keepSteps: number
  readonly keepMs: number
  /** So long at most closing the project waits until what was learned is on disk. */
  readonly closeMs: number
}

const PACE: LivePace = { quietMs: 300, runMs: 300, penMs: 10_000, keepSteps: 200, keepMs: 20_000, closeMs: 20_000 }

export interface LiveParts extends LiveCourseParts {
  readonly jobs: Jobs
  readonly predictor: Predictor
  /** Ends what computes without having been asked for. */
  readonly giveWay: () => Promise<void>
  readonly pace?: Partial<LivePace> | undefined
}

/** After these there may be something else to learn, or to go on from. */
const TEACHING: ReadonlySet<EventName> = new Set<EventName>([
  'annotation.applied',
  'case.slices',
  'holdout.changed',
  'labels.changed',
  'models.changed',
  'project.changed',
])

/** Where the disk refuses a version, the training goes on. */
const DISK: ReadonlySet<string> = new Set(['disk-full', 'no-permission', 'not-saved'])

/**
 * Training in the quiet between strokes: runs of a fraction of a second, before each of which it looks whether anybody draws
 * or anything else wants to compute. What it learned becomes a version now and then, when it is switched off, and before compute
 * ends: it is saved first, which nothing interrupts, and judged as any other in the quiet after that.
 */
export class Live {
  readonly #parts: LiveParts
  readonly #pace: LivePace
  readonly #course: LiveCourse
  readonly #proof: LiveProof
  readonly #pens: Pens
  readonly #rest = new Rest()
  readonly #unsubscribe: (() => void)[]
  /** Aborted when the project has waited for it long enough. */
  readonly #closing = new AbortController()
  #closed = false
  #on = false
  #phase: LiveState['phase'] = 'off'
  #problem: string | null = null
  #told = ''
  #shown: ShownSlice | null = null
  #owners: readonly Owner[] = []
  #finished: Promise<void> | null = null
  /** Ends what is under way, within a step. */
  #interrupt = new AbortController()
  #suspended = 0
  /** Who waits until what was learned is safe. */
  readonly #savers: (() => void)[] = []
  /** It is switched off, and judges what it kept. */
  #ending = false
  #strokeAt = -Infinity
  /** So many steps have to be unsaved before a version is kept; more after the disk refused one. */
  #keepFrom: number

  constructor(parts: LiveParts) {
    this.#parts = parts
    this.#pace = { ...PACE, ...parts.pace }
    this.#keepFrom = this.#pace.keepSteps
    this.#course = new LiveCourse(parts)
    this.#proof = new LiveProof(parts)
    this.#pens = new Pens(this.#pace.penMs, () => this.#look())
    this.#unsubscribe = [
      parts.events.on((name) => this.#heard(name)),
      parts.compute.onStatus(({ state }) => {
        if (state !== 'ready' && state !== 'busy') this.#course.computeLost()
      }),
    ]
  }

  state(): LiveState {
    return { ...this.#course.facts, on: this.#on, phase: this.#phase, problem: this.#problem }
  }

  /** Switching it off answers at once; what was learned is kept as a version meanwhile. */
  set(on: boolean, shown: ShownSlice | null, owner: Owner): LiveState {
    this.show(shown)
    this.#owners = [owner]
    if (on !== this.#on) {
      this.#on = on
      if (on) this.#problem = null
      if (on) this.#phase = 'starting'
      else if (this.#course.unsaved || this.#proof.pending !== null) this.#phase = 'saving'
      this.#look()
      this.#begin()
    }
    this.#tell()
    return this.state()
  }

  show(shown: ShownSlice | null): void {
    this.#shown = shown
    this.#course.show(shown)
    this.#rest.wake()
  }

  pen(sessionId: string, down: boolean): void {
    if (!down) this.#strokeAt = performance.now()
    this.#pens.set(sessionId, down)
  }

  /** A case is seen in another way, or was taken off the worklist. */
  forgetImages(): void {
    this.#course.forgetImages()
    this.#rest.wake()
  }

  /**
   * Does `work` while nothing else is asked of compute, which may be another one afterwards: what was learned is saved before, as
   * far as the disk allows.
   */
  async suspended<T>(work: () => Promise<T>): Promise<T> {
    this.#suspended++
    this.#look()
    try {
      await this.#saved()
      return await this.#parts.lane.run(priorities.visibleSlice, new AbortController().signal, work)
    } finally {
      this.#suspended--
      this.#look()
    }
  }

  /** Saves what was learned; it is judged another time. Nothing begins any more. */
  async stop(): Promise<void> {
    for (const stop of this.#unsubscribe) stop()
    this.#pens.close()
    this.#on = false
    this.#closed = true
    const timer = setTimeout(() => this.#closing.abort(cancelled()), this.#pace.closeMs)
    this.#look()
    await this.#finished
    clearTimeout(timer)
    this.#closing.abort(cancelled())
  }

  #heard(name: EventName): void {
    if (name === 'annotation.applied') this.#strokeAt = performance.now()
    if (TEACHING.has(name)) this.#course.changed()
    if (TEACHING.has(name) || name === 'job.changed') this.#look()
  }

  /** Something changed: a run that may not go on ends, and who waits looks again. */
  #look(): void {
    const mayGoOn = this.#on ? !this.#held() : this.#ending && !this.#closed && !this.#drawing()
    if (!mayGoOn) this.#interrupt.abort(cancelled())
    this.#rest.wake()
  }

  /** It is switched on, as far as is known at this moment. */
  #wanted(): boolean {
    return this.#on
  }

  /** Somebody draws, or something else computes. */
  #held(): boolean {
    return this.#drawing() || this.#parts.jobs.live().length > 0
  }

  /** Somebody draws, or compute is to be left alone. */
  #drawing(): boolean {
    return this.#pens.down || this.#suspended > 0
  }

  /** Milliseconds until it has been quiet for long enough after the last stroke. */
  #unquiet(): number {
    return this.#strokeAt + this.#pace.quietMs - performance.now()
  }

  /** What was learned until now is a version, or cannot become one. */
  #saved(): Promise<void> {
    if (this.#finished === null || !this.#course.unsaved) return Promise.resolve()
    return new Promise((resolve) => {
      this.#savers.push(resolve)
      this.#look()
    })
  }

  #begin(): void {
    if (!this.#on || this.#closed) return
    this.#finished ??= this.#loop()
      .catch((error: unknown) => {
        // Whatever it is, the host goes on.
        this.#on = false
        this.#parts.log(`Live: ${String(error)}`)
      })
      .finally(() => {
        this.#finished = null
        // Switched on again at the last moment.
        this.#begin()
      })
  }

  async #loop(): Promise<void> {
    const { events } = this.#parts
    try {
      // After the call has answered.
      await this.#parts.giveWay()
      do {
        while (this.#wanted()) await this.#round()
        await this.#end()
      } while (this.#wanted())
    } catch (error) {
      this.#on = false
      if (this.#closing.signal.aborted) return
      this.#problem = toWireError(inWords(error)).message
      events.emit('notice', { level: 'error', message: `Live stopped: ${this.#problem}` })
    } finally {
      this.#releaseSavers()
      this.#course.release()
      this.#keepFrom = this.#pace.keepSteps
      this.#enter('off')
      this.#remake()
    }
  }

  async #round(): Promise<void> {
    // Whatever compute answers without waiting: strokes and windows have their turn in between.
    await pause()
    if (this.#savers.length > 0) {
      await this.#keep().catch((error: unknown) => this.#course.recover(error))
      this.#releaseSavers()
      return
    }
    const quiet = this.#unquiet()
    if (this.#held() || quiet > 0) {
      if (this.#held()) this.#enter('paused')
      await this.#rest.sleep(this.#held() ? Infinity : quiet)
      return
    }
    this.#interrupt = new AbortController()
    const { signal } = this.#interrupt
    try {
      if (this.#proof.pending !== null) await this.#judge(signal)
      else if (this.#isDue()) await this.#keep()
      else if (await this.#course.run(this.#pace.runMs, signal, () => this.#enter('starting'))) this.#enter('training')
      else {
        this.#enter('waiting')
        await this.#rest.sleep(this.#course.unsaved ? this.#pace.keepMs : Infinity)
      }
    } catch (error) {
      this.#course.recover(error)
    }
  }

  #isDue(): boolean {
    const { unsavedSteps } = this.#course.facts
    return unsavedSteps >= this.#keepFrom && performance.now() - this.#strokeAt >= this.#pace.keepMs
  }

  /** Short, and not interrupted by a stroke; what else is to be found out of the version is. */
  async #keep(): Promise<void> {
    this.#enter('saving')
    try {
      const made = await this.#course.keep(this.#closing.signal)
      this.#keepFrom = this.#pace.keepSteps
      if (made !== null) this.#proof.begin(made)
    } catch (error) {
      if (!(error instanceof CodedError) || !DISK.has(error.code)) throw error
      this.#keepFrom = this.#course.facts.unsavedSteps + this.#pace.keepSteps
      if (this.#problem !== error.message) this.#parts.events.emit('notice', { level: 'error', message: error.message })
      this.#problem = error.message
    }
  }

  /** Interrupted by a stroke, it is taken up again later: what was scored until then is known. */
  async #judge(signal: AbortSignal): Promise<boolean> {
    const { events } = this.#parts
    const modelId = this.#proof.pending
    if (modelId === null) return false
    this.#enter('saving')
    let { active } = this.#parts.models.get(modelId)
    try {
      active = await this.#proof.run(AbortSignal.any([signal, this.#closing.signal]))
      this.#problem = null
    } catch (error) {
      if (error instanceof CodedError && error.code === 'cancelled') throw error
      events.emit('notice', {
        level: 'warning',
        message: `A version of Live could not be judged: ${toWireError(error).message}`,
      })
    }
    if (!active) {
      this.#course.dismiss(modelId)
      this.#remake()
    }
    return active
  }

  /** It was switched off, or the project closes, and then what is kept is judged another time. */
  async #end(): Promise<void> {
    let used: string | null = null
    if (this.#course.unsaved) {
      this.#enter('saving')
      const made = await this.#course.keep(this.#closing.signal)
      if (made !== null) this.#proof.begin(made)
      used = made !== null && this.#parts.models.get(made.id).active ? made.id : null
      if (used !== null) this.#showUsed()
    }
    this.#releaseSavers()
    this.#ending = true
    try {
      while (this.#proof.pending !== null && !this.#closed && !this.#wanted())
        await this.#judgeInQuiet(this.#proof.pending === used)
      const pending = this.#proof.pending
      if (pending !== null && this.#closed && !this.#parts.models.get(pending).active) this.#course.dismiss(pending)
    } finally {
      this.#ending = false
    }
  }

  async #judgeInQuiet(isShown: boolean): Promise<void> {
    const quiet = this.#unquiet()
    if (this.#drawing() || quiet > 0) {
      await this.#rest.sleep(this.#drawing() ? Infinity : quiet)
      return
    }
    this.#interrupt = new AbortController()
    try {
      if ((await this.#judge(this.#interrupt.signal)) && !isShown) this.#showUsed()
    } catch (error) {
      // By a stroke; anything else was told.
      if (!(error instanceof CodedError) || error.code !== 'cancelled') throw error
    }
  }

  #releaseSavers(): void {
    for (const resolve of this.#savers.splice(0)) resolve()
  }

  /** What Live predicted of the case on screen was given up: the version in use says what it says. */
  #remake(): void {
    const bereft = this.#closed ? null : this.#course.takeBereft()
    if (bereft !== null) this.#predict(bereft)
  }

  /** What was kept is used, before it is scored where nothing else was: with Live off, it predicts the case on screen. */
  #showUsed(): void {
    if (this.#shown === null || this.#wanted() || this.#closed) return
    this.#course.takeBereft()
    this.#predict(this.#shown)
  }

  #predict({ caseId, index }: ShownSlice): void {
    this.#parts.predictor.offer(caseId, index, this.#owners)
  }

  #enter(phase: LiveState['phase']): void {
    // It was switched off meanwhile, and only ends.
    if (!this.#on && phase !== 'saving' && phase !== 'off') return
    this.#phase = phase
    this.#tell()
  }

  #tell(): void {
    const state = this.state()
    const text = JSON.stringify(state)
    if (text === this.#told) return
    this.#told = text
    this.#parts.events.emit('live.changed', state)
  }
}

function inWords(error: unknown): unknown {
  return error instanceof CodedError && error.code === 'compute-crashed'
    ? new CodedError('compute-crashed', KEEPS_STOPPING, { cause: error })
    : error
}
