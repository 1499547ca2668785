import { RUN_FIELDS } from '../../core/labelmap/index.ts'
import type { Database } from '../project/database.ts'
import { int, text } from '../project/rows.ts'
import type { SliceCounter } from './journal.ts'

/**
 * What the journal adds up to, kept beside it in the same transaction so that no question needs a walk through it:
 * how many strokes in force lie on each slice across the training axis, and how many voxels each label has in a case.
 */
export class Tallies {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** `sign` is -1 where the stroke is taken back. Every slice is marked as changed by journal row `seq`. */
  addStroke(caseId: string, slices: readonly number[], counter: SliceCounter, sign: 1 | -1, seq: number): void {
    const amount = (name: SliceCounter): number => (counter === name ? sign : 0)
    for (const slice of slices) {
      this.#db.run(
        `INSERT INTO slice_state (case_id, slice, own, crossing, accepted, changed_seq) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET own = own + excluded.own, crossing = crossing + excluded.crossing,
           accepted = accepted + excluded.accepted, changed_seq = excluded.changed_seq`,
        caseId,
        slice,
        amount('own'),
        amount('crossing'),
        amount('accepted'),
        seq,
      )
    }
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

  /** Ascending indices across the training axis of the slices that a person corrected or accepted. */
  corrected(caseId: string): number[] {
    return this.#db
      .all('SELECT slice FROM slice_state WHERE case_id = ? AND corrected ORDER BY slice', caseId)
      .map((row) => int(row, 'slice'))
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
