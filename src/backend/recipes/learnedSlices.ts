import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { recipeReportSchema, REPORT_FILE, REPORT_FOLDER } from '../../core/contract/report.ts'
import type { LearnedCase, LearnedSlice } from '../models/origin.ts'
import type { Database } from '../project/database.ts'
import { int, text } from '../project/rows.ts'
import { parsed } from './parsed.ts'

/** A case of the project with what of it is as the recipe's data are. */
export interface SeenCase extends LearnedCase {
  readonly learned: readonly LearnedSlice[]
}

/**
 * The cases whose slices are as the masks of the recipe's data are, which became the first change of their cases. A model of the
 * recipe has learned them, so that Retrain begins with what a person corrects.
 */
export function seenCases(db: Database): SeenCase[] {
  const rows = db.all(
    `SELECT c.id, c.name, c.content_hash, c.revision, s.slice, s.changed_seq
     FROM slice_state s JOIN cases c ON c.id = s.case_id JOIN journal j ON j.seq = s.changed_seq
     WHERE j.kind = 'import' AND j.revision = 1 ORDER BY c.position, s.slice`,
  )
  return [...Map.groupBy(rows, (row) => text(row, 'id'))].flatMap(([caseId, [first, ...rest]]): SeenCase[] => {
    if (first === undefined) return []
    const learned = [first, ...rest].map((row) => ({
      caseId,
      slice: int(row, 'slice'),
      changedSeq: int(row, 'changed_seq'),
    }))
    const [name, imageHash, revision] = [text(first, 'name'), text(first, 'content_hash'), int(first, 'revision')]
    return [{ caseId, name, imageHash, revision, slices: learned.length, learned }]
  })
}

const splitSchema = recipeReportSchema.pick({ split: true })

/**
 * What of it a training learned: not the cases that it held out by its own report. Without one that can be read, those are left
 * out that the recipe held out when the project was made (`heldOut`, ids).
 */
export function learnedOf(seen: readonly SeenCase[], modelDir: string, heldOut: ReadonlySet<string>): SeenCase[] {
  let report: unknown
  try {
    report = parsed(readFileSync(join(modelDir, REPORT_FOLDER, REPORT_FILE), 'utf8'))
  } catch {
    report = undefined
  }
  const split = splitSchema.safeParse(report)
  if (!split.success) return seen.filter(({ caseId }) => !heldOut.has(caseId))
  // Cases are called as the recipe calls them.
  const names = new Set(split.data.split.flatMap(({ id, part }) => (part === 'holdout' ? [id] : [])))
  return seen.filter(({ name }) => !names.has(name))
}
