import type { KeptSample } from '../../core/contract/compute.ts'
import type { ComputePort } from '../compute/port.ts'
import type { LearnedCase, LearnedSlice } from '../models/origin.ts'
import { labelsForCompute } from '../volume/computeSlices.ts'
import { chooseSlices, type SliceChoice } from './choosing.ts'
import { Excerpts } from './excerpts.ts'
import { labelValues, laterLabels } from './laterLabels.ts'
import { leftOut, readPictures, readTruth, type LeftOut, type SliceTruth } from './lessons.ts'
import type { SampleParts } from './samples.ts'
import type { Stream } from './stream.ts'

/** A slice that the parent has not learned as it is. */
export interface FreshLesson {
  readonly sample: KeptSample
  /** The state that it was in. */
  readonly learned: LearnedSlice
}

/** What there is to learn at one moment. */
export interface Lessons {
  readonly kept: KeptSample[]
  /** Of those, the ones that the parent has not learned as they are. */
  readonly fresh: FreshLesson[]
  readonly learned: LearnedSlice[]
  /** The cases of `learned`. */
  readonly data: LearnedCase[]
  readonly leftOut: LeftOut[]
}

export interface Agenda {
  readonly choice: readonly SliceChoice[]
  /** How many of them the parent has not learned as they are. */
  readonly fresh: number
  /** The same text for the same slices in the same states, beside the same labels. */
  readonly state: string
}

interface LessonOfSlice {
  /** Of the choice that it was read for; empty where the slice was drawn on since. */
  readonly state: string
  readonly index: number
  readonly trusted: Uint8Array<ArrayBuffer> | null
  readonly changedSeq: number
}

interface CaseLessons {
  readonly state: string
  /** By what compute knows it. */
  readonly name: string
  readonly slices: ReadonlyMap<number, LessonOfSlice>
  readonly data: Omit<LearnedCase, 'slices'>
}

export interface LiveLessonParts extends SampleParts {
  readonly compute: ComputePort
  readonly stream: Stream
}

/**
 * Sees to it that compute has what a training between strokes learns from, as names of slices that it keeps: of open cases by
 * the stream, which patches them; of others as excerpts.
 */
export class LiveLessons {
  readonly #parts: LiveLessonParts
  readonly #excerpts: Excerpts
  readonly #cases = new Map<string, CaseLessons>()
  #choice: readonly SliceChoice[] = []

  constructor(parts: LiveLessonParts) {
    this.#parts = parts
    this.#excerpts = new Excerpts(parts.compute)
  }

