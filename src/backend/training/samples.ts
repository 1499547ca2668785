import type { TrainingSample } from '../../core/contract/compute.ts'
import type { PlaneView } from '../../core/geometry/index.ts'
import type { Journal } from '../annotation/journal.ts'
import type { Masks } from '../annotation/masks.ts'
import type { LearnedCase, LearnedSlice } from '../models/origin.ts'
import type { Cases } from '../project/cases.ts'
import type { Database } from '../project/database.ts'
import { labelsForCompute } from '../volume/computeSlices.ts'
import type { Looks } from '../volume/looks.ts'
import type { Volumes } from '../volume/volumes.ts'
import type { SliceChoice } from './choosing.ts'
import { laterLabels } from './laterLabels.ts'
import { leftOut, readPictures, readTruth, type LeftOut, type SliceTruth } from './lessons.ts'

export interface GatheredSamples {
  readonly samples: TrainingSample[]
  /** Of the samples, those that the parent has not learned as they are. */
  readonly fresh: TrainingSample[]
  /** The state in which each slice was taken. */
  readonly learned: LearnedSlice[]
  /** The cases of `learned`. */
  readonly data: LearnedCase[]
  readonly leftOut: LeftOut[]
}

export interface SampleParts {
  readonly db: Database
  readonly cases: Cases
  readonly masks: Masks
  readonly journal: Journal
  readonly volumes: Volumes
  readonly looks: Looks
}

/** Reads images and masks of the chosen slices, case by case; each case as it is at one moment. */
export async function gatherSamples(
  parts: SampleParts,
  choice: readonly SliceChoice[],
  signal: AbortSignal,
): Promise<GatheredSamples> {
  const gathered: GatheredSamples = { samples: [], fresh: [], learned: [], data: [], leftOut: [] }
  for (const [caseId, wanted] of Map.groupBy(choice, (item) => item.caseId)) {
    signal.throwIfAborted()
    try {
      await gatherCase(parts, caseId, wanted, gathered, signal)
    } catch (error) {
      const left = leftOut(parts.cases, caseId, error)
      if (left !== null) gathered.leftOut.push(left)
    }
  }
  return gathered
}

async function gatherCase(
  parts: SampleParts,
  caseId: string,
  wanted: readonly SliceChoice[],
  into: GatheredSamples,
  signal: AbortSignal,
): Promise<void> {
  const slices = wanted.map(({ slice }) => slice)
  // Read before the mask is looked at, which must not wait.
  const { images, layout, geometry } = await readPictures(parts, caseId, slices, signal)
  await parts.masks.use(caseId, (mask) => {
    const truths = new Map(readTruth(parts, mask, slices).map((truth) => [truth.slice, truth]))
    const { name, contentHash } = parts.cases.get(caseId)
    const laterOf = laterLabels(parts.db)
    let taken = 0
    for (const { slice, role, weight, fresh } of wanted) {
      const [image, truth] = [images.get(slice), truths.get(slice)]
      if (image === undefined || truth === undefined) continue
      const later = laterOf(caseId, slice, truth.changedSeq)
      const known: TrainingSample = { ...image, ...asSeen(truth, layout), role, weight, geometry }
      const sample = later.length === 0 ? known : { ...known, later }
      into.samples.push(sample)
      if (fresh) into.fresh.push(sample)
      into.learned.push({ caseId, slice, changedSeq: truth.changedSeq })
      taken++
    }
    if (taken === 0) return
    into.data.push({ caseId, name, imageHash: contentHash, revision: mask.revision, slices: taken })
  })
}

/** Labels and what of them teaches, as the network sees the slice; `trusted` is absent where all of it does. */
export function asSeen({ labels, trusted }: SliceTruth, layout: PlaneView): Pick<TrainingSample, 'labels' | 'trusted'> {
  const seen = labelsForCompute(labels, layout)
  return trusted === 'all' ? { labels: seen } : { labels: seen, trusted: labelsForCompute(trusted, layout) }
}
