import type { Axis } from '../../core/contract/schemas.ts'
import { applyDeltaToSlice, sliceExtent } from '../../core/labelmap/index.ts'
import { squaredDistances } from '../../core/voxels/index.ts'
import type { Journal, JournalEntry, SliceCounter } from '../annotation/journal.ts'
import type { CaseMask } from '../annotation/masks.ts'
import { decodeSlices } from '../annotation/sliceSets.ts'
import { inForceNow, simplest, standingOf, type Pixels, type Standing } from '../annotation/standing.ts'
import type { Cases } from '../project/cases.ts'
import type { Database } from '../project/database.ts'
import { flag, int } from '../project/rows.ts'

/** Pixels around a painted one that the person must have seen while painting. */
const RIM = 3

interface TrustParts {
  readonly db: Database
  readonly cases: Cases
  readonly journal: Journal
}

/** Of a mask, what was found of its slices is kept up to so many bytes, the newest. */
const KEPT_BYTES = 2 ** 26

interface Found {
  readonly changedSeq: number
  readonly pixels: Pixels
}

/** A stroke changes few slices, and a training that goes on between strokes asks for all again. */
const found = new WeakMap<CaseMask, Map<number, Found>>()

/**
 * What of the slices of a case teaches: pixels in file order (ascending axes, the lower one fastest), as the labels of
 * `extractSlice` are. Of a slice that teaches as a whole all; else what strokes in force changed, `RIM` pixels around that,
 * and what was approved. What was predicted and nobody looked at is never among them.
 *
 * Call it where the mask is in use, and with the slices of one training at once: the journal is then read once, for those of them that
 * have changed since they were asked for last.
 */
export function trustedVoxels(parts: TrustParts, mask: CaseMask, slices: readonly number[]): Map<number, Pixels> {
  const { trainingAxis } = parts.cases.get(mask.caseId)
  const states = statesOf(parts.db, mask.caseId, slices)
  const known = found.get(mask) ?? new Map<number, Found>()
  found.set(mask, known)
  const trusted = new Map<number, Pixels>(slices.map((slice) => [slice, 'all']))
  const unknown: number[] = []
  for (const slice of [...trusted.keys()].sort((one, other) => one - other)) {
    const state = states.get(slice)
    if (state?.whole === true) continue
    const before = known.get(slice)
    if (before !== undefined && before.changedSeq === state?.changedSeq) trusted.set(slice, copyOf(before.pixels))
    else unknown.push(slice)
  }
  if (unknown.length === 0) return trusted
  const seqs = inForceNow(mask)
  const standings = standingOf(parts.journal, { ...mask, trainingAxis, seqs }, unknown)
  const strokes = paintedStrokes(parts.journal, mask, seqs, unknown)
  for (const [slice, standing] of standings) {
    const pixels = trustedPart(parts.journal, mask, trainingAxis, slice, standing, strokes)
    trusted.set(slice, pixels)
    const changedSeq = states.get(slice)?.changedSeq
    if (changedSeq !== undefined) keep(known, slice, { changedSeq, pixels: copyOf(pixels) })
  }
  return trusted
}

function statesOf(
  db: Database,
  caseId: string,
  slices: readonly number[],
): Map<number, { readonly whole: boolean; readonly changedSeq: number }> {
  const rows = db.all(
    `SELECT slice, whole, changed_seq FROM slice_state
     WHERE case_id = ? AND slice IN (SELECT value FROM json_each(?))`,
    caseId,
    JSON.stringify(slices),
  )
  return new Map(
    rows.map((row) => [int(row, 'slice'), { whole: flag(row, 'whole'), changedSeq: int(row, 'changed_seq') }]),
  )
}

/** What is given away may be sent to another process, or drawn on. */
function copyOf(pixels: Pixels): Pixels {
  return typeof pixels === 'string' ? pixels : pixels.slice()
}

function keep(known: Map<number, Found>, slice: number, state: Found): void {
  known.delete(slice)
  known.set(slice, state)
  const bytesOf = ({ pixels }: Found): number => (typeof pixels === 'string' ? 0 : pixels.length)
  let bytes = 0
  for (const one of known.values()) bytes += bytesOf(one)
  for (const [oldest, one] of known) {
    if (bytes <= KEPT_BYTES) return
    known.delete(oldest)
    bytes -= bytesOf(one)
  }
}

interface PaintedStroke {
  readonly entry: JournalEntry
  readonly slices: ReadonlySet<number>
}

/** Strokes that say of each voxel they change that it is right: drawn by a person, or read from a file. */
function paintedStrokes(
  journal: Journal,
  mask: CaseMask,
  seqs: ReadonlySet<number>,
  wanted: readonly number[],
): PaintedStroke[] {
  const said: readonly SliceCounter[] = ['own', 'crossing']
  return journal
    .touching(mask.caseId, said, wanted)
    .filter(({ seq, kind }) => seqs.has(seq) && kind !== 'accept')
    .map((entry) => ({ entry, slices: new Set(decodeSlices(entry.slices)) }))
}

function trustedPart(
  journal: Journal,
  { dims }: CaseMask,
  axis: Axis,
  slice: number,
  { approved, overwrittenAt }: Standing,
  strokes: readonly PaintedStroke[],
): Pixels {
  if (approved === 'all') return approved
  const [width, height] = sliceExtent(dims, axis)
  const painted = new Uint8Array(width * height)
  for (const { entry, slices } of strokes) {
    // What was painted before lies below the prediction, also where somebody drew on that.
    if (!slices.has(slice) || entry.seq < overwrittenAt) continue
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
