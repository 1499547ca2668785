import { randomUUID } from 'node:crypto'
import { CodedError } from '../../core/contract/errors.ts'
import type { SliceRegion } from '../../core/contract/learning.ts'
import type { MethodParams, MethodResult } from '../../core/contract/methods.ts'
import type { Axis, Box, Dims } from '../../core/contract/schemas.ts'
import { boxOfSlice, boxOfSliceRect, sliceExtent, wholeBox } from '../../core/labelmap/index.ts'
import type { Annotations } from '../annotation/annotations.ts'
import type { Journal } from '../annotation/journal.ts'
import type { CaseMask, Masks } from '../annotation/masks.ts'
import { countPixels, inForceNow, standingOf, withBox } from '../annotation/standing.ts'
import type { Tallies } from '../annotation/tallies.ts'
import { historyOf } from '../annotation/words.ts'
import type { Predictions } from '../prediction/predictions.ts'
import { refuseSlide, type Cases } from '../project/cases.ts'
import type { Labels } from '../project/labels.ts'

interface ApproveParts {
  readonly cases: Cases
  readonly labels: Labels
  readonly journal: Journal
  readonly tallies: Tallies
  readonly masks: Masks
  readonly predictions: Predictions
  readonly annotations: Annotations
}

type ApproveParams = MethodParams<'slice.approve'>

/**
 * Says of a slice, a region of it, or a whole case that it is right as it is, or takes that back: one undoable step that changes no voxel.
 * Where it says nothing new, nothing is appended. Throws CodedError: `not-found`, `bad-request` for what lies outside.
 */
export async function approve(
  parts: ApproveParts,
  params: ApproveParams,
  origin: string | null,
): Promise<MethodResult<'slice.approve'>> {
  const { cases, labels, masks, tallies, predictions, annotations } = parts
  const { caseId } = params
  const record = cases.get(caseId)
  refuseSlide(record)
  const { dims, trainingAxis } = record
  const box = approvedBox(params, dims, trainingAxis)
  return masks.use(caseId, (mask) => {
    const slices = sayingNew(parts, mask, { ...params, box, trainingAxis })
    const marks = (): MethodResult<'slice.approve'>['marks'] => ({
      ...tallies.marks(caseId),
      predicted: predictions.indices(caseId),
    })
    if (slices.length === 0) {
      return { revision: mask.revision, delta: null, history: historyOf(mask, labels), marks: marks() }
    }
    const { revision, delta, history } = annotations.append(
      mask,
      {
        id: randomUUID(),
        kind: 'approve',
        label: 0,
        axis: params.index === null ? null : trainingAxis,
        baseRevision: mask.revision,
        box,
        runs: new Uint32Array(),
        slices,
        counter: params.approved ? 'approved' : 'withdrawn',
        target: null,
      },
      origin,
    )
    return { revision, delta, history, marks: marks() }
  })
}

function approvedBox({ index, region = null }: ApproveParams, dims: Dims, axis: Axis): Box {
  if (index === null) {
    if (region !== null) throw new CodedError('bad-request', 'A region is one of a slice; say of which.')
    return wholeBox(dims)
  }
  if (index >= dims[axis]) throw new CodedError('bad-request', `There is no slice ${index}.`)
  return region === null ? boxOfSlice(dims, axis, index) : boxOfRegion(region, index, dims, axis)
}

function boxOfRegion({ x0, y0, x1, y1 }: SliceRegion, index: number, dims: Dims, axis: Axis): Box {
  const [width, height] = sliceExtent(dims, axis)
  if (x0 >= x1 || y0 >= y1 || x1 > width || y1 > height) {
    throw new CodedError('bad-request', 'The region does not lie inside the slice; choose another one.')
  }
  return boxOfSliceRect(axis, index, { x: x0, y: y0, width: x1 - x0, height: y1 - y0 })
}

/** Those of the slices of which something else is approved afterwards; ascending. */
function sayingNew(
  { journal }: ApproveParts,
  mask: CaseMask,
  wanted: { readonly index: number | null; readonly approved: boolean; readonly box: Box; readonly trainingAxis: Axis },
): number[] {
  const { index, approved, box, trainingAxis } = wanted
  const { caseId, dims } = mask
  const extent = sliceExtent(dims, trainingAxis)
  const pixels = extent[0] * extent[1]
  const slices = index === null ? Array.from({ length: dims[trainingAxis] }, (_, slice) => slice) : [index]
  const standings = standingOf(journal, { caseId, dims, trainingAxis, seqs: inForceNow(mask) }, slices)
  return slices.filter((slice) => {
    const before = standings.get(slice)?.approved ?? 'none'
    const after = withBox(before, extent, box, trainingAxis, approved)
    return countPixels(after, pixels) !== countPixels(before, pixels)
  })
}
