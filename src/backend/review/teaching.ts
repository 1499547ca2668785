import type { Database } from '../project/database.ts'
import { HELD_OUT } from '../project/heldOut.ts'
import { flag, int, text } from '../project/rows.ts'

/** A slice of which a person has said something, in the state in which it is. */
export interface TeachingSlice {
  readonly caseId: string
  readonly slice: number
  /** The journal row that changed it last. */
  readonly changedSeq: number
  /** All of it teaches; else what `trustedVoxels` gives. */
  readonly whole: boolean
  /** The model, or an ancestor of it, learned it as it is. */
  readonly known: boolean
  /** The model, or an ancestor of it, learned it, as it is or as it was. */
  readonly learned: boolean
}

/**
 * All slices that may teach, those that changed last first. Cases that were removed or belong to the hold-out have none, and a
 * slice whose mask was only taken over with a whole volume is none.
 */
export function teachingSlices(db: Database, modelId: string | null): TeachingSlice[] {
  return db
    .all(
      `SELECT s.case_id, s.slice, s.changed_seq, s.whole, l.changed_seq IS NOT NULL AS learned,
         COALESCE(l.changed_seq = s.changed_seq, 0) AS known
       FROM slice_state s JOIN cases c ON c.id = s.case_id
       LEFT JOIN learned l ON l.model_id = ? AND l.case_id = s.case_id AND l.slice = s.slice
       WHERE c.removed = 0 AND s.teaches AND NOT ${HELD_OUT}
       ORDER BY s.changed_seq DESC, s.case_id, s.slice`,
      modelId,
    )
    .map((row) => ({
      caseId: text(row, 'case_id'),
      slice: int(row, 'slice'),
      changedSeq: int(row, 'changed_seq'),
      whole: flag(row, 'whole'),
      known: flag(row, 'known'),
      learned: flag(row, 'learned'),
    }))
}
