import type { ExaminedSlice } from '../../core/learning/ranking.ts'
import type { Database } from '../project/database.ts'
import { HELD_OUT } from '../project/heldOut.ts'
import { blob, flag, int, real, realOrNull, text } from '../project/rows.ts'

/** A slice and what there is to know of it for the queue. */
export interface QueueSlice {
  readonly caseId: string
  readonly slice: number
}

/** What a model said of slices. A slice is kept once: as the model saw it that was asked last. */
export class Examined {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  store(modelId: string, slices: readonly ExaminedSlice[]): void {
    const at = new Date().toISOString()
    this.#db.transaction(() => {
      for (const { caseId, index, entropy, disagreement, features } of slices) {
        this.#db.run(
          `INSERT INTO examined VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET model_id = excluded.model_id,
             examined_at = excluded.examined_at, entropy = excluded.entropy, disagreement = excluded.disagreement,
             features = excluded.features`,
          ...[caseId, index, modelId, at, entropy, disagreement, toBytes(features)],
        )
      }
    })
  }

  /** By case: the slices that this model was asked about. */
  known(modelId: string): Map<string, Set<number>> {
    return grouped(this.#db.all('SELECT case_id, slice FROM examined WHERE model_id = ?', modelId).map(toSlice))
  }

  /** By case: the slices of which a person has said something. */
  settled(): Map<string, Set<number>> {
    return grouped(
      this.#db
        .all('SELECT case_id, slice FROM slice_state WHERE corrected OR approved > 0 OR regions > 0')
        .map(toSlice),
    )
  }

  /**
   * What the model said, by what the slices are: those that nobody has said anything of; those that the model or an ancestor of it
   * learned from; those that were corrected or approved since. Cases that were removed or belong to the hold-out are left out.
   */
  byStanding(modelId: string): Record<'open' | 'learned' | 'taken', ExaminedSlice[]> {
    const found = { open: [], learned: [], taken: [] } as Record<'open' | 'learned' | 'taken', ExaminedSlice[]>
    const rows = this.#db.each(
      `SELECT e.*, COALESCE(s.corrected OR s.approved > 0 OR s.regions > 0, 0) AS settled,
         EXISTS (SELECT 1 FROM learned l WHERE l.model_id = e.model_id AND l.case_id = e.case_id AND l.slice = e.slice)
           AS known
       FROM examined e JOIN cases c ON c.id = e.case_id AND c.removed = 0
       LEFT JOIN slice_state s ON s.case_id = e.case_id AND s.slice = e.slice
       WHERE e.model_id = ? AND NOT ${HELD_OUT}
       ORDER BY c.position, e.slice`,
      modelId,
    )
    for (const row of rows) {
      const standing = flag(row, 'known') ? 'learned' : flag(row, 'settled') ? 'taken' : 'open'
      found[standing].push({
        caseId: text(row, 'case_id'),
        index: int(row, 'slice'),
        entropy: real(row, 'entropy'),
        disagreement: realOrNull(row, 'disagreement'),
        features: fromBytes(blob(row, 'features')),
      })
    }
    return found
  }
}

function toSlice(row: Parameters<typeof text>[0]): QueueSlice {
  return { caseId: text(row, 'case_id'), slice: int(row, 'slice') }
}

function grouped(slices: readonly QueueSlice[]): Map<string, Set<number>> {
  const byCase = new Map<string, Set<number>>()
  for (const { caseId, slice } of slices) {
    const known = byCase.get(caseId) ?? new Set()
    byCase.set(caseId, known.add(slice))
  }
  return byCase
}

/** float32, little-endian, whatever the computer's own order. */
function toBytes(features: Float32Array): Uint8Array {
  const bytes = new Uint8Array(features.length * 4)
  const view = new DataView(bytes.buffer)
  features.forEach((value, at) => view.setFloat32(at * 4, value, true))
  return bytes
}

function fromBytes(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Float32Array.from({ length: bytes.length / 4 }, (_, at) => view.getFloat32(at * 4, true))
}
