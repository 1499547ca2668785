import { createHash } from 'node:crypto'
import { z } from 'zod'
import { CodedError } from '../../core/contract/errors.ts'
import { strokeKindSchema, type Axis, type Box, type StrokeKind } from '../../core/contract/schemas.ts'
import { decodeRuns, encodeRuns, invertRuns } from '../../core/labelmap/index.ts'
import type { Database } from '../project/database.ts'
import { FIRST_OF_RANGE, LAST_OF_RANGE, RANGES_OF_ROW, rangesOf } from './sliceSets.ts'
import { blob, blobOrNull, int, intOrNull, text, type Row } from '../project/rows.ts'

/**
 * What a stroke says of the slices across the training axis that it touches. `own`: drawn on them, or accepted by
 * name. `crossing`: drawn in another plane. `accepted`: taken over with the whole volume. `approved`: right as they are
 * inside the box, of which the stroke may have made what was predicted; `withdrawn`: no longer said to be.
 */
const sliceCounterSchema = z.enum(['own', 'crossing', 'accepted', 'approved', 'withdrawn', 'none'])
export type SliceCounter = z.infer<typeof sliceCounterSchema>

export function isApproval(counter: SliceCounter): boolean {
  return counter === 'approved' || counter === 'withdrawn'
}

/** A row of the journal without its runs. */
export interface JournalEntry {
  readonly seq: number
  readonly caseId: string
  /** 1, 2, 3 … in the case. */
  readonly revision: number
  readonly strokeId: string
  readonly kind: StrokeKind
  readonly label: number
  readonly axis: Axis | null
  /** The stroke that an undo takes back or a redo brings again; null for strokes. */
  readonly targetSeq: number | null
  readonly baseRevision: number
  readonly createdAt: string
  readonly box: Box
  /** Touched indices across the training axis, in the form of `encodeSlices`. */
  readonly slices: string
  readonly counter: SliceCounter
}

export type NewEntry = Omit<JournalEntry, 'seq'>

const COLUMNS = `seq, case_id, revision, stroke_id, kind, label, axis, target_seq, base_revision, created_at,
  x0, y0, z0, x1, y1, z1, slices, counter`

/** What the hash of the first row continues. */
const GENESIS = new Uint8Array(32)

/**
 * The append-only log of everything that changed a mask: the truth of annotation. Each row carries
 * SHA-256(hash of the row before, the row's fields as JSON, its encoded runs), so that a changed, dropped, added or
 * reordered row shows.
 */
