import type { Axis, Box, Dims } from '../../core/contract/schemas.ts'
import { sliceAxes, sliceExtent } from '../../core/labelmap/index.ts'
import type { Journal, JournalEntry } from './journal.ts'
import type { CaseMask } from './masks.ts'
import { decodeSlices } from './sliceSets.ts'

/** Pixels of a slice: all, none, or one byte each, 1 where it is one of them; ascending axes, the lower one fastest. */
export type Pixels = 'all' | 'none' | Uint8Array<ArrayBuffer>

/** What was said of a slice, beside what was drawn on it. */
export interface Standing {
  readonly approved: Pixels
  /** The row of the journal by which a prediction of the whole volume was written over it last; 0: none was. */
  readonly overwrittenAt: number
  /** Nobody has drawn on that prediction since; 0: somebody has, or there is none. */
  readonly unseenSince: number
}

/** Where the journal of a case stands: its strokes in force, by row. */
export interface InForce {
  readonly caseId: string
  readonly dims: Dims
  readonly trainingAxis: Axis
  readonly seqs: ReadonlySet<number>
}

/**
 * What was said of slices across the training axis. Approvals are those in force, in the order in which they were given; a
 * prediction that is written over a slice with the whole volume ends what was approved of it.
 */
export function standingOf(journal: Journal, at: InForce, slices: readonly number[]): Map<number, Standing> {
  const { caseId, dims, trainingAxis } = at
  const extent = sliceExtent(dims, trainingAxis)
  const said = inForce(journal.saying(caseId, ['approved', 'withdrawn', 'accepted']), at)
  const approved = new Map<number, Pixels>(slices.map((slice) => [slice, 'none']))
  const accepted = new Map<number, number>()
  for (const { entry, touched } of said) {
    for (const [slice, before] of approved) {
      if (!touched.has(slice)) continue
      if (entry.counter === 'accepted') {
        accepted.set(slice, entry.seq)
        approved.set(slice, 'none')
      } else {
        approved.set(slice, withBox(before, extent, entry.box, trainingAxis, entry.counter === 'approved'))
      }
    }
  }
  const seen = lastSeen(journal, at, accepted)
  return new Map(
    [...approved].map(([slice, pixels]) => {
      const since = accepted.get(slice) ?? 0
      return [
        slice,
        { approved: pixels, overwrittenAt: since, unseenSince: (seen.get(slice) ?? 0) > since ? 0 : since },
      ]
    }),
  )
}

/** By slice, the last stroke on it after the whole volume was accepted. */
function lastSeen(journal: Journal, at: InForce, accepted: ReadonlyMap<number, number>): Map<number, number> {
  const seen = new Map<number, number>()
  if (accepted.size === 0) return seen
  const first = Math.min(...accepted.values())
  for (const { entry, touched } of inForce(journal.saying(at.caseId, ['own'], first), at)) {
    for (const slice of accepted.keys()) if (touched.has(slice)) seen.set(slice, entry.seq)
  }
  return seen
}

function inForce(
  entries: readonly JournalEntry[],
  { seqs }: InForce,
): { entry: JournalEntry; touched: ReadonlySet<number> }[] {
  return entries
    .filter(({ seq }) => seqs.has(seq))
    .map((entry) => ({ entry, touched: new Set(decodeSlices(entry.slices)) }))
}

/** Strokes in force of a mask as it is. */
export function inForceNow(mask: CaseMask): ReadonlySet<number> {
  return new Set(mask.undo.map(({ seq }) => seq))
}

export function countPixels(pixels: Pixels, all: number): number {
  if (pixels === 'all') return all
  return pixels === 'none' ? 0 : pixels.reduce((sum, value) => sum + value, 0)
}

/** The pixels with those of a box added or taken away; a copy. */
export function withBox(
  before: Pixels,
  [width, height]: readonly [number, number],
  box: Box,
  axis: Axis,
  added: boolean,
): Pixels {
  const [fast, slow] = sliceAxes(axis)
  const [x0, x1, y0, y1] = [box.min[fast], box.max[fast], box.min[slow], box.max[slow]]
  if (x0 === 0 && y0 === 0 && x1 === width && y1 === height) return added ? 'all' : 'none'
  if (before === (added ? 'all' : 'none')) return before
  const pixels = typeof before === 'string' ? new Uint8Array(width * height).fill(Number(!added)) : before.slice()
  for (let y = y0; y < y1; y++) pixels.fill(Number(added), y * width + x0, y * width + x1)
  return simplest(pixels)
}

export function simplest(pixels: Uint8Array<ArrayBuffer>): Pixels {
  if (!pixels.includes(1)) return 'none'
  return pixels.includes(0) ? pixels : 'all'
}
