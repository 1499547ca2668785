import { CodedError } from '../../core/contract/errors.ts'
import type { Axis, CaseSummary, Dims } from '../../core/contract/schemas.ts'
import type { Database } from './database.ts'
import { flag, int, intOrNull, real, text, type Row } from './rows.ts'

/** File systems take 255 bytes; the rest is for endings, numbers and temporary names. */
const MAX_STEM_BYTES = 120

/** One image of the worklist, as the database knows it. */
export interface CaseRecord {
  readonly id: string
  readonly name: string
  /** Name without ending of this case's masks. */
  readonly stem: string
  /** As stored: relative where the image lies in the project. */
  readonly path: string
  readonly contentHash: string
  readonly fileSize: number
  readonly fileMtime: number
  readonly kind: 'volume' | 'image'
  readonly dims: Dims
  readonly channels: 1 | 3
  readonly trainingAxis: Axis
  /** Scaled intensities: robust percentiles (what the network sees as 0 and 1) and full range. */
  readonly range: { readonly low: number; readonly high: number; readonly min: number; readonly max: number }
  readonly revision: number
  readonly savedRevision: number | null
  readonly removed: boolean
}

export type NewCase = Omit<CaseRecord, 'stem' | 'revision' | 'savedRevision' | 'removed'>

/** The worklist's rows. Cases keep their id and journal for ever; removing only hides them. */
export class Cases {
  readonly #db: Database
  readonly #cache = new Map<string, CaseRecord>()
  /** Images that are not where they were; found out by looking, so not stored. */
  readonly missing = new Set<string>()

  constructor(db: Database) {
    this.#db = db
  }

  /** Throws CodedError('not-found') for an unknown or removed case. */
  get(id: string): CaseRecord {
    const record = this.find(id)
    if (record === null || record.removed) {
      throw new CodedError('not-found', 'This case is not on the worklist any more; choose another one.')
    }
    return record
  }

  /** Also a removed case; null for an unknown one. */
  find(id: string): CaseRecord | null {
    const cached = this.#cache.get(id)
    if (cached !== undefined) return cached
    const row = this.#db.get('SELECT * FROM cases WHERE id = ?', id)
    if (row === undefined) return null
    const record = toRecord(row)
    this.#cache.set(id, record)
    return record
  }

  findByHash(contentHash: string): CaseRecord | null {
    const row = this.#db.get('SELECT * FROM cases WHERE content_hash = ? ORDER BY removed LIMIT 1', contentHash)
    return row === undefined ? null : toRecord(row)
  }

  list(): CaseRecord[] {
    return this.#db.all('SELECT * FROM cases WHERE removed = 0 ORDER BY position').map(toRecord)
  }

  /** All that were ever added, removed ones too: every image that must not be overwritten. */
  everyPath(): string[] {
    return this.#db.all('SELECT path FROM cases').map((row) => text(row, 'path'))
  }

