import { CodedError } from '../../core/contract/errors.ts'
import type { LiveState } from '../../core/contract/learning.ts'
import type { EventHub } from '../events.ts'
import { priorities, type Lane } from '../jobs/lane.ts'
import type { Holdout } from '../models/holdout.ts'
import type { Labels } from '../project/labels.ts'
import { Flattening } from './flattening.ts'
import { leftOutWords } from './lessons.ts'
import { LiveLessons, type Agenda, type Lessons, type LiveLessonParts } from './liveLessons.ts'
import { LiveTraining, type KeptVersion, type LiveTrainingParts } from './liveTraining.ts'
import { LiveView, type LiveViewParts, type ShownSlice } from './liveView.ts'
import { modelLabels, trainedParent } from './version.ts'

export interface LiveCourseParts extends LiveLessonParts, LiveTrainingParts, LiveViewParts {
  readonly labels: Labels
  readonly holdout: Holdout
  readonly lane: Lane
  readonly events: EventHub
}

type Facts = Pick<LiveState, 'parentId' | 'modelId' | 'steps' | 'loss' | 'dice' | 'slices' | 'unsavedSteps'>

const NOTHING: Facts = { parentId: null, modelId: null, steps: 0, loss: null, dice: null, slices: 0, unsavedSteps: 0 }

/** Losses of what compute keeps, or ends of compute, in a row and without a step in between, after which it is given up. */
const MOST_LOSSES = 6

/**
 * What is learned between strokes, from being switched on to being switched off: what there is to learn, the training that
 * compute has open for it, and how far that is. It begins anew from the version in use whenever that is another one.
 */
export class LiveCourse {
  readonly #parts: LiveCourseParts
  readonly #lessons: LiveLessons
  readonly #view: LiveView
  readonly #flattening = new Flattening()
  #facts: Facts = NOTHING
  #changed = true
  #agenda: Agenda | null = null
  #brought: Lessons | null = null
  #training: LiveTraining | null = null
  /** The agenda of which nothing more is to be had: its version was not better. */
  #exhausted: string | null = null
  /** The agenda of which there was a step last. */
  #tried: string | null = null
  #losses = 0
  readonly #toldOf = new Set<string>()

  constructor(parts: LiveCourseParts) {
    this.#parts = parts
    this.#lessons = new LiveLessons(parts)
    this.#view = new LiveView(parts)
  }

  get facts(): Facts {
    return this.#facts
  }

  /** What is taught, or the version in use, may be another by now. */
  changed(): void {
    this.#changed = true
  }

  show(shown: ShownSlice | null): void {
    this.#view.show(shown)
  }

  /** A case is seen in another way, or gone. */
  forgetImages(): void {
    this.#view.forget()
    this.#lessons.forget()
    this.#brought = null
  }

  /** Another compute process knows nothing of this. */
  computeLost(): void {
    this.#lessons.lost()
    this.#brought = null
    this.#drop()
  }

