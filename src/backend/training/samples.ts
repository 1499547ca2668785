import type { ComputeSlice, TrainingSample } from '../../core/contract/compute.ts'
import { CodedError } from '../../core/contract/errors.ts'
import { extractSlice } from '../../core/labelmap/index.ts'
import type { Masks } from '../annotation/masks.ts'
import { untilAborted } from '../jobs/lane.ts'
import type { LearnedSlice } from '../models/models.ts'
import type { Cases } from '../project/cases.ts'
import type { Database } from '../project/database.ts'
import { flag, int, text } from '../project/rows.ts'
import { labelsForCompute, networkLayout, sliceForCompute, sliceGeometry } from '../volume/computeSlices.ts'
import type { Looks } from '../volume/looks.ts'
import type { Volumes } from '../volume/volumes.ts'

/** Newest corrected slices that one training learns from. */
const MAX_CORRECTED = 64
/** Slices that keep what was learned before: as many as the corrected ones, within these bounds. */
const MIN_REPLAY = 8
const MAX_REPLAY = 32

export interface SliceChoice {
  readonly caseId: string
  readonly slice: number
  readonly role: TrainingSample['role']
}

/**
 * What the next training learns from. Corrected slices that the active model has not learned in their present state
 * come first, newest first; without such, all corrected ones; without any, those that were accepted with a volume.
 * What else a person found right is replayed, spread evenly over all of it.
 */
export function chooseSlices(db: Database, activeModelId: string | null): SliceChoice[] {
  const rows = db
    .all(
      `SELECT s.case_id, s.slice, s.corrected,
         EXISTS (SELECT 1 FROM learned l WHERE l.model_id = ? AND l.case_id = s.case_id AND l.slice = s.slice
           AND l.changed_seq = s.changed_seq) AS known
       FROM slice_state s JOIN cases c ON c.id = s.case_id
       WHERE c.removed = 0 AND (s.corrected OR s.accepted > 0)
       ORDER BY s.changed_seq DESC, s.case_id, s.slice`,
      activeModelId,
    )
    .map((row) => ({
      caseId: text(row, 'case_id'),
      slice: int(row, 'slice'),
      corrected: flag(row, 'corrected'),
      known: flag(row, 'known'),
    }))
  const corrected = rows.filter((row) => row.corrected)
  const fresh = corrected.filter((row) => !row.known)
  const lead = (fresh.length > 0 ? fresh : corrected.length > 0 ? corrected : rows).slice(0, MAX_CORRECTED)
  const others = rows.filter((row) => !lead.includes(row))
  const replay = spread(others, Math.min(MAX_REPLAY, Math.max(MIN_REPLAY, lead.length)))
  return [
    ...lead.map(({ caseId, slice }): SliceChoice => ({ caseId, slice, role: 'corrected' })),
    ...replay.map(({ caseId, slice }): SliceChoice => ({ caseId, slice, role: 'replay' })),
  ]
}

function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items]
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]).filter(
    (item) => item !== undefined,
  )
}

export interface GatheredSamples {
  readonly samples: TrainingSample[]
  /** The state in which each slice was taken. */
  readonly learned: LearnedSlice[]
  /** Cases that had to be left out: their image is missing, or cannot be read for the reason given. */
  readonly leftOut: { readonly name: string; readonly reason: string | null }[]
}

interface SampleParts {
  readonly db: Database
  readonly cases: Cases
  readonly masks: Masks
  readonly volumes: Volumes
  readonly looks: Looks
}

/** Reads images and masks of the chosen slices, case by case. */
export async function gatherSamples(
  parts: SampleParts,
  choice: readonly SliceChoice[],
  signal: AbortSignal,
): Promise<GatheredSamples> {
  const gathered: GatheredSamples = { samples: [], learned: [], leftOut: [] }
  for (const caseId of new Set(choice.map((item) => item.caseId))) {
    signal.throwIfAborted()
    const wanted = choice.filter((item) => item.caseId === caseId)
    try {
      await gatherCase(parts, caseId, wanted, gathered, signal)
    } catch (error) {
      // Taken off the worklist since the slices were chosen: whoever did that does not want it learned from.
      if (parts.cases.find(caseId)?.removed !== false) continue
      if (!(error instanceof CodedError) || (error.code !== 'file-missing' && error.code !== 'bad-file')) throw error
      const reason = error.code === 'file-missing' ? null : error.message
      gathered.leftOut.push({ name: parts.cases.find(caseId)?.name ?? caseId, reason })
    }
  }
  return gathered
}

async function gatherCase(
  { db, cases, masks, volumes, looks }: SampleParts,
  caseId: string,
  wanted: readonly SliceChoice[],
  into: GatheredSamples,
  signal: AbortSignal,
): Promise<void> {
  const { trainingAxis } = cases.get(caseId)
  // Read before the mask is looked at, so that mask and journal are seen at one moment.
  const { images, layout, geometry } = await volumes.use(caseId, async (volume, ended) => {
    const layout = networkLayout(volume.dims, volume.affine, volume.spacing)
    const either = AbortSignal.any([signal, ended])
    const range = await untilAborted(looks.range(caseId), either)
    const images = new Map<number, ComputeSlice>()
    for (const { slice } of wanted) images.set(slice, await sliceForCompute(volume, layout, slice, range, either))
    return { images, layout, geometry: sliceGeometry(volume, layout) }
  })
  await masks.use(caseId, (mask) => {
    for (const { slice, role } of wanted) {
      const image = images.get(slice)
      if (image === undefined) continue
      const row = db.get('SELECT changed_seq FROM slice_state WHERE case_id = ? AND slice = ?', caseId, slice)
      if (row === undefined) continue
      const labels = extractSlice(mask.labels, mask.dims, trainingAxis, slice)
      into.samples.push({
        ...image,
        labels: labelsForCompute(labels, layout),
        role,
        geometry,
      })
      into.learned.push({ caseId, slice, changedSeq: int(row, 'changed_seq') })
    }
  })
}
