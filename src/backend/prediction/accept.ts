import { randomUUID } from 'node:crypto'
import { CodedError } from '../../core/contract/errors.ts'
import type { MethodParams, MethodResult } from '../../core/contract/methods.ts'
import type { Axis, Box } from '../../core/contract/schemas.ts'
import { boxOfSlice, wholeBox } from '../../core/labelmap/index.ts'
import type { Annotations } from '../annotation/annotations.ts'
import type { Journal } from '../annotation/journal.ts'
import type { CaseMask, Masks } from '../annotation/masks.ts'
import { planAccept, type AcceptPlan } from '../annotation/plans.ts'
import { slicesOfRuns } from '../annotation/sliceSets.ts'
import type { Tallies } from '../annotation/tallies.ts'
import { historyOf } from '../annotation/words.ts'
import type { Cases } from '../project/cases.ts'
import type { Labels } from '../project/labels.ts'
import { drawnVoxels } from './drawn.ts'
import type { Predictions } from './predictions.ts'

type AcceptParams = MethodParams<'annotation.accept'>
type AcceptResult = MethodResult<'annotation.accept'>

export interface AcceptParts {
  readonly cases: Cases
  readonly labels: Labels
  readonly journal: Journal
  readonly masks: Masks
  readonly tallies: Tallies
  readonly predictions: Predictions
  readonly annotations: Annotations
}

/**
 * Writes the prediction into the mask as one undoable stroke; see `annotation.accept` for what is kept.
 * Throws CodedError('not-found') where nothing was predicted.
 */
export async function acceptPrediction(
  parts: AcceptParts,
  params: AcceptParams,
  origin: string | null,
): Promise<AcceptResult> {
  const { cases, labels, masks, annotations } = parts
  const { caseId, scope, labels: wanted, keepCorrected } = params
  const { dims, trainingAxis } = cases.get(caseId)
  const axis = scope.kind === 'slice' ? scope.axis : null
  if (scope.kind === 'slice' && scope.index >= dims[scope.axis]) {
    throw new CodedError('bad-request', `There is no slice ${scope.index}.`)
  }
  return masks.use(caseId, (mask) => {
    const { open, kept } = openSlices(parts, params, trainingAxis)
    const { box, ...plan } = planTakeOver(parts, mask, { scope, open, wanted, keepCorrected })
    const accepted: number[] = []
    open.forEach((value, slice) => {
      if (value === 1) accepted.push(slice)
    })
    // One label of a volume says nothing about the others, so it does not make its slices good to learn from.
    const whole = axis === trainingAxis || (axis === null && wanted === null)
    const slices = whole ? accepted : slicesOfRuns(box, plan.runs, trainingAxis)
    const counter = axis === trainingAxis ? 'own' : axis !== null ? 'crossing' : whole ? 'accepted' : 'none'
    const counts = {
      changedVoxels: plan.changedVoxels,
      keptLockedVoxels: plan.keptLockedVoxels,
      keptCorrectedSlices: kept,
    }
    if (plan.runs.length === 0 && !saysSomethingNew(parts, mask, axis, trainingAxis, slices)) {
      return { revision: mask.revision, delta: null, history: historyOf(mask, labels), ...counts }
    }
    const applied = annotations.append(
      mask,
      {
        id: randomUUID(),
        kind: 'accept',
        label: firstLabel(plan.runs),
        axis,
        baseRevision: mask.revision,
        box,
        runs: plan.runs,
        slices,
        counter,
        target: null,
      },
      origin,
    )
    return { ...applied, ...counts }
  })
}

/**
 * What of the mask becomes as predicted where the prediction of the `open` slices is taken over, inside the box of the scope; `wanted`
 * and `keepCorrected` as in `annotation.accept`.
 */
export function planTakeOver(
  parts: Pick<AcceptParts, 'cases' | 'labels' | 'journal' | 'predictions'>,
  mask: CaseMask,
  how: {
    readonly scope: AcceptParams['scope']
    readonly open: Uint8Array
    readonly wanted: readonly number[] | null
    readonly keepCorrected: boolean
  },
): AcceptPlan & { readonly box: Box } {
  const { cases, labels, journal, predictions } = parts
  const { caseId, dims } = mask
  const { scope, open, wanted, keepCorrected } = how
  const box = scope.kind === 'slice' ? boxOfSlice(dims, scope.axis, scope.index) : wholeBox(dims)
  // A slice is what its box holds, x fastest.
  const prediction =
    scope.kind === 'slice' ? predictions.slice(caseId, scope.axis, scope.index).data : predictions.volume(caseId).labels
  const { trainingAxis } = cases.get(caseId)
  const locked = Uint8Array.from({ length: 256 }, (_, value) => Number(labels.isLocked(value)))
  const takes = taken(labels, wanted)
  const slices = [...open.keys()].filter((slice) => open[slice] === 1)
  const kept = keepCorrected ? drawnVoxels(journal, mask, { scope, box, trainingAxis, slices }) : null
  return { box, ...planAccept({ mask: mask.labels, prediction, dims, box, trainingAxis, open, takes, locked, kept }) }
}

/** Which slices across the training axis may change, and how many were kept because a person corrected them. */
function openSlices(
  parts: AcceptParts,
  { caseId, scope, keepCorrected }: AcceptParams,
  trainingAxis: Axis,
): { open: Uint8Array; kept: number } {
  const open = new Uint8Array(parts.cases.get(caseId).dims[trainingAxis])
  for (const slice of parts.predictions.indices(caseId)) open[slice] = 1
  let kept = 0
  if (scope.kind === 'slice' && scope.axis === trainingAxis) {
    const wanted = open[scope.index] ?? 0
    open.fill(0)
    open[scope.index] = wanted
  } else if (scope.kind === 'volume' && keepCorrected) {
    for (const slice of parts.tallies.settled(caseId)) {
      kept += open[slice] ?? 0
      open[slice] = 0
    }
  }
  if (kept === 0 && !open.includes(1)) {
    throw new CodedError('not-found', 'Nothing is predicted here yet; press Predict first.')
  }
  return { open, kept }
}

/**
 * Accepting a slice that is already as predicted changes no voxel, and still says that a person found it right: that
 * is worth a row of its own, once.
 */
function saysSomethingNew(
  parts: AcceptParts,
  mask: CaseMask,
  axis: Axis | null,
  trainingAxis: Axis,
  slices: readonly number[],
): boolean {
  if (axis !== trainingAxis) return false
  const settled = new Set(parts.tallies.settled(mask.caseId))
  return slices.some((slice) => !settled.has(slice))
}

/** By predicted label: is it wanted, and still on the list? */
function taken(labels: Labels, wanted: readonly number[] | null): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, value) =>
    Number((value === 0 || labels.isCurrent(value)) && (wanted === null || wanted.includes(value))),
  )
}

/** A label that the runs bring, to name the stroke by; where they only erase, one that they take. */
export function firstLabel(runs: Uint32Array): number {
  for (let r = 3; r < runs.length; r += 4) if (runs[r] !== 0) return runs[r] ?? 0
  return runs[2] ?? 0
}