  insert(found: NewCase): CaseRecord {
    this.#db.run(
      `INSERT INTO cases (id, position, name, stem, path, content_hash, file_size, file_mtime, kind, nx, ny, nz,
         channels, training_axis, low, high, min, max, added_at)
       VALUES (?, (SELECT COALESCE(MAX(position), 0) + 1 FROM cases), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      found.id,
      found.name,
      this.#freeStem(found.name),
      found.path,
      found.contentHash,
      found.fileSize,
      found.fileMtime,
      found.kind,
      ...found.dims,
      found.channels,
      found.trainingAxis,
      found.range.low,
      found.range.high,
      found.range.min,
      found.range.max,
      new Date().toISOString(),
    )
    return this.get(found.id)
  }

  /** The image lies elsewhere now, or was touched without a change of its bytes. */
  moveTo(id: string, file: { path: string; size: number; mtime: number }): void {
    this.#db.run(
      'UPDATE cases SET path = ?, file_size = ?, file_mtime = ? WHERE id = ?',
      file.path,
      file.size,
      file.mtime,
      id,
    )
    this.#cache.delete(id)
  }

  /** Reads the row afresh next time, after a transaction that touched it was rolled back. */
  forget(id: string): void {
    this.#cache.delete(id)
  }

  setRemoved(id: string, removed: boolean): void {
    this.#db.run('UPDATE cases SET removed = ? WHERE id = ?', Number(removed), id)
    this.#cache.delete(id)
  }

  setSaved(id: string, revision: number): void {
    this.#db.run('UPDATE cases SET saved_revision = ? WHERE id = ?', revision, id)
    this.#cache.delete(id)
  }

  /** Inside the transaction that appends to the journal. */
  setRevision(id: string, revision: number, activeStrokes: number): void {
    this.#db.run('UPDATE cases SET revision = ?, active_strokes = ? WHERE id = ?', revision, activeStrokes, id)
    this.#cache.delete(id)
  }

  /** One case, or the whole worklist in its order. */
  summaries(activeModelId: string | null, caseId: string | null = null): CaseSummary[] {
    const rows = this.#db.all(
      `SELECT c.*,
         (SELECT COUNT(*) FROM slice_state s WHERE s.case_id = c.id AND s.corrected) AS corrected_slices,
         (SELECT COUNT(*) FROM slice_state s WHERE s.case_id = c.id AND s.corrected AND NOT EXISTS (
            SELECT 1 FROM learned l WHERE l.model_id = ?1 AND l.case_id = s.case_id AND l.slice = s.slice
              AND l.changed_seq = s.changed_seq)) AS new_corrected_slices,
         EXISTS (SELECT 1 FROM predictions p WHERE p.case_id = c.id) AS predicted
       FROM cases c WHERE c.removed = 0 AND (?2 IS NULL OR c.id = ?2) ORDER BY c.position`,
      activeModelId,
      caseId,
    )
    return rows.map((row) => this.#toSummary(row))
  }

  #toSummary(row: Row): CaseSummary {
    const record = toRecord(row)
    const saved = record.savedRevision !== null && record.savedRevision === record.revision
    return {
      id: record.id,
      name: record.name,
      kind: record.kind,
      dims: record.dims,
      channels: record.channels,
      status: saved
        ? 'saved'
        : int(row, 'active_strokes') > 0
          ? 'corrected'
          : flag(row, 'predicted')
            ? 'predicted'
            : 'untouched',
      correctedSlices: int(row, 'corrected_slices'),
      newCorrectedSlices: int(row, 'new_corrected_slices'),
      missing: this.missing.has(record.id),
    }
  }

  #freeStem(name: string): string {
    // What every file system takes; the name itself is kept for display.
    const plain = name.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[.-]+|[.-]+$/g, '')
    const base = plain === '' ? 'case' : atMost(plain, MAX_STEM_BYTES)
    for (let n = 1; ; n++) {
      const stem = n === 1 ? base : `${base}-${n}`
      // Case-insensitive, as two of the three systems' file systems are.
      if (this.#db.get('SELECT 1 AS taken FROM cases WHERE stem = ? COLLATE NOCASE', stem) === undefined) return stem
    }
  }
}

/** Whole characters of `text` that fit into so many bytes. */
function atMost(text: string, bytes: number): string {
  let cut = ''
  for (const character of text) {
    if (Buffer.byteLength(cut + character) > bytes) break
    cut += character
  }
  return cut
}

function toRecord(row: Row): CaseRecord {
  const axis = int(row, 'training_axis')
  return {
    id: text(row, 'id'),
    name: text(row, 'name'),
    stem: text(row, 'stem'),
    path: text(row, 'path'),
    contentHash: text(row, 'content_hash'),
    fileSize: int(row, 'file_size'),
    fileMtime: real(row, 'file_mtime'),
    kind: text(row, 'kind') === 'volume' ? 'volume' : 'image',
    dims: [int(row, 'nx'), int(row, 'ny'), int(row, 'nz')],
    channels: int(row, 'channels') === 3 ? 3 : 1,
    trainingAxis: axis === 0 || axis === 1 ? axis : 2,
    range: { low: real(row, 'low'), high: real(row, 'high'), min: real(row, 'min'), max: real(row, 'max') },
    revision: int(row, 'revision'),
    savedRevision: intOrNull(row, 'saved_revision'),
    removed: flag(row, 'removed'),
  }
}
