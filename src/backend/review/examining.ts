import { setTimeout as delay } from 'node:timers/promises'
import type { ComputeSlice } from '../../core/contract/compute.ts'
import { CodedError } from '../../core/contract/errors.ts'
import type { Job } from '../../core/contract/schemas.ts'
import type { ExaminedSlice } from '../../core/learning/ranking.ts'
import type { ComputePort, ComputeResult } from '../compute/port.ts'
import type { Jobs } from '../jobs/jobs.ts'
import { priorities, untilAborted, type Lane } from '../jobs/lane.ts'
import type { Holdout } from '../models/holdout.ts'
import type { ModelRecord } from '../models/models.ts'
import { spread } from '../models/spread.ts'
import type { CaseRecord, Cases } from '../project/cases.ts'
import type { Database } from '../project/database.ts'
import { networkLayout, sliceForCompute } from '../volume/computeSlices.ts'
import type { Looks } from '../volume/looks.ts'
import type { Volumes } from '../volume/volumes.ts'
import type { Examined } from './examined.ts'
import { teachingSlices } from './teaching.ts'

/** Pixels of the slices that one ranking asks about: spread over all of them where there are more. The next asks about others. */
const PIXELS = 2 ** 27
/** Slices that tell what the model knows already, spread over all of them. */
const KNOWN = 256
/** Pixels that go to compute at once, about: what is lost where somebody else goes first. */
const BATCH_PIXELS = 2 ** 17

export interface ExaminingParts {
  readonly db: Database
  readonly cases: Cases
  readonly volumes: Volumes
  readonly looks: Looks
  readonly holdout: Holdout
  readonly examined: Examined
  readonly jobs: Jobs
  readonly lane: Lane
  readonly compute: ComputePort
}

/** Jobs that compute: between two of their turns nothing is asked. */
const COMPUTING: ReadonlySet<Job['kind']> = new Set(['predict', 'train', 'judge', 'recipe'])
/** So often it is looked whether they have ended. */
const WAIT_MS = 50

/** How it goes: so many slices more are done, or it waits for others. */
export type Tell = (slices: number, waiting: boolean) => void

/** What is still to be asked of a case. */
export interface Examination {
  readonly record: CaseRecord
  /** Ascending. */
  readonly slices: readonly number[]
  /** How far predictions of the turned slice differ is asked too. */
  readonly disagreement: boolean
}

/**
 * What a model is to be asked: slices that nobody has said anything of, of these cases or of all (null), and what it learned from or
 * would learn next, so that it is known what is new. What it was asked before is not asked again.
 */
export function planExamination(
  { db, cases, holdout, examined }: ExaminingParts,
  modelId: string,
  caseIds: ReadonlySet<string> | null,
): Examination[] {
  const heldOut = holdout.caseIds()
  const known = examined.known(modelId)
  const settled = examined.settled()
  const there = cases.list().filter(({ id, kind }) => kind !== 'slide' && !heldOut.has(id) && !cases.missing.has(id))
  const open = there
    .filter(({ id }) => caseIds === null || caseIds.has(id))
    .flatMap((record) =>
      Array.from({ length: record.dims[record.trainingAxis] }, (_, slice) => ({ record, slice })).filter(
        ({ slice }) => settled.get(record.id)?.has(slice) !== true && known.get(record.id)?.has(slice) !== true,
      ),
    )
  const pixels = open.reduce((sum, { record }) => sum + pixelsOf(record), 0)
  const wanted = spread(open, Math.max(1, Math.floor((open.length * Math.min(pixels, PIXELS)) / Math.max(1, pixels))))
  const records = new Map(there.map((record) => [record.id, record]))
  const teaching = spread(teachingSlices(db, modelId), KNOWN).flatMap(({ caseId, slice }) => {
    const record = records.get(caseId)
    return record === undefined || known.get(caseId)?.has(slice) === true ? [] : [{ record, slice }]
  })
  return [...byCase(teaching, false), ...byCase(wanted, true)]
}

