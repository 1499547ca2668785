import { createHash } from 'node:crypto'
import { z } from 'zod'
import { CodedError } from '../../core/contract/errors.ts'
import { holdoutSchema, type Holdout as HoldoutState } from '../../core/contract/learning.ts'
import type { Cases } from '../project/cases.ts'
import type { Database } from '../project/database.ts'
import { HELD_OUT } from '../project/heldOut.ts'
import { int, json, text } from '../project/rows.ts'
import { drawnSlices } from './drawnSlices.ts'
import type { Models } from './models.ts'
import { SCORED } from './scored.ts'
import { spread } from './spread.ts'

export interface HoldoutParts {
  readonly db: Database
  readonly cases: Cases
  readonly models: Models
}

/** A slice that models are scored on, in its present state. */
export interface HoldoutSlice {
  readonly caseId: string
  readonly slice: number
  readonly changedSeq: number
}

/** Without what was drawn on it, which takes a walk through the journal. */
type FrozenHoldout = Omit<HoldoutState, 'cases'> & {
  readonly cases: readonly Omit<HoldoutState['cases'][number], 'drawn'>[]
}
type ChosenBy = NonNullable<HoldoutState['chosenBy']>

const frozenSchema = z.object({ frozenAt: z.string(), chosenBy: holdoutSchema.shape.chosenBy.unwrap() })

/** Of the cases that could be set aside: this share is suggested, within these bounds. */
const SHARE = 0.2
const FEWEST = 5
const MOST = 20

/** The cases that no training sees, and that every version is scored on. */
export class Holdout {
  readonly #parts: HoldoutParts

  constructor(parts: HoldoutParts) {
    this.#parts = parts
  }

  get(): FrozenHoldout {
    const { db } = this.#parts
    const rows = db.all(
      `SELECT h.case_id, COUNT(s.slice) AS slices
       FROM holdout_cases h JOIN cases c ON c.id = h.case_id AND c.removed = 0
       LEFT JOIN slice_state s ON s.case_id = h.case_id AND ${SCORED}
       GROUP BY h.case_id ORDER BY h.position`,
    )
    const cases = rows.map((row) => ({ caseId: text(row, 'case_id'), slices: int(row, 'slices') }))
    const id = idOf(cases.map(({ caseId }) => caseId))
    const row = db.get(`SELECT value FROM meta WHERE key = 'holdout'`)
    const frozen = row === undefined || id === null ? null : frozenSchema.parse(json(row, 'value'))
    const off = db
      .all(`SELECT c.name FROM holdout_cases h JOIN cases c ON c.id = h.case_id AND c.removed = 1 ORDER BY h.position`)
      .map((removed) => text(removed, 'name'))
    const { frozenAt = null, chosenBy = null } = frozen ?? {}
    return { id, frozenAt, chosenBy, cases, ...(off.length === 0 ? {} : { off }) }
  }

