import type { CaseScores } from '../contract/recipes.ts'
import type { Dims, Vec3 } from '../contract/schemas.ts'
import { objectScores } from './objects.ts'
import { diceOf, overlaps, type Overlap } from './overlap.ts'
import { randError } from './rand.ts'
import { surfaceDistances } from './surfaceDistances.ts'
import { warpingError } from './warping.ts'

export interface CaseToScore {
  /** Label values, x fastest, in the same voxel order. */
  readonly truth: Uint8Array
  readonly predicted: Uint8Array
  /** Of pictures the last one is 1. */
  readonly dims: Dims
  /** mm; null where it is not known: distances are then in pixels. */
  readonly spacing: Vec3 | null
  /** What is measured, in this order; every other value counts as background. */
  readonly labels: readonly number[]
  /** Numbers of objects, 0 for none; compared where both are given. */
  readonly truthObjects?: Uint32Array | null
  readonly predictedObjects?: Uint32Array | null
  /** Warping and Rand error of what is not background (cells) and what is (membranes); of volumes the mean over the slices. */
  readonly membranes?: boolean
}

const nowhere: Overlap = { first: 0, second: 0, both: 0 }

/**
 * Compares one case with its truth. Where a label is in neither: Dice, IoU and sensitivity 1, distances 0. Where it is in
 * one of both: Dice and IoU 0, distances null. Sensitivity is 1 where the truth has no such voxel, specificity where it has
 * no other.
 *
 * @throws RangeError when the sizes differ.
 */
export function scoreCase(given: CaseToScore): Omit<CaseScores, 'id'> {
  const { dims, spacing, labels, truthObjects, predictedObjects } = given
  const voxels = dims[0] * dims[1] * dims[2]
  if (given.truth.length !== voxels || given.predicted.length !== voxels) {
    throw new RangeError(`score: ${given.truth.length} and ${given.predicted.length} voxels of ${dims.join(' x ')}`)
  }
  const truth = only(given.truth, labels)
  const predicted = only(given.predicted, labels)
  const counts = overlaps(truth, predicted)
  const countOf = (label: number): Overlap => counts.get(label) ?? nowhere
  const distances = new Map(
    labels.map((label) => [label, surfaceDistances(truth, predicted, label, dims, spacing ?? [1, 1, 1])]),
  )
  const byLabel = <T>(value: (label: number) => T): Record<string, T> =>
    Object.fromEntries(labels.map((label) => [String(label), value(label)]))
  const background = backgroundOf(labels.map(countOf), truth, predicted)
  const right = labels.reduce((sum, label) => sum + countOf(label).both, background.both)
  const ious = [background, ...labels.map(countOf)].map(iouOf)
  return {
    pixelAccuracy: voxels === 0 ? 1 : right / voxels,
    meanIou: ious.reduce((sum, iou) => sum + iou, 0) / ious.length,
    dice: byLabel((label) => diceOf(countOf(label))),
    iou: byLabel((label) => iouOf(countOf(label))),
    sensitivity: byLabel((label) => shareOf(countOf(label).both, countOf(label).first)),
    specificity: byLabel((label) => {
      const { first, second, both } = countOf(label)
      return shareOf(voxels - first - second + both, voxels - first)
    }),
    hd: byLabel((label) => distances.get(label)?.hd ?? null),
    hd95: byLabel((label) => distances.get(label)?.hd95 ?? null),
    assd: byLabel((label) => distances.get(label)?.assd ?? null),
    volumeDifference: byLabel((label) => (countOf(label).second - countOf(label).first) * unitOf(dims, spacing)),
    ...(truthObjects && predictedObjects ? { instances: objectScores(truthObjects, predictedObjects) } : {}),
    ...(given.membranes === true ? { membranes: membraneScores(truth, predicted, dims) } : {}),
  }
}

/** Values that are not measured become background. */
function only(map: Uint8Array, labels: readonly number[]): Uint8Array {
  const table = new Uint8Array(256)
  for (const label of labels) table[label] = label
  return map.map((value) => table[value] ?? 0)
}

function backgroundOf(counts: readonly Overlap[], truth: Uint8Array, predicted: Uint8Array): Overlap {
  let both = 0
  for (let i = 0; i < truth.length; i++) if (truth[i] === 0 && predicted[i] === 0) both++
  const sum = (pick: (count: Overlap) => number): number => counts.reduce((total, count) => total + pick(count), 0)
  return {
    first: truth.length - sum((count) => count.first),
    second: truth.length - sum((count) => count.second),
    both,
  }
}

/** |A and B| / |A or B|, 0 to 1; 1 where neither map holds the label. */
function iouOf({ first, second, both }: Overlap): number {
  return shareOf(both, first + second - both)
}

function shareOf(part: number, whole: number): number {
  return whole === 0 ? 1 : part / whole
}

/** What a voxel counts in a volume difference: its mL in a volume, itself in a picture or where no spacing is known. */
function unitOf(dims: Dims, spacing: Vec3 | null): number {
  return dims[2] === 1 || spacing === null ? 1 : (spacing[0] * spacing[1] * spacing[2]) / 1000
}

function membraneScores(truth: Uint8Array, predicted: Uint8Array, [width, height, slices]: Dims) {
  let warping = 0
  let rand = 0
  for (let start = 0; start < truth.length; start += width * height) {
    const own = truth.subarray(start, start + width * height)
    const found = predicted.subarray(start, start + width * height)
    warping += warpingError(own, found, width, height).splitsAndMergers
    rand += randError(own, found, width, height)
  }
  return { warping: warping / Math.max(1, slices), rand: rand / Math.max(1, slices) }
}
