import { randomUUID } from 'node:crypto'
import { CodedError } from '../../core/contract/errors.ts'
import type { SliceRegion } from '../../core/contract/learning.ts'
import type { MethodParams, MethodResult } from '../../core/contract/methods.ts'
import type { Axis, Box, Dims } from '../../core/contract/schemas.ts'
import { boxOfSlice, boxOfSliceRect, sliceExtent, wholeBox } from '../../core/labelmap/index.ts'
import type { PlannedStroke } from '../annotation/annotations.ts'
import type { CaseMask } from '../annotation/masks.ts'
import { countPixels, inForceNow, standingOf, withBox } from '../annotation/standing.ts'
import { historyOf } from '../annotation/words.ts'
import { firstLabel, planTakeOver, type AcceptParts } from '../prediction/accept.ts'
import { refuseSlide } from '../project/cases.ts'

type ApproveParams = MethodParams<'slice.approve'>
type ApproveResult = MethodResult<'slice.approve'>

/** Where it is about, and what is said of it. */
interface Wanted {
  readonly index: number | null
  readonly approved: boolean
  readonly trainingAxis: Axis
  readonly box: Box
  /** Ascending indices across the training axis. */
  readonly slices: readonly number[]
}

/**
 * Says of a slice, a region of it, or slices of a case that they are right as they are, or takes that back; see `slice.approve`. Where it
 * says nothing new, nothing is appended. Throws CodedError: `not-found`, `bad-request` for what lies outside.
 */
export async function approve(
  parts: AcceptParts,
  params: ApproveParams,
  origin: string | null,
): Promise<ApproveResult> {
  const { cases, labels, masks, tallies, predictions, annotations } = parts
  const { caseId, index, region = null, approved, takeOver = false } = params
  const record = cases.get(caseId)
  refuseSlide(record)
  const { dims, trainingAxis } = record
  const box = approvedBox(params, dims, trainingAxis)
  const asked: Wanted = { index, approved, trainingAxis, box, slices: askedSlices(params, dims[trainingAxis]) }
  return masks.use(caseId, (mask) => {
    const wanted = { ...asked, slices: sayingNew(parts, mask, asked) }
    const answer = (delta: ApproveResult['delta'], tookOver: number): ApproveResult => ({
      revision: mask.revision,
      delta,
      tookOver,
      history: historyOf(mask, labels),
      marks: { ...tallies.marks(caseId), predicted: predictions.indices(caseId) },
    })
    if (wanted.slices.length === 0) return answer(null, 0)
    const open = takeOver && approved ? openOf(parts, caseId, wanted.slices) : []
    const words = said(mask, wanted)
    const taking = open.length === 0 ? null : takenOver(parts, mask, wanted, open)
    // It is in the mask already, or nothing is predicted to be there.
    if (taking === null || taking.runs.length === 0) return answer(annotations.append(mask, words, origin).delta, 0)
    if (region === null) {
      const { delta } = annotations.append(mask, { ...words, ...taking }, origin)
      return answer(delta, open.length)
    }
    // The journal has one box a row, and these are two: the slice is taken over, the region is approved.
    const before = { ...words, ...taking, counter: 'own' as const, painted: true }
    const { delta } = annotations.append(mask, before, origin)
    annotations.append(mask, said(mask, wanted), origin)
    return answer(delta, open.length)
  })
}

/**
 * Those that are predicted and of which nobody has said anything: what is seen of them is no mask yet. What was accepted with the whole
 * volume is one, whatever was predicted since.
 */
function openOf({ predictions, tallies }: AcceptParts, caseId: string, slices: readonly number[]): number[] {
  const predicted = new Set(predictions.indices(caseId))
  const masked = new Set([...tallies.settled(caseId), ...tallies.acceptedOf(caseId, slices)])
  return slices.filter((slice) => predicted.has(slice) && !masked.has(slice))
}

/** The words alone. */
function said(mask: CaseMask, { index, box, trainingAxis, slices, approved }: Wanted): PlannedStroke {
  return {
    id: randomUUID(),
    kind: 'approve',
    label: 0,
    axis: index === null ? null : trainingAxis,
    baseRevision: mask.revision,
    box,
    runs: new Uint32Array(),
    slices,
    counter: approved ? 'approved' : 'withdrawn',
    target: null,
  }
}

/** What makes the words an acceptance of the `open` slices too. */
function takenOver(
  parts: AcceptParts,
  mask: CaseMask,
  { index, trainingAxis: axis }: Wanted,
  open: readonly number[],
): Pick<PlannedStroke, 'kind' | 'label' | 'box' | 'runs'> {
  const scope = index === null ? ({ kind: 'volume' } as const) : ({ kind: 'slice', axis, index } as const)
  const bySlice = new Uint8Array(mask.dims[axis])
  for (const slice of open) bySlice[slice] = 1
  const { box, runs } = planTakeOver(parts, mask, { scope, open: bySlice, wanted: null, keepCorrected: true })
  return { kind: 'accept', label: firstLabel(runs), box, runs }
}

/** Ascending, each once. Throws CodedError('bad-request'). */
function askedSlices({ index, slices = null }: ApproveParams, count: number): number[] {
  if (index !== null) {
    if (slices !== null) throw new CodedError('bad-request', 'Slices are named one by one or as a list, not both.')
    return [index]
  }
  if (slices === null) return Array.from({ length: count }, (_, slice) => slice)
  const outside = slices.find((slice) => slice >= count)
  if (outside !== undefined) throw new CodedError('bad-request', `There is no slice ${outside}.`)
  return [...new Set(slices)].sort((a, b) => a - b)
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

/** Those of the slices of which something else is approved afterwards. */
function sayingNew({ journal }: AcceptParts, mask: CaseMask, wanted: Wanted): number[] {
  const { approved, box, trainingAxis, slices } = wanted
  const { caseId, dims } = mask
  const extent = sliceExtent(dims, trainingAxis)
  const pixels = extent[0] * extent[1]
  const standings = standingOf(journal, { caseId, dims, trainingAxis, seqs: inForceNow(mask) }, slices)
  return slices.filter((slice) => {
    const before = standings.get(slice)?.approved ?? 'none'
    const after = withBox(before, extent, box, trainingAxis, approved)
    return countPixels(after, pixels) !== countPixels(before, pixels)
  })
}
