import type { LearnedSlice } from '../models/models.ts'
import type { Database } from '../project/database.ts'
import { int, text } from '../project/rows.ts'

/**
 * The slices that are as the masks of the recipe's data are, which became the first change of their cases. A model of the
 * recipe has learned them, so that Retrain begins with what a person corrects.
 */
export function learnedSlices(db: Database): LearnedSlice[] {
  return db
    .all(
      `SELECT s.case_id, s.slice, s.changed_seq FROM slice_state s JOIN journal j ON j.seq = s.changed_seq
       WHERE j.kind = 'import' AND j.revision = 1`,
    )
    .map((row) => ({
      caseId: text(row, 'case_id'),
      slice: int(row, 'slice'),
      changedSeq: int(row, 'changed_seq'),
    }))
}
