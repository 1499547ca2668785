import { RUN_FIELDS } from '../../core/labelmap/index.ts'
import type { Coverage, SliceMarks } from '../../core/contract/learning.ts'
import type { StrokeKind } from '../../core/contract/schemas.ts'
import type { Database } from '../project/database.ts'
import { flag, int, text, textOrNull, type Row } from '../project/rows.ts'
import type { SliceCounter } from './journal.ts'
import { FIRST_OF_RANGE, LAST_OF_RANGE, RANGES_OF_ROW } from './sliceSets.ts'

interface CountedStroke {
  readonly kind: StrokeKind
  readonly counter: SliceCounter
  readonly undone: boolean
  readonly seq: number
  readonly painted: boolean | null
}

interface CountedStanding {
  /** Pixels. */
  readonly approved: number
  readonly pixels: number
  readonly unseen: boolean
  /** A person says just now that it is right as it is. */
  readonly given: boolean
}

/**
 * What the journal adds up to, kept beside it in the same transaction so that no question needs a walk through it:
 * how many strokes in force lie on each slice across the training axis, and how many voxels each label has in a case.
 */
export class Tallies {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /**
   * Counts a stroke on its slices, or no longer where it is taken back; each is marked as changed by journal row `seq`. `painted`: what
   * becomes corrected by it teaches only there; null: as it was. Approvals are no strokes: `setStanding` keeps them.
   *
   * No two states of a slice have the same `changed_seq`, so that each is learned anew: see `setCoverage`.
   */
  addStroke(caseId: string, slices: readonly number[], said: CountedStroke): void {
    const { kind, counter, undone, seq, painted } = said
    const amount = (name: SliceCounter): number => (counter !== name ? 0 : undone ? -1 : 1)
    const seen = counter === 'own' && !undone ? 0 : null
    const overwritten = counter === 'accepted' && !undone
    const drawn = kind === 'accept' ? 0 : amount('own') + amount('crossing')
    for (const slice of slices) {
      this.#db.run(
        `INSERT INTO slice_state (case_id, slice, own, crossing, accepted, painted, unseen, drawn, changed_seq)
         VALUES (?1, ?2, ?3, ?4, ?5, COALESCE(?6, 0), COALESCE(?7, 0), ?10, ?8)
         ON CONFLICT DO UPDATE SET own = own + excluded.own, crossing = crossing + excluded.crossing,
           accepted = accepted + excluded.accepted, changed_seq = MAX(changed_seq + 1, excluded.changed_seq),
           drawn = (drawn + excluded.drawn) * ?9,
           painted = CASE WHEN corrected OR ?6 IS NULL THEN painted ELSE ?6 END,
           unseen = COALESCE(?7, unseen), approved = approved * ?9, regions = regions * ?9`,
        caseId,
        slice,
        amount('own'),
        amount('crossing'),
        amount('accepted'),
        painted === null ? null : Number(painted),
        overwritten ? 1 : seen,
        seq,
        Number(!overwritten),
        drawn,
      )
    }
    if (counter === 'accepted' && undone) this.#countDrawn(caseId, slices)
  }

  /**
   * What was approved of a slice, as a number of pixels of all it has. `seq` marks it as changed where what teaches changed with it;
   * null: it does not. Where all of it is found right just now it always counts as changed, also where all of it taught already: that
   * is an annotation with the labels that there are by now.
   */
  setStanding(caseId: string, slice: number, standing: CountedStanding, seq: number | null): void {
    const { approved, pixels, unseen, given } = standing
    const whole = approved === pixels
    this.#db.run(
      `INSERT INTO slice_state (case_id, slice, approved, regions, unseen, changed_seq)
       VALUES (?1, ?2, ?3, ?4, ?5, COALESCE(?6, 0))
       ON CONFLICT DO UPDATE SET approved = ?3, regions = ?4, unseen = ?5, changed_seq = CASE
         WHEN ?6 IS NULL OR (own > 0 AND NOT painted AND NOT unseen AND NOT ?7) THEN changed_seq
         ELSE MAX(changed_seq + 1, ?6) END`,
      caseId,
      slice,
      Number(whole),
      whole ? 0 : approved,
      Number(unseen),
      seq,
      Number(whole && given),
    )
  }

  /** As `addStroke` counts it up, from the journal: the prediction of the volume that lay over it was taken back. */
  #countDrawn(caseId: string, slices: readonly number[]): void {
    this.#db.run(
      `WITH
         steps AS (
           SELECT target_seq, MAX(seq) AS seq FROM journal WHERE case_id = ?1 AND target_seq IS NOT NULL GROUP BY target_seq),
         undone AS (SELECT s.target_seq FROM steps s JOIN journal j ON j.seq = s.seq WHERE j.kind = 'undo'),
         said AS (
           SELECT s.slice, j.seq, j.kind, j.counter
           FROM journal j, ${RANGES_OF_ROW} range
           JOIN slice_state s ON s.case_id = j.case_id AND s.slice BETWEEN ${FIRST_OF_RANGE} AND ${LAST_OF_RANGE}
           WHERE j.case_id = ?1 AND j.target_seq IS NULL AND j.slices <> '' AND j.counter IN ('own', 'crossing', 'accepted')
             AND s.slice IN (SELECT value FROM json_each(?2)) AND j.seq NOT IN (SELECT target_seq FROM undone)),
         overwritten AS (SELECT slice, MAX(seq) AS seq FROM said WHERE counter = 'accepted' GROUP BY slice)
       UPDATE slice_state SET drawn = (
         SELECT COUNT(*) FROM said a LEFT JOIN overwritten o ON o.slice = a.slice
         WHERE a.slice = slice_state.slice AND a.counter <> 'accepted' AND a.kind <> 'accept' AND a.seq > COALESCE(o.seq, 0))
       WHERE case_id = ?1 AND slice IN (SELECT value FROM json_each(?2))`,
      caseId,
      JSON.stringify(slices),
    )
  }

  /** Those of the slices that hold what was accepted with a whole volume. */
  acceptedOf(caseId: string, slices: readonly number[]): number[] {
    return this.#db
      .all(
        `SELECT slice FROM slice_state WHERE case_id = ? AND accepted > 0 AND slice IN (SELECT value FROM json_each(?))
         ORDER BY slice`,
        caseId,
        JSON.stringify(slices),
      )
      .map((row) => int(row, 'slice'))
  }

  addVoxels(caseId: string, runs: Uint32Array): void {
    const change = new Map<number, number>()
    const add = (label: number, voxels: number): void => {
      if (label !== 0) change.set(label, (change.get(label) ?? 0) + voxels)
    }
    for (let r = 0; r + 3 < runs.length; r += RUN_FIELDS) {
      const length = runs[r + 1] ?? 0
      add(runs[r + 2] ?? 0, -length)
      add(runs[r + 3] ?? 0, length)
    }
    for (const [label, voxels] of change) {
      if (voxels === 0) continue
      this.#db.run(
        `INSERT INTO label_counts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET voxels = voxels + excluded.voxels`,
        caseId,
        label,
        voxels,
      )
    }
  }

  /** Ascending indices across the training axis of the slices of which a person has said anything, by hand or by words. */
  settled(caseId: string): number[] {
    return this.#db
      .all(
        `SELECT slice FROM slice_state WHERE case_id = ? AND (corrected OR approved > 0 OR regions > 0) ORDER BY slice`,
        caseId,
      )
      .map((row) => int(row, 'slice'))
  }

  /** Ascending, and so are the lists of the others. A slice of which a part was approved counts as corrected. */
  marks(caseId: string): Omit<SliceMarks, 'predicted'> {
    const rows = this.#db.all(
      'SELECT slice, corrected, approved, regions, whole FROM slice_state WHERE case_id = ? ORDER BY slice',
      caseId,
    )
    const of = (is: (row: Row) => boolean): number[] => rows.filter(is).map((row) => int(row, 'slice'))
    const corrected = (row: Row): boolean => flag(row, 'corrected') || int(row, 'regions') > 0
    return {
      corrected: of(corrected),
      approved: of((row) => flag(row, 'approved')),
      painted: of((row) => corrected(row) && !flag(row, 'whole')),
    }
  }

  /** The marks of these slices as text, to tell whether they have changed. */
  markWords(caseId: string, slices: readonly number[]): string {
    const row = this.#db.get(
      `SELECT group_concat(slice || ' ' || (corrected OR regions > 0) || approved || whole) AS words FROM slice_state
       WHERE case_id = ? AND slice IN (SELECT value FROM json_each(?)) AND (corrected OR regions > 0 OR approved > 0)`,
      caseId,
      JSON.stringify(slices),
    )
    return row === undefined ? '' : (textOrNull(row, 'words') ?? '')
  }

  /**
   * What teaches of a corrected slice, or of all that are. It counts as changed after all that is in the journal, so that it is learned
   * anew, also where its last stroke is the last row and was learned.
   */
  setCoverage(caseId: string, slice: number | null, coverage: Coverage): void {
    this.#db.run(
      `UPDATE slice_state SET painted = ?1, changed_seq = MAX(changed_seq, (SELECT MAX(seq) FROM journal)) + 1
       WHERE case_id = ?2 AND (?3 IS NULL OR slice = ?3) AND corrected AND painted <> ?1`,
      Number(coverage === 'painted'),
      caseId,
      slice,
    )
  }

  /** Voxels and cases with the label; removed cases count in, since they may come back. */
  usage(label: number): { voxels: number; cases: number } {
    const row = this.#db.get(
      'SELECT COALESCE(SUM(voxels), 0) AS voxels, COUNT(*) AS cases FROM label_counts WHERE label = ? AND voxels > 0',
      label,
    )
    return row === undefined ? { voxels: 0, cases: 0 } : { voxels: int(row, 'voxels'), cases: int(row, 'cases') }
  }

  casesWith(label: number): string[] {
    return this.#db
      .all('SELECT case_id FROM label_counts WHERE label = ? AND voxels > 0', label)
      .map((row) => text(row, 'case_id'))
  }

  /** Voxels of each label in a case, by value, ascending; labels without voxels are left out. */
  voxels(caseId: string): { label: number; voxels: number }[] {
    return this.#db
      .all('SELECT label, voxels FROM label_counts WHERE case_id = ? AND voxels > 0 ORDER BY label', caseId)
      .map((row) => ({ label: int(row, 'label'), voxels: int(row, 'voxels') }))
  }
}