function byCase(
  slices: readonly { readonly record: CaseRecord; readonly slice: number }[],
  disagreement: boolean,
): Examination[] {
  const found = new Map<CaseRecord, number[]>()
  for (const { record, slice } of slices) found.set(record, [...(found.get(record) ?? []), slice])
  return [...found].map(([record, indices]) => ({ record, slices: indices.sort((a, b) => a - b), disagreement }))
}

function pixelsOf({ dims, trainingAxis }: CaseRecord): number {
  return (dims[0] * dims[1] * dims[2]) / dims[trainingAxis]
}

/**
 * Asks of one case and keeps what is answered, batch by batch; A case that cannot be read,
 * or is taken off the worklist meanwhile, is left out. Throws CodedError: `cancelled`, and as compute does.
 */
export async function examineCase(
  parts: ExaminingParts,
  model: ModelRecord,
  { record, slices, disagreement }: Examination,
  signal: AbortSignal,
  tell: Tell,
): Promise<void> {
  const { cases, volumes, looks, examined } = parts
  const { id: caseId } = record
  let done = 0
  try {
    await volumes.use(caseId, async (volume, ended) => {
      const either = AbortSignal.any([signal, ended])
      const layout = networkLayout(volume.dims, volume.affine, volume.spacing)
      const range = await untilAborted(looks.range(caseId), either)
      const size = Math.max(1, Math.round(BATCH_PIXELS / (layout.width * layout.height)))
      while (done < slices.length) {
        const batch: ComputeSlice[] = []
        for (const index of slices.slice(done, done + size)) {
          batch.push(await sliceForCompute(volume, layout, index, range, either))
        }
        await whileOthersCompute(parts, either, () => tell(0, true))
        const answer = await examine(parts, model, batch, disagreement, either)
        // The same view of the image still? Else what was seen is not what will be shown.
        if (cases.get(caseId).selection.affine !== record.selection.affine) return
        examined.store(
          model.id,
          answer.map(({ index, score, features, ...slice }): ExaminedSlice => ({
            caseId,
            index,
            entropy: score,
            disagreement: slice.disagreement,
            features,
          })),
        )
        done += batch.length
        tell(batch.length, false)
      }
    })
  } catch (error) {
    if (signal.aborted) throw error
    const removed = cases.find(caseId)?.removed !== false
    // Cancelled by itself: the image is being looked at in another way.
    const unreadable = error instanceof CodedError && ['file-missing', 'bad-file', 'cancelled'].includes(error.code)
    if (!removed && !unreadable) throw error
  }
  tell(slices.length - done, false)
}

/** One turn at compute; whoever goes first ends it, and it is taken again. A crash of compute costs one batch, once. */
async function examine(
  parts: ExaminingParts,
  { dir: modelDir }: ModelRecord,
  slices: ComputeSlice[],
  disagreement: boolean,
  signal: AbortSignal,
): Promise<ComputeResult<'examine'>['slices']> {
  const { lane, compute } = parts
  let crashes = 0
  for (;;) {
    let gaveWay = false
    try {
      const answer = await lane.run(priorities.ranking, signal, async (wanted) => {
        wanted.addEventListener('abort', () => (gaveWay = true), { once: true })
        return compute.call(
          'examine',
          { modelDir, slices, disagreement },
          { signal: AbortSignal.any([signal, wanted]) },
        )
      })
      return answer.slices
    } catch (error) {
      if (signal.aborted || !(error instanceof CodedError)) throw error
      const again = error.code === 'cancelled' ? gaveWay : error.code === 'compute-crashed' && crashes++ === 0
      if (!again) throw error
      await whileOthersCompute(parts, signal)
    }
  }
}

/** Waits for the end of other jobs that compute; throws CodedError('cancelled'). */
async function whileOthersCompute({ jobs }: ExaminingParts, signal: AbortSignal, wait?: () => void): Promise<void> {
  const busy = (): boolean => jobs.live().some(({ job }) => COMPUTING.has(job.kind))
  if (busy()) wait?.()
  while (busy()) {
    await untilAborted(delay(WAIT_MS), signal)
  }
}
