import type { MethodParams } from '../../core/contract/methods.ts'
import type { Axis, Box } from '../../core/contract/schemas.ts'
import { boxVolume, markDelta } from '../../core/labelmap/index.ts'
import type { Journal, JournalEntry, SliceCounter } from '../annotation/journal.ts'
import type { CaseMask } from '../annotation/masks.ts'
import { inForceNow } from '../annotation/standing.ts'

/** All that may change a voxel. */
const CHANGING: readonly SliceCounter[] = ['own', 'crossing', 'accepted', 'approved', 'none']

/**
 * Voxels of a box that are as a person made them, by hand or from a file: the last stroke in force that changed them is no prediction.
 * One byte each, 1 where it is so, x fastest; null: there are none. A plane that is asked for by name gives up what was drawn on
 * itself. `slices`: ascending indices across the training axis, at which to look.
 */
export function drawnVoxels(
  journal: Journal,
  mask: CaseMask,
  at: {
    readonly scope: MethodParams<'annotation.accept'>['scope']
    readonly box: Box
    readonly trainingAxis: Axis
    readonly slices: readonly number[]
  },
): Uint8Array | null {
  const { scope, box, trainingAxis, slices } = at
  const stays = ({ kind, axis, counter }: JournalEntry): boolean => {
    if (kind === 'accept' || kind === 'delete-label') return false
    if (scope.kind === 'volume') return true
    return scope.axis === trainingAxis ? counter !== 'own' : axis !== scope.axis
  }
  const seqs = inForceNow(mask)
  const strokes = journal
    .touching(mask.caseId, CHANGING, slices)
    .filter((entry) => seqs.has(entry.seq) && meet(entry.box, box))
  const first = strokes.findIndex(stays)
  if (first < 0) return null
  const drawn = new Uint8Array(boxVolume(box))
  for (const entry of strokes.slice(first)) {
    markDelta(drawn, box, { box: entry.box, runs: journal.runsOf(entry) }, Number(stays(entry)))
  }
  return drawn.includes(1) ? drawn : null
}

function meet(one: Box, other: Box): boolean {
  return one.min.every((low, axis) => low < (other.max[axis] ?? 0) && (other.min[axis] ?? 0) < (one.max[axis] ?? 0))
}