export class Journal {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Appends one row; durable once the surrounding transaction has committed. `runs` is null for undo and redo. */
  append(entry: NewEntry, runs: Uint32Array | null): JournalEntry {
    const head = this.#db.get('SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1')
    const prevHash = head === undefined ? GENESIS : blob(head, 'hash')
    const full: JournalEntry = { ...entry, seq: head === undefined ? 1 : int(head, 'seq') + 1 }
    const encoded = runs === null ? null : encodeRuns(runs)
    this.#db.run(
      `INSERT INTO journal (${COLUMNS}, prev_hash, hash, runs)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      full.seq,
      full.caseId,
      full.revision,
      full.strokeId,
      full.kind,
      full.label,
      full.axis,
      full.targetSeq,
      full.baseRevision,
      full.createdAt,
      ...full.box.min,
      ...full.box.max,
      full.slices,
      full.counter,
      prevHash,
      hashOf(full, prevHash, encoded),
      encoded,
    )
    return full
  }

  findStroke(strokeId: string): JournalEntry | null {
    const row = this.#db.get(`SELECT ${COLUMNS} FROM journal WHERE stroke_id = ?`, strokeId)
    return row === undefined ? null : toEntry(row)
  }

  /** Throws CodedError('bad-file') where the row is missing. */
  get(seq: number): JournalEntry {
    const row = this.#db.get(`SELECT ${COLUMNS} FROM journal WHERE seq = ?`, seq)
    if (row === undefined) throw damaged(`row ${seq} is missing`)
    return toEntry(row)
  }

  /** The rows of a case after row `seq`, oldest first. */
  *of(caseId: string, afterSeq = 0): Generator<JournalEntry> {
    const rows = this.#db.each(
      `SELECT ${COLUMNS} FROM journal WHERE case_id = ? AND seq > ? ORDER BY seq`,
      caseId,
      afterSeq,
    )
    for (const row of rows) yield toEntry(row)
  }

  /** The strokes of a case that say these things, after row `seq`, oldest first; those that were taken back too. */
  saying(caseId: string, counters: readonly SliceCounter[], afterSeq = 0): JournalEntry[] {
    return this.#db
      .all(
        `SELECT ${COLUMNS} FROM journal WHERE case_id = ? AND seq > ? AND target_seq IS NULL
           AND counter IN (SELECT value FROM json_each(?)) ORDER BY seq`,
        caseId,
        afterSeq,
        JSON.stringify(counters),
      )
      .map(toEntry)
  }

  /** Of these strokes, those that touch one of the slices across the training axis, oldest first; `slices` ascends. */
  touching(caseId: string, counters: readonly SliceCounter[], slices: readonly number[]): JournalEntry[] {
    return this.#db
      .all(
        `SELECT ${COLUMNS} FROM journal j WHERE case_id = ?1 AND target_seq IS NULL AND slices <> ''
           AND counter IN (SELECT value FROM json_each(?2)) AND EXISTS (
             SELECT 1 FROM ${RANGES_OF_ROW} range JOIN json_each(?3) wanted
             WHERE ${FIRST_OF_RANGE} <= wanted.value ->> 1 AND ${LAST_OF_RANGE} >= wanted.value ->> 0)
         ORDER BY seq`,
        caseId,
        JSON.stringify(counters),
        JSON.stringify(rangesOf(slices)),
      )
      .map(toEntry)
  }

  /** What an entry does to the mask: its own runs, or those of its target, inverted for an undo. */
  runsOf(entry: JournalEntry): Uint32Array<ArrayBuffer> {
    const runs = this.#storedRuns(entry.targetSeq ?? entry.seq)
    return entry.kind === 'undo' ? invertRuns(runs) : runs
  }

  /** Walks the whole chain. `rows` counts the good ones; `broken` is the first row that does not continue it. */
  verify(): { rows: number; broken: { seq: number; reason: string } | null } {
    let prevHash: Uint8Array = GENESIS
    let rows = 0
    const revisions = new Map<string, number>()
    for (const row of this.#db.each(`SELECT ${COLUMNS}, prev_hash, hash, runs FROM journal ORDER BY seq`)) {
      const entry = toEntry(row)
      const revision = (revisions.get(entry.caseId) ?? 0) + 1
      const reason = brokenBecause(row, entry, { seq: rows + 1, revision, prevHash })
      if (reason !== null) return { rows, broken: { seq: entry.seq, reason } }
      prevHash = blob(row, 'hash')
      revisions.set(entry.caseId, revision)
      rows++
    }
    const short = this.#db
      .all('SELECT id, revision FROM cases')
      .find((row) => int(row, 'revision') !== (revisions.get(text(row, 'id')) ?? 0))
    if (short !== undefined) return { rows, broken: { seq: rows + 1, reason: 'rows at the end are missing' } }
    return { rows, broken: null }
  }

  #storedRuns(seq: number): Uint32Array<ArrayBuffer> {
    const row = this.#db.get('SELECT runs FROM journal WHERE seq = ?', seq)
    const bytes = row === undefined ? null : blobOrNull(row, 'runs')
    if (bytes === null) throw damaged(`row ${seq} has no runs`)
    return decodeRuns(bytes)
  }
}

function brokenBecause(
  row: Row,
  entry: JournalEntry,
  expected: { seq: number; revision: number; prevHash: Uint8Array },
): string | null {
  if (entry.seq !== expected.seq) return 'a row before it is missing'
  if (entry.revision !== expected.revision) return 'a revision of its case is missing'
  if (!equal(blob(row, 'prev_hash'), expected.prevHash)) return 'it does not follow the row before it'
  if (!equal(blob(row, 'hash'), hashOf(entry, expected.prevHash, blobOrNull(row, 'runs')))) return 'it was changed'
  return null
}

function hashOf(entry: JournalEntry, prevHash: Uint8Array, runs: Uint8Array | null): Uint8Array {
  const fields = JSON.stringify([
    entry.seq,
    entry.caseId,
    entry.revision,
    entry.strokeId,
    entry.kind,
    entry.label,
    entry.axis,
    entry.targetSeq,
    entry.baseRevision,
    entry.createdAt,
    entry.box.min,
    entry.box.max,
    entry.slices,
    entry.counter,
  ])
  const hash = createHash('sha256').update(prevHash).update(fields)
  if (runs !== null) hash.update(runs)
  return hash.digest()
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

function toEntry(row: Row): JournalEntry {
  const axis = intOrNull(row, 'axis')
  return {
    seq: int(row, 'seq'),
    caseId: text(row, 'case_id'),
    revision: int(row, 'revision'),
    strokeId: text(row, 'stroke_id'),
    kind: strokeKindSchema.parse(row.kind),
    label: int(row, 'label'),
    axis: axis === 0 || axis === 1 || axis === 2 ? axis : null,
    targetSeq: intOrNull(row, 'target_seq'),
    baseRevision: int(row, 'base_revision'),
    createdAt: text(row, 'created_at'),
    box: {
      min: [int(row, 'x0'), int(row, 'y0'), int(row, 'z0')],
      max: [int(row, 'x1'), int(row, 'y1'), int(row, 'z1')],
    },
    slices: text(row, 'slices'),
    counter: sliceCounterSchema.parse(row.counter),
  }
}

function damaged(detail: string): CodedError {
  return new CodedError(
    'bad-file',
    'The journal of the project is damaged; restore the project folder from a backup.',
    {
      detail,
    },
  )
}