  /** As clients are told of it. */
  state(): HoldoutState {
    const drawn = drawnSlices(this.#parts.db)
    const { cases, ...frozen } = this.get()
    return { ...frozen, cases: cases.map((one) => ({ ...one, drawn: drawn.get(one.caseId) ?? 0 })) }
  }

  /** The cases that must not teach: those that are set aside, and others of the same bytes. See `HELD_OUT`. */
  caseIds(): Set<string> {
    return new Set(this.#parts.db.all(`SELECT c.id FROM cases c WHERE ${HELD_OUT}`).map((row) => text(row, 'id')))
  }

  /** By case in the order of the hold-out, then by slice. */
  slices(): HoldoutSlice[] {
    return this.#parts.db
      .all(
        `SELECT s.case_id, s.slice, s.changed_seq
         FROM holdout_cases h JOIN cases c ON c.id = h.case_id AND c.removed = 0
         JOIN slice_state s ON s.case_id = h.case_id AND ${SCORED}
         ORDER BY h.position, h.case_id, s.slice`,
      )
      .map((row) => ({
        caseId: text(row, 'case_id'),
        slice: int(row, 'slice'),
        changedSeq: int(row, 'changed_seq'),
      }))
  }

  /**
   * Cases that could be set aside, spread evenly over those that no model in use, or an ancestor of it, learned from. One in five, at
   * least five where there are enough; never more than half of the worklist, so that there is something left to learn from.
   * Regions of a slide, and volumes of one file, are not parted: with one of them learned, none is suggested.
   */
  suggest(): string[] {
    const learned = this.#learned()
    const all = this.#parts.cases.list().filter(({ kind }) => kind !== 'slide')
    const free = all.filter(({ contentHash }) => !learned.has(contentHash))
    const groups = [...Map.groupBy(free, ({ contentHash }) => contentHash).values()]
    const bound = Math.floor(all.length / 2)
    const wanted = Math.min(bound, MOST, Math.max(FEWEST, Math.round(all.length * SHARE)))
    const chosen: string[] = []
    for (const group of spread(groups, wanted)) {
      if (chosen.length + group.length <= wanted) chosen.push(...group.map(({ id }) => id))
    }
    return chosen
  }

  /**
   * Freezes the hold-out; an empty list gives it up. Cases of it that are off the worklist stay set aside unless it is given up: nobody
   * who chooses among the others said that they may teach. Throws CodedError: `not-found` for a case that is not on the worklist,
   * `bad-request` for a slide, `conflict` with the names where a case, or one of the same bytes, was learned from by the model in use
   * or an ancestor.
   */
  set(caseIds: readonly string[], chosenBy: ChosenBy): FrozenHoldout {
    const { db, cases } = this.#parts
    const wanted = [...new Set(caseIds)]
    const records = wanted.map((id) => cases.get(id))
    const slide = records.find(({ kind }) => kind === 'slide')
    if (slide !== undefined) {
      throw new CodedError('bad-request', `"${slide.name}" is a slide; set regions of it aside instead.`)
    }
    const learned = this.#learned()
    const names = records.filter(({ contentHash }) => learned.has(contentHash)).map(({ name }) => name)
    if (names.length > 0) {
      throw new CodedError(
        'conflict',
        `The model in use learned from ${names.join(', ')}, or from the same ${names.length === 1 ? 'file' : 'files'}, ` +
          'so a score there would prove nothing; choose other cases.',
      )
    }
    const before = this.get()
    if (before.id === idOf(wanted) && before.id !== null) return before
    db.transaction(() => {
      const off = `case_id IN (SELECT id FROM cases WHERE removed = 1)`
      db.run(`DELETE FROM holdout_cases${wanted.length === 0 ? '' : ` WHERE NOT (${off})`}`)
      // After those that are chosen, in their order.
      db.run('UPDATE holdout_cases SET position = position + ?', wanted.length)
      db.run(`DELETE FROM meta WHERE key = 'holdout'`)
      for (const [position, id] of wanted.entries()) db.run('INSERT INTO holdout_cases VALUES (?, ?)', id, position)
      if (wanted.length === 0) return
      const frozen = { frozenAt: new Date().toISOString(), chosenBy }
      db.run(`INSERT INTO meta VALUES ('holdout', ?)`, JSON.stringify(frozen))
    })
    return this.get()
  }

  /** Names of the cases that are set aside by now and that a version, or an ancestor of it, learned from, by these or the same bytes. */
  learnedOf(modelId: string): string[] {
    const learned = this.#learnedBy(modelId)
    const aside = new Set(this.get().cases.map(({ caseId }) => caseId))
    const all = this.#parts.cases.list().filter(({ id }) => aside.has(id))
    return all.flatMap(({ name, contentHash }) => (learned.has(contentHash) ? [name] : []))
  }

  #learned(): Set<string> {
    const active = this.#parts.models.activeId()
    return active === null ? new Set() : this.#learnedBy(active)
  }

  /** Hashes of the images that taught a version, wherever it was trained. */
  #learnedBy(modelId: string): Set<string> {
    const { db, models } = this.#parts
    const rows = db.all(
      `SELECT DISTINCT c.content_hash FROM learned l JOIN cases c ON c.id = l.case_id WHERE l.model_id = ?`,
      modelId,
    )
    return new Set([
      ...rows.map((row) => text(row, 'content_hash')),
      ...models.learnedCases(modelId).map(({ imageHash }) => imageHash),
    ])
  }
}

/** The same set has the same id, whenever it was chosen. */
function idOf(caseIds: readonly string[]): string | null {
  if (caseIds.length === 0) return null
  return createHash('sha256')
    .update(JSON.stringify([...caseIds].sort()))
    .digest('hex')
    .slice(0, 32)
}
