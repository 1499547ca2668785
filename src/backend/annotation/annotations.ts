import { randomUUID } from 'node:crypto'
import { CodedError } from '../../core/contract/errors.ts'
import type { Coverage } from '../../core/contract/learning.ts'
import type { Axis, Box, History, LabelSlice, StrokeDelta, StrokeKind } from '../../core/contract/schemas.ts'
import {
  applyDelta,
  extractSlice,
  invertRuns,
  labelsTouched,
  sliceExtent,
  validateDelta,
  wholeBox,
} from '../../core/labelmap/index.ts'
import type { EventHub } from '../events.ts'
import type { Cases } from '../project/cases.ts'
import type { Database } from '../project/database.ts'
import type { Labels } from '../project/labels.ts'
import { isApproval, type Journal, type JournalEntry, type SliceCounter } from './journal.ts'
import { pushHistory, type CaseMask, type Masks } from './masks.ts'
import { eraseRuns } from './plans.ts'
import { decodeSlices, encodeSlices, slicesOfRuns } from './sliceSets.ts'
import type { Snapshots } from './snapshots.ts'
import { countPixels, inForceNow, standingOf } from './standing.ts'
import type { Tallies } from './tallies.ts'
import { historyOf, strokeName } from './words.ts'

export interface AppliedChange {
  readonly revision: number
  readonly delta: StrokeDelta | null
  readonly history: History
}

/** A change that is ready to be appended. */
export interface PlannedStroke {
  readonly id: string
  readonly kind: StrokeKind
  readonly label: number
  readonly axis: Axis | null
  readonly baseRevision: number
  readonly box: Box
  readonly runs: Uint32Array<ArrayBuffer>
  /** Ascending indices across the training axis that the stroke speaks about. */
  readonly slices: readonly number[]
  readonly counter: SliceCounter
  readonly target: JournalEntry | null
  /** What becomes corrected by it teaches only where it was painted; absent: as the project has it. */
  readonly painted?: boolean
  /** What else belongs to the change: done in the same transaction. */
  readonly also?: () => void
}

export interface AnnotationParts {
  readonly db: Database
  readonly cases: Cases
  readonly labels: Labels
  readonly journal: Journal
  readonly tallies: Tallies
  readonly masks: Masks
  readonly snapshots: Snapshots
  readonly events: EventHub
  /** A case's summary may have changed. */
  readonly touched: (caseId: string) => void
  /** What the slices of a case are has changed. */
  readonly slicesChanged: (caseId: string) => void
  /** What of a slice teaches that becomes corrected. */
  readonly coverage: () => Coverage
}

const drawn: ReadonlySet<StrokeKind> = new Set<StrokeKind>(['brush', 'erase', 'fill'])

/**
 * Every change of every mask. A change is checked, appended to the journal in one durable transaction, and only then
 * part of the mask in memory, announced and acknowledged. Its cost depends on the stroke, not on the volume.
 */
export class Annotations {
  readonly #parts: AnnotationParts

  constructor(parts: AnnotationParts) {
    this.#parts = parts
  }

  /**
   * Throws CodedError: `bad-request` for a delta out of bounds or of an unknown label, `locked`, `conflict` where the
   * mask does not hold what the delta found before, and what the disk says.
   */
  async commit(
    caseId: string,
    delta: StrokeDelta,
    origin: string | null,
  ): Promise<{ revision: number; history: History }> {
    const { cases, labels, journal, masks } = this.#parts
    const record = cases.get(caseId)
    return masks.use(caseId, (mask) => {
      const known = journal.findStroke(delta.id)
      if (known !== null) {
        if (known.caseId !== caseId) throw new CodedError('conflict', 'This stroke belongs to another case.')
        return { revision: known.revision, history: historyOf(mask, labels) }
      }
      if (!drawn.has(delta.kind)) throw new CodedError('bad-request', `A stroke of kind "${delta.kind}" is not drawn.`)
      validateDelta(delta, mask.dims)
      if (delta.runs.length === 0) return { revision: mask.revision, history: historyOf(mask, labels) }
      this.#refuseLocked(delta.runs, 'draw there')
      this.#refuseUnknown(delta.runs)
      const slices = slicesOfRuns(delta.box, delta.runs, record.trainingAxis)
      const counter = delta.axis === record.trainingAxis ? 'own' : 'crossing'
      const { revision, history } = this.append(mask, { ...delta, slices, counter, target: null }, origin)
      return { revision, history }
    })
  }

