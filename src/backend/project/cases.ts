import { caseDetailSchema, type CaseDetail, type CaseSummary } from '../../core/contract/caseSchemas.ts'
import { CodedError } from '../../core/contract/errors.ts'
import { imageSelectionSchema, type Axis, type Dims, type ImageSelection } from '../../core/contract/schemas.ts'
import type { Database } from './database.ts'
import { HELD_OUT } from './heldOut.ts'
import { flag, int, intOrNull, json, real, realOrNull, text, textOrNull, type Row } from './rows.ts'

/** File systems take 255 bytes; the rest is for endings, numbers and temporary names. */
const MAX_STEM_BYTES = 120

/** One image of the worklist, as the database knows it. */
export interface CaseRecord {
  readonly id: string
  readonly name: string
  /** Name without ending of this case's masks. */
  readonly stem: string
  /** What is opened, a file or a folder, as stored: relative where the image lies in the project. */
  readonly path: string
  readonly contentHash: string
  /** Of several files, the sum. */
  readonly fileSize: number
  readonly fileMtime: number
  readonly kind: 'volume' | 'image' | 'slide'
  readonly selection: ImageSelection
  /** Of a slide. */
  readonly tiles: CaseDetail['tiles']
  readonly dims: Dims
  readonly channels: 1 | 3
  readonly trainingAxis: Axis
  /**
   * Scaled intensities: robust percentiles (what the network sees as 0 and 1) and full range. Null until every voxel has been
   * read once.
   */
  readonly range: { readonly low: number; readonly high: number; readonly min: number; readonly max: number } | null
  /** Scaled intensities shown as black and white; null until a slice has been read, or where they are those of `range`. */
  readonly window: { readonly low: number; readonly high: number } | null
  readonly cautionsSeen: boolean
  readonly revision: number
  readonly savedRevision: number | null
  readonly removed: boolean
}

export interface NewCase extends Omit<
  CaseRecord,
  'stem' | 'revision' | 'savedRevision' | 'removed' | 'cautionsSeen' | 'window'
> {
  /** As stored; empty where `path` is the only one. */
  readonly files: readonly string[]
  /** What of the selection makes another case of the same bytes. */
  readonly selectionKey: string
}

/** Where an image lies. */
export interface Place {
  readonly path: string
  readonly files: readonly string[]
  readonly size: number
  readonly mtime: number
}

