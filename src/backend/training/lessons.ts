import type { ComputeSlice, SliceGeometry } from '../../core/contract/compute.ts'
import { CodedError } from '../../core/contract/errors.ts'
import type { PlaneView } from '../../core/geometry/index.ts'
import { extractSlice } from '../../core/labelmap/index.ts'
import type { Pixels } from '../annotation/standing.ts'
import type { Journal } from '../annotation/journal.ts'
import type { CaseMask } from '../annotation/masks.ts'
import { untilAborted } from '../jobs/lane.ts'
import type { Cases } from '../project/cases.ts'
import type { Database } from '../project/database.ts'
import { int } from '../project/rows.ts'
import { trustedVoxels } from '../review/trusted.ts'
import { networkLayout, sliceForCompute, sliceGeometry } from '../volume/computeSlices.ts'
import type { Looks } from '../volume/looks.ts'
import type { Volumes } from '../volume/volumes.ts'

/** Slices of a case as the network sees them. */
export interface CasePictures {
  readonly images: Map<number, ComputeSlice>
  readonly layout: PlaneView
  readonly geometry: SliceGeometry | null
}

/** Throws what the image throws, and CodedError('cancelled'). */
export async function readPictures(
  { volumes, looks }: { readonly volumes: Volumes; readonly looks: Looks },
  caseId: string,
  slices: readonly number[],
  signal: AbortSignal,
): Promise<CasePictures> {
  return volumes.use(caseId, async (volume, ended) => {
    const layout = networkLayout(volume.dims, volume.affine, volume.spacing)
    const either = AbortSignal.any([signal, ended])
    const range = await untilAborted(looks.range(caseId), either)
    const images = new Map<number, ComputeSlice>()
    for (const slice of slices) images.set(slice, await sliceForCompute(volume, layout, slice, range, either))
    return { images, layout, geometry: sliceGeometry(volume, layout) }
  })
}

/** What a slice says at one moment; pixels and labels in file order (ascending axes, the lower one fastest). */
export interface SliceTruth {
  readonly slice: number
  readonly labels: Uint8Array<ArrayBuffer>
  /** Never 'none'. */
  readonly trusted: Exclude<Pixels, 'none'>
  readonly changedSeq: number
}

interface TruthParts {
  readonly db: Database
  readonly cases: Cases
  readonly journal: Journal
}

/**
 * What slices of a case say at this moment, those left out of which nothing teaches (any more). To be called where the mask is
 * in use, so that mask, journal and state are seen at one moment. Which labels each has is kept for the next choice.
 */
export function readTruth(parts: TruthParts, mask: CaseMask, slices: readonly number[]): SliceTruth[] {
  const { db, cases } = parts
  const { caseId, dims } = mask
  const { trainingAxis } = cases.get(caseId)
  const trusted = trustedVoxels(parts, mask, slices)
  const found = slices.flatMap((slice): SliceTruth[] => {
    const row = db.get('SELECT changed_seq FROM slice_state WHERE case_id = ? AND slice = ? AND teaches', caseId, slice)
    const pixels = trusted.get(slice) ?? 'none'
    if (row === undefined || pixels === 'none') return []
    const labels = extractSlice(mask.labels, dims, trainingAxis, slice)
    return [{ slice, labels, trusted: pixels, changedSeq: int(row, 'changed_seq') }]
  })
  db.transaction(() => {
    for (const { slice, labels } of found) {
      db.run(
        // Nothing is written where nothing changed.
        `INSERT INTO lesson_labels VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET labels = excluded.labels WHERE labels <> excluded.labels`,
        ...[caseId, slice, JSON.stringify(valuesIn(labels))],
      )
    }
  })
  return found
}

/** Ascending, background left out. */
function valuesIn(labels: Uint8Array): number[] {
  const seen = new Uint8Array(256)
  for (const label of labels) seen[label] = 1
  return Array.from(seen.keys()).filter((label) => label > 0 && seen[label] === 1)
}

/** A case that had to be left out: its image is missing (no reason), or cannot be read for the reason given. */
export interface LeftOut {
  readonly caseId: string
  readonly name: string
  readonly reason: string | null
}

/**
 * What became of reading a case that failed: left out with a reason; null where it was taken off the worklist meanwhile, since
 * whoever did that does not want it learned from. Throws what is no fault of its image.
 */
export function leftOut(cases: Cases, caseId: string, error: unknown): LeftOut | null {
  const record = cases.find(caseId)
  if (record === null || record.removed) return null
  if (!(error instanceof CodedError) || (error.code !== 'file-missing' && error.code !== 'bad-file')) throw error
  return { caseId, name: record.name, reason: error.code === 'file-missing' ? null : error.message }
}

/** What was not learned from, and why: those that are missing in one sentence, what is damaged in one each. */
export function leftOutWords(left: readonly LeftOut[]): string[] {
  const missing = left.flatMap(({ name, reason }) => (reason === null ? [name] : []))
  const words = left.flatMap(({ name, reason }) => (reason === null ? [] : [`Not learned from ${name}: ${reason}`]))
  if (missing.length === 0) return words
  const names = missing.join(', ')
  return [`Not learned from ${names}, since the image is missing; find the file and train again.`, ...words]
}