  async undo(caseId: string, origin: string | null): Promise<AppliedChange> {
    return this.#step(caseId, 'undo', origin)
  }

  async redo(caseId: string, origin: string | null): Promise<AppliedChange> {
    return this.#step(caseId, 'redo', origin)
  }

  async history(caseId: string): Promise<History> {
    this.#parts.cases.get(caseId)
    return this.#parts.masks.use(caseId, (mask) => historyOf(mask, this.#parts.labels))
  }

  async slice(caseId: string, axis: Axis, index: number): Promise<LabelSlice> {
    this.#parts.cases.get(caseId)
    return this.#parts.masks.use(caseId, (mask) => {
      if (index >= mask.dims[axis]) throw new CodedError('bad-request', `There is no slice ${index}.`)
      const [width, height] = sliceExtent(mask.dims, axis)
      const data = extractSlice(mask.labels, mask.dims, axis, index)
      return { width, height, data, revision: mask.revision, modelId: null }
    })
  }

  /** Erases a label in every case, one undoable stroke each, then takes it off the list. */
  async removeLabel(value: number, origin: string | null): Promise<void> {
    const { labels, tallies, masks, cases, events } = this.#parts
    const label = labels.get(value)
    if (label.locked) {
      throw new CodedError('locked', `"${label.name}" is locked; unlock it before you delete it.`)
    }
    // Case by case, so that memory holds one mask; again while somebody still draws with the label.
    for (let found = true; found;) {
      found = false
      for (const caseId of tallies.casesWith(value)) {
        const record = cases.find(caseId)
        if (record === null) continue
        const erased = await masks.use(caseId, (mask) => {
          const box = wholeBox(mask.dims)
          const runs = eraseRuns(mask.labels, value)
          if (runs.length === 0) return false
          this.append(
            mask,
            {
              id: randomUUID(),
              kind: 'delete-label',
              label: value,
              axis: null,
              baseRevision: mask.revision,
              box,
              runs,
              slices: slicesOfRuns(box, runs, record.trainingAxis),
              counter: 'none',
              target: null,
            },
            origin,
          )
          return true
        })
        found ||= erased
      }
    }
    labels.setArchived(value, true)
    events.emit('labels.changed', { labels: labels.list() })
  }

  /**
   * Appends a checked change and makes it part of the mask. All or nothing: where the transaction fails, mask, label
   * list and history are as before.
   */
  append(mask: CaseMask, stroke: PlannedStroke, origin: string | null): AppliedChange & { delta: StrokeDelta } {
    const { db, cases, labels, journal, snapshots, events, touched, slicesChanged, tallies } = this.#parts
    const before = { marks: tallies.markWords(mask.caseId, stroke.slices), labels: labels.list().length }
    const memory = { applied: false }
    try {
      const entry = db.transaction(() => {
        stroke.also?.()
        const appended = journal.append(
          {
            caseId: mask.caseId,
            revision: mask.revision + 1,
            strokeId: stroke.id,
            kind: stroke.kind,
            label: stroke.label,
            axis: stroke.axis,
            targetSeq: stroke.target?.seq ?? null,
            baseRevision: stroke.baseRevision,
            createdAt: new Date().toISOString(),
            box: stroke.box,
            slices: encodeSlices(stroke.slices),
            counter: stroke.counter,
          },
          stroke.target === null ? stroke.runs : null,
        )
        this.#tally(mask, stroke, appended)
        // Last before the commit, so that a conflict rolls back; nobody can look in between.
        applyDelta(mask.labels, mask.dims, stroke)
        memory.applied = true
        return appended
      })
      pushHistory(mask, entry)
      mask.revision = entry.revision
      mask.seq = entry.seq
    } catch (error) {
      if (memory.applied) applyDelta(mask.labels, mask.dims, { box: stroke.box, runs: invertRuns(stroke.runs) })
      labels.reload()
      cases.forget(mask.caseId)
      throw error
    }
    const { id, baseRevision, kind, label, axis, box, runs } = stroke
    const delta: StrokeDelta = { id, baseRevision, kind, label, axis, box, runs }
    const history = historyOf(mask, labels)
    snapshots.changed(mask.caseId)
    events.emit('annotation.applied', { caseId: mask.caseId, revision: mask.revision, delta, history, origin })
    if (labels.list().length !== before.labels) events.emit('labels.changed', { labels: labels.list() })
    if (tallies.markWords(mask.caseId, stroke.slices) !== before.marks) slicesChanged(mask.caseId)
    touched(mask.caseId)
    return { revision: mask.revision, delta, history }
  }

  async #step(caseId: string, kind: 'undo' | 'redo', origin: string | null): Promise<AppliedChange> {
    const { cases, labels, journal, masks } = this.#parts
    cases.get(caseId)
    return masks.use(caseId, (mask) => {
      const top = mask[kind].at(-1)
      if (top === undefined) return { revision: mask.revision, delta: null, history: historyOf(mask, labels) }
      const target = journal.get(top.seq)
      const stored = journal.runsOf(target)
      const runs = kind === 'undo' ? invertRuns(stored) : stored
      this.#refuseLocked(runs, `${kind} "${strokeName(top, labels)}"`)
      const { label, axis, box, counter } = target
      const slices = decodeSlices(target.slices)
      const baseRevision = mask.revision
      const id = randomUUID()
      return this.append(mask, { id, kind, label, axis, baseRevision, box, runs, slices, counter, target }, origin)
    })
  }

  /** Inside the transaction: what follows from the stroke in the other tables. */
  #tally(mask: CaseMask, stroke: PlannedStroke, row: JournalEntry): void {
    const { cases, labels, tallies, coverage } = this.#parts
    const { caseId } = mask
    const meant = stroke.target ?? stroke
    const undone = stroke.kind === 'undo'
    if (!isApproval(meant.counter)) {
      const usual = meant.kind !== 'import' && coverage() === 'painted'
      const painted = stroke.target === null ? (stroke.painted ?? usual) : null
      const { kind, counter } = meant
      tallies.addStroke(caseId, stroke.slices, { kind, counter, undone, seq: row.seq, painted })
    }
    this.#stand(mask, row, meant.counter, stroke.slices)
    tallies.addVoxels(caseId, stroke.runs)
    const change = undone ? -1 : 1
    const drawn = mask.undo.reduce((count, { kind }) => count + Number(kind !== 'import'), 0)
    cases.setRevision(caseId, mask.revision + 1, {
      active: mask.undo.length + change,
      drawn: drawn + (meant.kind === 'import' ? 0 : change),
      changesMask: stroke.runs.length > 0,
    })
    if (stroke.target === null) return
    // Voxels of a deleted label come back only together with the label.
    for (let r = 3; r < stroke.runs.length; r += 4) labels.setArchived(stroke.runs[r] ?? 0, false)
    if (meant.kind === 'delete-label' && !undone && tallies.usage(meant.label).voxels === 0) {
      labels.setArchived(meant.label, true)
    }
  }

  /** What is approved, and what nobody has seen, where a stroke more or less does not say it. */
  #stand(mask: CaseMask, row: JournalEntry, counter: SliceCounter, slices: readonly number[]): void {
    const { cases, journal, tallies } = this.#parts
    const { caseId, dims } = mask
    const approval = isApproval(counter)
    const undone = row.kind === 'undo'
    const given = counter === 'approved' && !undone
    const afresh = approval || (undone && counter === 'accepted')
    const doubtful = afresh ? slices : undone && counter === 'own' ? tallies.acceptedOf(caseId, slices) : []
    if (doubtful.length === 0) return
    const { trainingAxis } = cases.get(caseId)
    const [width, height] = sliceExtent(dims, trainingAxis)
    const pixels = width * height
    const seqs = new Set(inForceNow(mask))
    if (undone) seqs.delete(row.targetSeq ?? 0)
    else seqs.add(row.targetSeq ?? row.seq)
    for (const [slice, standing] of standingOf(journal, { caseId, dims, trainingAxis, seqs }, doubtful)) {
      const approved = countPixels(standing.approved, pixels)
      const unseen = standing.unseenSince > 0
      tallies.setStanding(caseId, slice, { approved, pixels, unseen, given }, approval ? row.seq : null)
    }
  }

  #refuseLocked(runs: Uint32Array, what: string): void {
    const { labels } = this.#parts
    for (const value of labelsTouched(runs)) {
      if (!labels.isLocked(value)) continue
      throw new CodedError('locked', `"${labels.nameOf(value)}" is locked; unlock it to ${what}.`)
    }
  }

  #refuseUnknown(runs: Uint32Array): void {
    const { labels } = this.#parts
    for (let r = 3; r < runs.length; r += 4) {
      const value = runs[r] ?? 0
      if (value === 0 || labels.isCurrent(value)) continue
      if (!labels.isArchived(value)) throw new CodedError('bad-request', `There is no label ${value} in this project.`)
      throw new CodedError('not-found', `The label "${labels.nameOf(value)}" was deleted; choose another one.`)
    }
  }
}
