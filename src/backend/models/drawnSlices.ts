import { decodeSlices } from '../annotation/sliceSets.ts'
import type { Database } from '../project/database.ts'
import { int, intOrNull, text, type Row } from '../project/rows.ts'
import { SCORED } from './scored.ts'

/**
 * By case of the hold-out on the worklist: how many of the slices that are scored somebody drew on, or came from a file. Without those
 * over which the prediction was accepted since. Cases without such a slice are left out.
 *
 * It reads the journal of these cases, without what strokes hold.
 */
export function drawnSlices(db: Database): Map<string, number> {
  const scored = db.all(
    `SELECT s.case_id, s.slice FROM holdout_cases h JOIN cases c ON c.id = h.case_id AND c.removed = 0
     JOIN slice_state s ON s.case_id = h.case_id AND ${SCORED}`,
  )
  const drawn = new Map<string, number>()
  for (const [caseId, rows] of Map.groupBy(scored, (row) => text(row, 'case_id'))) {
    const count = drawnOf(db, caseId, new Set(rows.map((row) => int(row, 'slice')))).size
    if (count > 0) drawn.set(caseId, count)
  }
  return drawn
}

/**
 * Those of the slices with a stroke in force of a person or a file. Accepting a slice by name gives up what was drawn on the slice itself,
 * and keeps what was drawn across it or added from a file as one label; accepting the whole volume keeps all, and only where it is told
 * not to are slices that were drawn on among its own.
 */
function drawnOf(db: Database, caseId: string, slices: ReadonlySet<number>): Set<number> {
  const drawn = new Set<number>()
  /** Slices whose strokes from before do not count. */
  const accepted = new Set<number>()
  /** By stroke, whether it was taken back last. */
  const undone = new Map<number, boolean>()
  for (const row of newestFirst(db, caseId)) {
    const target = intOrNull(row, 'target_seq')
    if (target !== null) {
      if (!undone.has(target)) undone.set(target, text(row, 'kind') === 'undo')
      continue
    }
    if (undone.get(int(row, 'seq')) === true) continue
    const [accepts, own] = [text(row, 'kind') === 'accept', text(row, 'counter') === 'own']
    for (const slice of decodeSlices(text(row, 'slices'))) {
      if (!slices.has(slice)) continue
      if (accepts) accepted.add(slice)
      else if (!own || !accepted.has(slice)) drawn.add(slice)
    }
    if (drawn.size === slices.size) break
  }
  return drawn
}

/** What was drawn, imported or accepted as it is, and each undo and redo. */
function newestFirst(db: Database, caseId: string): Iterable<Row> {
  return db.each(
    `SELECT seq, kind, target_seq, slices, counter FROM journal
     WHERE case_id = ? AND (target_seq IS NOT NULL OR kind IN ('brush', 'erase', 'fill', 'import')
       OR (kind = 'accept' AND counter IN ('own', 'accepted')))
     ORDER BY revision DESC`,
    caseId,
  )
}
