import type { Dims, StrokeKind } from '../../core/contract/schemas.ts'
import { CodedError } from '../../core/contract/errors.ts'
import { applyDelta } from '../../core/labelmap/index.ts'
import { refuseSlide, type Cases } from '../project/cases.ts'
import type { Journal, JournalEntry, SliceCounter } from './journal.ts'

/** What undo and redo need to know of a stroke before they fetch it. */
export interface StrokeRef {
  readonly seq: number
  readonly kind: StrokeKind
  readonly label: number
  readonly counter: SliceCounter
}

/** The mask of a case in memory: snapshot plus tail of the journal. One byte a voxel, in the image's own order. */
export interface CaseMask {
  readonly caseId: string
  readonly dims: Dims
  readonly labels: Uint8Array<ArrayBuffer>
  revision: number
  /** The journal row that `labels` shows; 0 before the first. */
  seq: number
  readonly undo: StrokeRef[]
  readonly redo: StrokeRef[]
}

/** Where a mask starts from; null: from an empty mask and the whole journal. */
export type SnapshotReader = (
  caseId: string,
  dims: Dims,
) => Promise<{ labels: Uint8Array<ArrayBuffer>; seq: number; revision: number } | null>

interface Held {
  readonly mask: Promise<CaseMask>
  bytes: number
  users: number
}

/**
 * The masks in memory, the least recently used dropped beyond `budget` bytes. Dropping loses nothing: every change is
 * in the journal before it is here.
 */
export class Masks {
  readonly #cases: Cases
  readonly #journal: Journal
  readonly #readSnapshot: SnapshotReader
  readonly #budget: number
  /** Least recently used first. */
  readonly #held = new Map<string, Held>()

  constructor(options: { cases: Cases; journal: Journal; readSnapshot: SnapshotReader; budget: number }) {
    this.#cases = options.cases
    this.#journal = options.journal
    this.#readSnapshot = options.readSnapshot
    this.#budget = options.budget
  }

  /** Gives the mask to `work`, which must not be async: while it runs, the mask is the one and only. */
  async use<T>(caseId: string, work: (mask: CaseMask) => T): Promise<T> {
    const record = this.#cases.find(caseId)
    if (record === null) throw new CodedError('not-found', 'This case is not in the project.')
    refuseSlide(record)
    let held = this.#held.get(caseId)
    if (held === undefined) {
      held = { mask: this.#load(caseId, record.dims), bytes: 0, users: 0 }
    } else {
      this.#held.delete(caseId)
    }
    this.#held.set(caseId, held)
    held.users++
    try {
      const mask = await held.mask
      held.bytes = mask.labels.length
      return work(mask)
    } catch (error) {
      // A mask that could not be loaded is tried afresh next time.
      if (held.bytes === 0) this.#held.delete(caseId)
      throw error
    } finally {
      held.users--
      this.#shrink()
    }
  }

  loadedCases(): string[] {
    return [...this.#held.keys()]
  }

  #shrink(): void {
    let total = 0
    for (const held of this.#held.values()) total += held.bytes
    for (const [caseId, held] of this.#held) {
      if (total <= this.#budget || this.#held.size <= 1) return
      if (held.users > 0) continue
      this.#held.delete(caseId)
      total -= held.bytes
    }
  }

  async #load(caseId: string, dims: Dims): Promise<CaseMask> {
    const carried = await this.#fromSnapshot(caseId, dims)
    // Without a pause since the tail was read, so that no stroke can come between it and the mask that is handed out.
    if (carried !== null) return carried
    return this.#replay(caseId, dims, { labels: maskArray(dims), seq: 0, revision: 0 })
  }

  /** Null where there is none, or it does not carry the tail: then it is worth nothing, the journal is the truth. */
  async #fromSnapshot(caseId: string, dims: Dims): Promise<CaseMask | null> {
    const start = await this.#readSnapshot(caseId, dims)
    if (start === null) return null
    try {
      return this.#replay(caseId, dims, start)
    } catch {
      return null
    }
  }

  #replay(
    caseId: string,
    dims: Dims,
    start: { labels: Uint8Array<ArrayBuffer>; seq: number; revision: number },
  ): CaseMask {
    const mask: CaseMask = { caseId, dims, ...start, undo: [], redo: [] }
    for (const entry of this.#journal.of(caseId)) {
      pushHistory(mask, entry)
      if (entry.seq <= start.seq) continue
      applyDelta(mask.labels, dims, { box: entry.box, runs: this.#journal.runsOf(entry) })
      mask.seq = entry.seq
      mask.revision = entry.revision
    }
    return mask
  }
}

/** Runs of a change count voxels in 32 bits. */
const MAX_VOXELS = 2 ** 32 - 1

/** A label map of background. Throws CodedError('bad-file') for an image that is too large to have one here. */
export function maskArray(dims: Dims): Uint8Array<ArrayBuffer> {
  const voxels = dims[0] * dims[1] * dims[2]
  const tooLarge = (cause?: unknown): CodedError =>
    new CodedError(
      'bad-file',
      `A mask of ${dims.join(' x ')} voxels does not fit into this computer's memory; cut out the part that you annotate.`,
      { cause },
    )
  if (voxels > MAX_VOXELS) throw tooLarge()
  try {
    return new Uint8Array(voxels)
  } catch (error) {
    throw tooLarge(error)
  }
}

/** Moves the history on by one row: a new stroke ends what could be redone. */
export function pushHistory(mask: CaseMask, { seq, kind, label, counter }: JournalEntry): void {
  if (kind === 'undo') {
    const stroke = mask.undo.pop()
    if (stroke !== undefined) mask.redo.push(stroke)
  } else if (kind === 'redo') {
    const stroke = mask.redo.pop()
    if (stroke !== undefined) mask.undo.push(stroke)
  } else {
    mask.undo.push({ seq, kind, label, counter })
    mask.redo.length = 0
  }
}
