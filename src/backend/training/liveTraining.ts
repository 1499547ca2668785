import { randomUUID } from 'node:crypto'
import type { ComputeSlice } from '../../core/contract/compute.ts'
import type { ComputePort, ComputeResult } from '../compute/port.ts'
import type { ModelRecord, Models } from '../models/models.ts'
import type { LearnedCase, LearnedSlice } from '../models/origin.ts'
import type { Promotion } from '../models/promotion.ts'
import type { Project } from '../project/project.ts'
import type { FreshLesson, Lessons } from './liveLessons.ts'
import { countsOf, tidy } from './version.ts'

export interface LiveTrainingParts {
  readonly project: Project
  readonly models: Models
  readonly promotion: Promotion
  readonly compute: ComputePort
  readonly log: (line: string) => void
}

interface Begun {
  readonly parent: ModelRecord | null
  readonly labels: readonly { readonly value: number; readonly name: string }[]
  readonly seed: number
}

/** A version that was registered. */
export interface KeptVersion {
  readonly id: string
  readonly dir: string
  readonly parentDir: string | null
  /** What it newly learned. */
  readonly fresh: readonly FreshLesson[]
}

/** One training between strokes, from when compute opens it until it is kept as a version or given up. */
export class LiveTraining {
  readonly modelId = randomUUID()
  readonly parent: ModelRecord | null
  /** Since it was opened; none of them is kept yet. */
  steps = 0
  readonly #parts: LiveTrainingParts
  readonly #begun: Begun
  readonly #activeId: string | null
  /** What compute was given last. */
  #lessons: Lessons | null = null
  /** Of what it was given, that of which it did a step last. */
  #taught: Lessons | null = null
  /** All of which it ever did a step: the weights remember what is no lesson any more. */
  readonly #learned = new Map<string, LearnedSlice>()
  readonly #data = new Map<string, LearnedCase>()
  /** Cases that it was ever given, whether or not it came to a step. */
  readonly #given = new Set<string>()

  constructor(parts: LiveTrainingParts, begun: Begun) {
    this.#parts = parts
    this.#begun = begun
    this.parent = begun.parent
    this.#activeId = parts.models.activeId()
  }

  /** Takes its turn at the lane from whoever calls. Throws what compute says. */
  async open(signal: AbortSignal): Promise<void> {
    const { parent, labels, seed } = this.#begun
    const order = { parentDir: parent?.dir ?? null, modelId: this.modelId, labels: [...labels], seed }
    const { models, compute } = this.#parts
    await models.hold(parent === null ? [] : [parent.id], () => compute.call('liveOpen', order, { signal }))
  }

  /** It can go on from this parent, with these labels. */
  fits(parent: ModelRecord | null, labels: Begun['labels']): boolean {
    const known = this.#begun.labels
    return (
      this.parent?.id === parent?.id &&
      labels.length === known.length &&
      labels.every(({ value }, at) => value === known[at]?.value)
    )
  }

  /** It learned, or may have learned, from one of these cases: what it knows of it cannot be taken back. */
  learnedFrom(isGone: (caseId: string) => boolean): boolean {
    return [...this.#given].some(isGone)
  }

  /** Trains for so long, or until it is aborted. Throws what compute says: `not-resident` names what it lacks in its detail. */
  async run(
    lessons: Lessons,
    milliseconds: number,
    show: ComputeSlice | null,
    signal: AbortSignal,
  ): Promise<ComputeResult<'liveRun'>> {
    const given = this.#lessons === lessons ? null : { kept: lessons.kept }
    // Before it is asked: what fails half-way may have learned from them too.
    for (const { caseId } of lessons.data) this.#given.add(caseId)
    const order = { modelId: this.modelId, lessons: given, milliseconds, show }
    const result = await this.#parts.compute.call('liveRun', order, { signal })
    this.#lessons = lessons
    this.steps += result.steps
    // What it was given and came to no step of, or failed at, is still to be learned.
    if (result.steps > 0) this.#remember(lessons)
    return result
  }

  /**
   * Writes what was learned as the next version and registers it; in the turn at the lane of whoever calls. The training is over
   * then; what else is to be found out about the version is left to others. Throws what compute and disk say; it can go on then.
   */
  async keep(signal: AbortSignal): Promise<KeptVersion> {
    const { project, models, promotion, compute, log } = this.#parts
    const { parent, modelId } = this
    const kept = this.#taught?.kept ?? []
    // By the names that compute has for them now.
    const fresh = this.#lessons?.fresh.filter((lesson) => this.#knows(lesson)) ?? []
    const [learned, data] = [[...this.#learned.values()], [...this.#data.values()]]
    models.removeLeftOvers()
    const version = models.nextVersion()
    const outDir = models.dirOf(version)
    const parentId = parent?.id ?? null
    const name = parent?.card.name ?? project.name
    try {
      await compute.call(
        'liveSave',
        { modelId, outDir, name, createdAt: new Date().toISOString(), parentId },
        { signal },
      )
      const { id } = promotion.admit({
        version,
        activeId: this.#activeId,
        ...{ parentId, learned, data, mode: 'live' },
        settings: { steps: this.steps, seed: this.#begun.seed, ...countsOf(kept) },
        correctionBefore: null,
        correctionAfter: null,
      })
      return { id, dir: outDir, parentDir: parent?.dir ?? null, fresh }
    } catch (error) {
      tidy(models, log)
      throw error
    }
  }

  #remember(lessons: Lessons): void {
    if (this.#taught === lessons) return
    this.#taught = lessons
    const { learned, data } = lessons
    for (const slice of learned) this.#learned.set(nameOf(slice), slice)
    for (const taught of data) {
      const slices = [...this.#learned.values()].filter(({ caseId }) => caseId === taught.caseId).length
      this.#data.set(taught.caseId, { ...taught, slices })
    }
  }

  /** It learned the slice in this state. */
  #knows({ learned }: FreshLesson): boolean {
    return this.#learned.get(nameOf(learned))?.changedSeq === learned.changedSeq
  }

  /** Gives it up. */
  close(): void {
    const { state } = this.#parts.compute.status()
    // Another process knows nothing of it, and is not started for this.
    if (state !== 'ready' && state !== 'busy') return
    this.#parts.compute.call('liveClose', { modelId: this.modelId }).catch(() => undefined)
  }
}

function nameOf({ caseId, slice }: LearnedSlice): string {
  return `${caseId} ${slice}`
}