  /**
   * Learns for so long. False where there is nothing to learn that it has not learned. Throws CodedError: `cancelled` where it
   * was interrupted before it began, and what compute says; see `recover`.
   */
  async run(milliseconds: number, signal: AbortSignal, starting: () => void): Promise<boolean> {
    const { models, labels, lane } = this.#parts
    const parent = trainedParent(models.active())
    const values = modelLabels(parent, labels)
    this.#look(parent?.id ?? null)
    const agenda = this.#agenda
    if (!this.#holds()) this.#drop()
    if (agenda === null || agenda.fresh === 0 || agenda.state === this.#exhausted || values.length === 0) return false
    const lessons = await this.#bring(agenda, signal)
    if (lessons.fresh.length === 0) return false
    if (this.#training === null) {
      starting()
      const begun = new LiveTraining(this.#parts, { parent, labels: values, seed: models.nextVersion() })
      await lane.run(priorities.live, signal, () => begun.open(signal))
      this.#training = begun
      this.#flattening.restart()
      this.#note({ ...NOTHING, parentId: parent?.id ?? null, modelId: begun.modelId, slices: lessons.kept.length })
    }
    const training = this.#training
    if (this.#flattening.flat && !this.#view.due(training.modelId)) return false
    const show = await this.#view.picture(signal)
    const revision = this.#view.revision()
    const result = await lane.run(priorities.live, signal, (wanted) => {
      const either = AbortSignal.any([signal, wanted])
      return training.run(lessons, this.#flattening.flat ? 0 : milliseconds, show, either)
    })
    if (result.steps > 0) {
      this.#losses = 0
      this.#tried = agenda.state
    }
    this.#flattening.add(result.steps, result.loss)
    this.#note({
      steps: this.#facts.steps + result.steps,
      unsavedSteps: training.steps,
      loss: result.loss ?? this.#facts.loss,
      dice: result.dice ?? this.#facts.dice,
      slices: lessons.kept.length,
    })
    if (result.shown !== null) this.#view.tell(training.modelId, result.shown, revision, training.steps)
    return true
  }

  /** There are steps of which no version was kept. */
  get unsaved(): boolean {
    return (this.#training?.steps ?? 0) > 0
  }

  /**
   * Writes what was learned as the next version; null where there is nothing to keep. Throws CodedError: what compute and disk say;
   * where it was the disk, the training can go on.
   */
  async keep(signal: AbortSignal): Promise<KeptVersion | null> {
    if (!this.#holds()) this.#drop()
    const training = this.#training
    if (training === null || training.steps === 0) return null
    const made = await this.#parts.lane.run(priorities.training, signal, () => training.keep(signal))
    // Until it turns out to be better, its lessons are not tried once more from the same start.
    this.#exhausted = this.#tried
    this.#view.giveUp(made.id, training)
    this.#drop({ kept: true })
    return made
  }

  /** A version that was kept is not the one in use: what it predicted goes with it. */
  dismiss(modelId: string): void {
    this.#view.giveUp(modelId)
  }

  /** The slice on screen where the version in use has to predict its case again; told once. */
  takeBereft(): ShownSlice | null {
    return this.#view.takeBereft()
  }

  /**
   * Makes the best of what a run threw: the next one brings what was lost, or begins anew. Throws it where another try would
   * come to the same.
   */
  recover(error: unknown): void {
    this.#changed = true
    if (!(error instanceof CodedError)) throw error
    const { code, detail } = error
    if (code === 'cancelled') return
    if (code === 'nothing-to-train') {
      this.#exhausted = this.#agenda?.state ?? null
      return
    }
    if (code !== 'not-resident' && code !== 'compute-crashed' && code !== 'backend-lost') throw error
    if (++this.#losses > MOST_LOSSES) throw error
    this.#brought = null
    const names = code === 'not-resident' ? (detail?.split('\n') ?? []) : []
    if (names.length === 0 || names.includes(this.#training?.modelId ?? '')) this.computeLost()
    else this.#lessons.lost(names)
  }

  /** Nothing goes on; what was learned and not kept is given up. */
  release(): void {
    this.#drop()
    this.#lessons.release()
    this.#view.forget()
    this.#agenda = null
    this.#brought = null
    this.#exhausted = null
    this.#tried = null
    this.#changed = true
    this.#losses = 0
    this.#toldOf.clear()
    this.#facts = NOTHING
  }

  /**
   * What is being trained goes on from the version in use, with the labels of now, and has learned from no case that was set aside or
   * taken off the worklist since.
   */
  #holds(): boolean {
    const { models, labels, cases, holdout } = this.#parts
    if (this.#training === null) return true
    const parent = trainedParent(models.active())
    const aside = holdout.caseIds()
    const isGone = (caseId: string): boolean => aside.has(caseId) || cases.find(caseId)?.removed !== false
    return this.#training.fits(parent, modelLabels(parent, labels)) && !this.#training.learnedFrom(isGone)
  }

  #look(parentId: string | null): void {
    if (!this.#changed && this.#facts.parentId === parentId) return
    this.#changed = false
    const agenda = this.#lessons.agenda(parentId, 0)
    if (agenda.state !== this.#agenda?.state) {
      this.#brought = null
      this.#flattening.restart()
    }
    this.#agenda = agenda
    this.#note({ parentId })
  }

  async #bring(agenda: Agenda, signal: AbortSignal): Promise<Lessons> {
    if (this.#brought !== null) return this.#brought
    const lessons = await this.#lessons.bring(agenda, signal)
    const left = lessons.leftOut.filter(({ caseId }) => !this.#toldOf.has(caseId))
    for (const { caseId } of left) this.#toldOf.add(caseId)
    for (const message of leftOutWords(left)) this.#parts.events.emit('notice', { level: 'warning', message })
    this.#brought = lessons
    return lessons
  }

  #drop({ kept } = { kept: false }): void {
    const training = this.#training
    this.#training = null
    training?.close()
    if (training !== null && !kept) this.#view.giveUp(training.modelId)
    this.#note({ modelId: null, unsavedSteps: 0 })
  }

  #note(facts: Partial<Facts>): void {
    this.#facts = { ...this.#facts, ...facts }
  }
}