  /** One look into the database. What is replayed stays the same from one look to the next, as far as it can. */
  agenda(parentId: string | null, seed: number): Agenda {
    const again = this.#choice.filter(({ role }) => role === 'replay')
    const choice = chooseSlices(this.#parts.db, parentId, { seed, again })
    this.#choice = choice
    const fresh = choice.filter((item) => item.fresh).length
    const taught = choice.map((item) => [item.caseId, item.role, stateOf(item)])
    // What is known of a slice hangs on the labels, too: those that came later than it.
    const state = JSON.stringify([labelValues(this.#parts.db), taught])
    return { choice, fresh, state }
  }

  /** Brings what compute lacks. Throws CodedError: `cancelled`, and what compute says. */
  async bring({ choice }: Agenda, signal: AbortSignal): Promise<Lessons> {
    const lessons: Lessons = { kept: [], fresh: [], learned: [], data: [], leftOut: [] }
    const byCase = Map.groupBy(choice, ({ caseId }) => caseId)
    this.#excerpts.keepOnly(new Set([...byCase.keys()].filter((caseId) => !this.#parts.stream.follows(caseId))))
    for (const [caseId, wanted] of byCase) {
      signal.throwIfAborted()
      try {
        const known = await this.#case(caseId, wanted, signal)
        this.#cases.set(caseId, known)
        collect(known, caseId, wanted, laterLabels(this.#parts.db), lessons)
      } catch (error) {
        this.#cases.delete(caseId)
        const left = leftOut(this.#parts.cases, caseId, error)
        if (left !== null) lessons.leftOut.push(left)
      }
    }
    return lessons
  }

  /** Compute does not keep these any more; without names: nothing. */
  lost(names?: readonly string[]): void {
    this.#parts.stream.lost(names)
    this.#excerpts.lost(names)
  }

  /** Images of cases may be others by now. */
  forget(): void {
    this.#cases.clear()
    this.#excerpts.lost()
  }

  /** Nothing of it is needed any more, except by those who have these cases open. */
  release(): void {
    this.#excerpts.keepOnly(new Set())
    this.#cases.clear()
    this.#choice = []
  }

  async #case(caseId: string, wanted: readonly SliceChoice[], signal: AbortSignal): Promise<CaseLessons> {
    const { stream, masks, cases } = this.#parts
    const ordered = [...wanted].sort((a, b) => a.slice - b.slice)
    const slices = ordered.map(({ slice }) => slice)
    const follows = stream.follows(caseId)
    const state = JSON.stringify([follows, ordered.map(stateOf)])
    const known = this.#cases.get(caseId)
    const there = follows ? stream.lacking(caseId, slices).length === 0 : this.#excerpts.has(caseId, state)
    if (there && known?.state === state) return known
    const lacking = follows ? stream.lacking(caseId, slices) : slices
    // Of an open case only what a stroke changed is read again: each of its slices may be large.
    const before = follows && known?.name === caseId ? known.slices : new Map<number, LessonOfSlice>()
    const same = new Map(ordered.flatMap((item) => sameLesson(before.get(item.slice), item)))
    const changed = slices.filter((slice) => !same.has(slice))
    const pictures = await readPictures(this.#parts, caseId, lacking, signal)
    const { truths, revision } = await masks.use(caseId, (mask) => ({
      truths: readTruth(this.#parts, mask, changed),
      revision: mask.revision,
    }))
    if (follows) await stream.bring(caseId, [...pictures.images.values()], pictures.geometry)
    else if (truths.length > 0) await this.#excerpts.bring(caseId, state, truths, pictures)
    const { name, contentHash } = cases.get(caseId)
    const states = new Map(ordered.map((item) => [item.slice, item]))
    const lesson = (truth: SliceTruth, at: number): LessonOfSlice => ({
      state: stateIn(states.get(truth.slice), truth),
      index: follows ? truth.slice : at,
      trusted: truth.trusted === 'all' ? null : labelsForCompute(truth.trusted, pictures.layout),
      changedSeq: truth.changedSeq,
    })
    return {
      state,
      name: follows ? caseId : Excerpts.nameOf(caseId),
      slices: new Map([...same, ...truths.map((truth, at) => [truth.slice, lesson(truth, at)] as const)]),
      data: { caseId, name, imageHash: contentHash, revision },
    }
  }
}

function stateOf({ slice, changedSeq, whole }: SliceChoice): readonly unknown[] {
  return [slice, changedSeq, whole]
}

/** The lesson as it is known, with its slice, where it is still the same. */
function sameLesson(known: LessonOfSlice | undefined, item: SliceChoice): [number, LessonOfSlice][] {
  return known?.state === JSON.stringify(stateOf(item)) ? [[item.slice, known]] : []
}

function stateIn(item: SliceChoice | undefined, { changedSeq }: SliceTruth): string {
  return item?.changedSeq === changedSeq ? JSON.stringify(stateOf(item)) : ''
}

function collect(
  known: CaseLessons,
  caseId: string,
  wanted: readonly SliceChoice[],
  laterOf: ReturnType<typeof laterLabels>,
  into: Lessons,
): void {
  let taken = 0
  for (const { slice, role, weight, fresh } of wanted) {
    const lesson = known.slices.get(slice)
    if (lesson === undefined) continue
    const { index, trusted, changedSeq } = lesson
    const later = laterOf(caseId, slice, changedSeq)
    const sample: KeptSample = {
      ...{ caseId: known.name, index, role, weight },
      ...(trusted === null ? {} : { trusted }),
      ...(later.length === 0 ? {} : { later }),
    }
    const taught = { caseId, slice, changedSeq }
    into.kept.push(sample)
    if (fresh) into.fresh.push({ sample, learned: taught })
    into.learned.push(taught)
    taken++
  }
  if (taken > 0) into.data.push({ ...known.data, slices: taken })
}
