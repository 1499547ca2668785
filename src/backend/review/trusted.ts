import type { Axis } from '../../core/contract/schemas.ts'
import { applyDeltaToSlice, sliceExtent } from '../../core/labelmap/index.ts'
import { squaredDistances } from '../../core/voxels/index.ts'
import type { Journal, JournalEntry, SliceCounter } from '../annotation/journal.ts'
import type { CaseMask } from '../annotation/masks.ts'
import { decodeSlices } from '../annotation/sliceSets.ts'
import { inForceNow, simplest, standingOf, type Pixels, type Standing } from '../annotation/standing.ts'
import type { Cases } from '../project/cases.ts'
import type { Database } from '../project/database.ts'
import { flag } from '../project/rows.ts'

/** Pixels around a painted one that the person must have seen while painting. */
const RIM = 3

interface TrustParts {
  readonly db: Database
  readonly cases: Cases
  readonly journal: Journal
}

/**
 * What of the slices of a case teaches: pixels in file order (ascending axes, the lower one fastest), as the labels of
 * `extractSlice` are. Of a slice that teaches as a whole all; else what strokes in force changed, `RIM` pixels around that,
 * and what was approved. What was predicted and nobody looked at is never among them.
 *
 * Call it where the mask is in use, and with the slices of one training at once: the journal is then read once.
 */
export function trustedVoxels(parts: TrustParts, mask: CaseMask, slices: readonly number[]): Map<number, Pixels> {
  const { trainingAxis } = parts.cases.get(mask.caseId)
  const partial = slices.filter((slice) => !isWhole(parts.db, mask.caseId, slice))
  const trusted = new Map<number, Pixels>(slices.map((slice) => [slice, 'all']))
  if (partial.length === 0) return trusted
  const seqs = inForceNow(mask)
  const standings = standingOf(parts.journal, { ...mask, trainingAxis, seqs }, partial)
  const strokes = paintedStrokes(parts.journal, mask, seqs)
  for (const [slice, standing] of standings) {
    trusted.set(slice, trustedPart(parts.journal, mask, trainingAxis, slice, standing, strokes))
  }
  return trusted
}

function isWhole(db: Database, caseId: string, slice: number): boolean {
  const row = db.get('SELECT whole FROM slice_state WHERE case_id = ? AND slice = ?', caseId, slice)
  return row !== undefined && flag(row, 'whole')
}

interface PaintedStroke {
  readonly entry: JournalEntry
  readonly slices: ReadonlySet<number>
}

/** Strokes that say of each voxel they change that it is right: drawn by a person, or read from a file. */
function paintedStrokes(journal: Journal, mask: CaseMask, seqs: ReadonlySet<number>): PaintedStroke[] {
  const said: readonly SliceCounter[] = ['own', 'crossing']
  return journal
    .saying(mask.caseId, said)
    .filter(({ seq, kind }) => seqs.has(seq) && kind !== 'accept')
    .map((entry) => ({ entry, slices: new Set(decodeSlices(entry.slices)) }))
}

function trustedPart(
  journal: Journal,
  { dims }: CaseMask,
  axis: Axis,
  slice: number,
  { approved, unseenSince }: Standing,
  strokes: readonly PaintedStroke[],
): Pixels {
  if (approved === 'all') return approved
  const [width, height] = sliceExtent(dims, axis)
  const painted = new Uint8Array(width * height)
  for (const { entry, slices } of strokes) {
    // What was painted before lies below the prediction.
    if (!slices.has(slice) || entry.seq < unseenSince) continue
    const runs = journal.runsOf(entry).slice()
    for (let r = 3; r < runs.length; r += 4) runs[r] = 1
    applyDeltaToSlice(painted, dims, axis, slice, { box: entry.box, runs })
  }
  const pixels = painted.includes(1)
    ? Uint8Array.from(squaredDistances(painted, [width, height]), (squared) => Number(squared <= RIM * RIM))
    : painted
  if (typeof approved !== 'string') approved.forEach((value, at) => (pixels[at] = Math.max(pixels[at] ?? 0, value)))
  return simplest(pixels)
}
