import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { recipeReportSchema, REPORT_FILE, REPORT_FOLDER } from '../../core/contract/report.ts'
import type { LearnedCase, LearnedSlice } from '../models/origin.ts'
import type { Database } from '../project/database.ts'
import { int, text } from '../project/rows.ts'
import type { DataFile } from './learnedFiles.ts'
import { parsed } from './parsed.ts'

/** A case of the project with what of it is as the recipe's data are. */
export interface SeenCase extends LearnedCase {
  readonly learned: readonly LearnedSlice[]
}

/**
 * All cases of the project, removed ones too, with those of their slices that are as the masks of the recipe's data are, which became
 * the first change of their cases. A model of the recipe has learned these, so that Retrain begins with what a person corrects.
 */
export function seenCases(db: Database): SeenCase[] {
  const slices = Map.groupBy(
    db.all(
      `SELECT s.case_id, s.slice, s.changed_seq
       FROM slice_state s JOIN journal j ON j.seq = s.changed_seq AND j.case_id = s.case_id
       WHERE j.kind = 'import' AND j.revision = 1 ORDER BY s.case_id, s.slice`,
    ),
    (row) => text(row, 'case_id'),
  )
  return db.all('SELECT id, name, content_hash, revision FROM cases ORDER BY position').map((row): SeenCase => {
    const caseId = text(row, 'id')
    const learned = (slices.get(caseId) ?? []).map((slice) => ({
      caseId,
      slice: int(slice, 'slice'),
      changedSeq: int(slice, 'changed_seq'),
    }))
    const [name, imageHash, revision] = [text(row, 'name'), text(row, 'content_hash'), int(row, 'revision')]
    return { caseId, name, imageHash, revision, slices: learned.length, learned }
  })
}

/**
 * What a training learned, by the content of its images: of the project's cases those of the same bytes, whatever they are called by now
 * and whoever drew their masks; what the project does not have is noted too, since it may be added later. An image that could not be
 * read is known by its name.
 */
export function learnedOfFiles(seen: readonly SeenCase[], files: readonly DataFile[]): SeenCase[] {
  const learned = files.filter((file) => file.learned)
  const hashes = new Set(learned.flatMap(({ contentHash }) => contentHash ?? []))
  const names = new Set(learned.flatMap(({ id, contentHash }) => (contentHash === null ? [id] : [])))
  const here = seen.filter(({ name, imageHash }) => hashes.has(imageHash) || names.has(name))
  const known = new Set(seen.map(({ imageHash }) => imageHash))
  const elsewhere = learned.flatMap(({ id, contentHash }): SeenCase[] => {
    if (contentHash === null || known.has(contentHash)) return []
    known.add(contentHash)
    return [{ caseId: randomUUID(), name: id, imageHash: contentHash, revision: 0, slices: 0, learned: [] }]
  })
  return [...here, ...elsewhere]
}

const splitSchema = recipeReportSchema.pick({ split: true })

/**
 * The same where its files are gone: of the cases that hold a mask of the recipe's data, not those that the training held out by its own
 * report. Without one that can be read, those are left out that the recipe held out when the project was made (`heldOut`, ids).
 */
export function learnedOfReport(all: readonly SeenCase[], modelDir: string, heldOut: ReadonlySet<string>): SeenCase[] {
  const seen = all.filter(({ learned }) => learned.length > 0)
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