/** Throws CodedError('bad-request') for a slide, which is too large for a mask and for what reads images as a whole. */
export function refuseSlide({ kind, name }: Pick<CaseRecord, 'kind' | 'name'>): void {
  if (kind !== 'slide') return
  throw new CodedError(
    'bad-request',
    `"${name}" is a slide, which is annotated in regions; choose a region of it first.`,
  )
}

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

  findByHash(contentHash: string, selectionKey: string): CaseRecord | null {
    const row = this.#db.get(
      'SELECT * FROM cases WHERE content_hash = ? AND selection_key = ? ORDER BY removed LIMIT 1',
      contentHash,
      selectionKey,
    )
    return row === undefined ? null : toRecord(row)
  }

  /** All cases of the same bytes, removed ones too. */
  countOfHash(contentHash: string): number {
    const row = this.#db.get('SELECT COUNT(*) AS count FROM cases WHERE content_hash = ?', contentHash)
    return row === undefined ? 0 : int(row, 'count')
  }

  /** All files of a case of several, as stored; empty where its path is the only one. */
  filesOf(id: string): string[] {
    return this.#db
      .all('SELECT path FROM case_files WHERE case_id = ? ORDER BY position', id)
      .map((row) => text(row, 'path'))
  }

  list(): CaseRecord[] {
    return this.#db.all('SELECT * FROM cases WHERE removed = 0 ORDER BY position').map(toRecord)
  }

  /** All that were ever added, removed ones too: every file of an image, none of which must be overwritten. */
  everyPath(): string[] {
    return this.#db.all('SELECT path FROM cases UNION SELECT path FROM case_files').map((row) => text(row, 'path'))
  }

  /** Inside a transaction where there are several files. */
  insert(found: NewCase): CaseRecord {
    const range = found.range ?? { low: 0, high: 1, min: 0, max: 1 }
    this.#db.run(
      `INSERT INTO cases (id, position, name, stem, path, content_hash, file_size, file_mtime, kind, nx, ny, nz,
         channels, training_axis, low, high, min, max, range_known, selection, selection_key, tiles, added_at)
       VALUES (?, (SELECT COALESCE(MAX(position), 0) + 1 FROM cases), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
         ?, ?, ?)`,
      found.id,
      found.name,
      this.#freeStem(found.name),
      found.path,
      found.contentHash,
      found.fileSize,
      found.fileMtime,
      // A slide is told by its tiles.
      found.kind === 'volume' ? 'volume' : 'image',
      ...found.dims,
      found.channels,
      found.trainingAxis,
      range.low,
      range.high,
      range.min,
      range.max,
      Number(found.range !== null),
      JSON.stringify(found.selection),
      found.selectionKey,
      found.tiles === null ? null : JSON.stringify(found.tiles),
      new Date().toISOString(),
    )
    this.#setFiles(found.id, found.files)
    return this.get(found.id)
  }

  /**
   * The image lies elsewhere now, or was touched without a change of its bytes; and with it what else was made of the same file: other
   * volumes of it, regions of a slide.
   */
  moveTo(id: string, { path, files, size, mtime }: Place): void {
    const siblings = this.#db.all(
      `SELECT s.id FROM cases c JOIN cases s ON s.content_hash = c.content_hash AND s.path = c.path WHERE c.id = ?`,
      id,
    )
    this.#db.transaction(() => {
      for (const row of siblings) {
        const sibling = text(row, 'id')
        this.#db.run(
          'UPDATE cases SET path = ?, file_size = ?, file_mtime = ? WHERE id = ?',
          path,
          size,
          mtime,
          sibling,
        )
        this.#setFiles(sibling, files)
        this.#cache.delete(sibling)
        this.missing.delete(sibling)
      }
    })
  }

  setSelection(id: string, selection: ImageSelection, trainingAxis: Axis): void {
    this.#db.run(
      'UPDATE cases SET selection = ?, training_axis = ? WHERE id = ?',
      JSON.stringify(selection),
      trainingAxis,
      id,
    )
    this.#cache.delete(id)
  }

  setRange(id: string, { low, high, min, max }: NonNullable<CaseRecord['range']>): void {
    this.#db.run(
      'UPDATE cases SET low = ?, high = ?, min = ?, max = ?, range_known = 1 WHERE id = ?',
      low,
      high,
      min,
      max,
      id,
    )
    this.#cache.delete(id)
  }

  setWindow(id: string, { low, high }: NonNullable<CaseRecord['window']>): void {
    this.#db.run('UPDATE cases SET window_low = ?, window_high = ? WHERE id = ?', low, high, id)
    this.#cache.delete(id)
  }

  setCautionsSeen(id: string): void {
    this.#db.run('UPDATE cases SET cautions_seen = 1 WHERE id = ?', id)
    this.#cache.delete(id)
  }

  #setFiles(id: string, files: readonly string[]): void {
    this.#db.run('DELETE FROM case_files WHERE case_id = ?', id)
    for (const [position, path] of files.entries()) {
      this.#db.run('INSERT INTO case_files VALUES (?, ?, ?)', id, position, path)
    }
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

  /** No file holds the mask as it is. */
  setUnsaved(id: string): void {
    this.#db.run('UPDATE cases SET saved_revision = NULL WHERE id = ?', id)
    this.#cache.delete(id)
  }

  /** Inside the transaction that appends to the journal. A file that holds the mask goes on holding it where no voxel changes. */
  setRevision(
    id: string,
    revision: number,
    strokes: { readonly active: number; readonly drawn: number; readonly changesMask: boolean },
  ): void {
    this.#db.run(
      `UPDATE cases SET saved_revision = CASE WHEN saved_revision = revision AND NOT ?4 THEN ?1 ELSE saved_revision END,
         revision = ?1, active_strokes = ?2, drawn_strokes = ?3 WHERE id = ?5`,
      revision,
      strokes.active,
      strokes.drawn,
      Number(strokes.changesMask),
      id,
    )
    this.#cache.delete(id)
  }

  /** One case, or the whole worklist in its order. */
  summaries(activeModelId: string | null, caseId: string | null = null): CaseSummary[] {
    const rows = this.#db.all(
      `SELECT c.*,
         (SELECT COUNT(*) FROM slice_state s WHERE s.case_id = c.id AND (s.corrected OR s.regions > 0)
            AND s.approved = 0) AS corrected_slices,
         (SELECT COUNT(*) FROM slice_state s WHERE s.case_id = c.id AND s.teaches AND NOT EXISTS (
            SELECT 1 FROM learned l WHERE l.model_id = ?1 AND l.case_id = s.case_id AND l.slice = s.slice
              AND l.changed_seq = s.changed_seq)
            AND NOT ${HELD_OUT}) AS new_corrected_slices,
         (SELECT COUNT(*) FROM slice_state s WHERE s.case_id = c.id AND s.approved > 0) AS approved_slices,
         ${HELD_OUT} AS held_out,
         EXISTS (SELECT 1 FROM predictions p WHERE p.case_id = c.id) AS predicted,
         (SELECT s.id FROM cases s WHERE s.content_hash = c.content_hash AND s.tiles IS NOT NULL AND s.removed = 0
            AND s.id <> c.id LIMIT 1) AS slide_id
       FROM cases c WHERE c.removed = 0 AND (?2 IS NULL OR c.id = ?2) ORDER BY c.position`,
      activeModelId,
      caseId,
    )
    return rows.map((row) => this.#toSummary(row))
  }

  #toSummary(row: Row): CaseSummary {
    const record = toRecord(row)
    const saved = record.savedRevision !== null && record.savedRevision === record.revision
    const slideId = textOrNull(row, 'slide_id')
    const { region } = record.selection
    return {
      id: record.id,
      name: record.name,
      kind: record.kind,
      dims: record.dims,
      channels: record.channels,
      status: saved ? 'saved' : statusOf(row, record.dims[record.trainingAxis]),
      correctedSlices: int(row, 'corrected_slices'),
      newCorrectedSlices: int(row, 'new_corrected_slices'),
      approvedSlices: int(row, 'approved_slices'),
      heldOut: flag(row, 'held_out'),
      missing: this.missing.has(record.id),
      regionOf: slideId === null || region === undefined ? null : { slideId, region },
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

/** Of a case whose mask no file holds as it is. */
function statusOf(row: Row, slices: number): CaseSummary['status'] {
  if (int(row, 'approved_slices') === slices) return 'approved'
  if (int(row, 'drawn_strokes') > 0) return 'corrected'
  if (int(row, 'active_strokes') > 0) return 'imported'
  return flag(row, 'predicted') ? 'predicted' : 'untouched'
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
  const windowLow = realOrNull(row, 'window_low')
  const windowHigh = realOrNull(row, 'window_high')
  const tiles = row.tiles === null ? null : caseDetailSchema.shape.tiles.parse(json(row, 'tiles'))
  return {
    id: text(row, 'id'),
    name: text(row, 'name'),
    stem: text(row, 'stem'),
    path: text(row, 'path'),
    contentHash: text(row, 'content_hash'),
    fileSize: int(row, 'file_size'),
    fileMtime: real(row, 'file_mtime'),
    kind: tiles !== null ? 'slide' : text(row, 'kind') === 'volume' ? 'volume' : 'image',
    selection: imageSelectionSchema.parse(json(row, 'selection')),
    tiles,
    dims: [int(row, 'nx'), int(row, 'ny'), int(row, 'nz')],
    channels: int(row, 'channels') === 3 ? 3 : 1,
    trainingAxis: axis === 0 || axis === 1 ? axis : 2,
    range: flag(row, 'range_known')
      ? { low: real(row, 'low'), high: real(row, 'high'), min: real(row, 'min'), max: real(row, 'max') }
      : null,
    window: windowLow === null || windowHigh === null ? null : { low: windowLow, high: windowHigh },
    cautionsSeen: flag(row, 'cautions_seen'),
    revision: int(row, 'revision'),
    savedRevision: intOrNull(row, 'saved_revision'),
    removed: flag(row, 'removed'),
  }
}
