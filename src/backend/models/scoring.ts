import { z } from 'zod'
import type { ComputeSlice, TrainingSample } from '../../core/contract/compute.ts'
import { learningComputeMethods } from '../../core/contract/computeLearning.ts'
import { CodedError } from '../../core/contract/errors.ts'
import { extractSlice } from '../../core/labelmap/index.ts'
import type { Masks } from '../annotation/masks.ts'
import type { ComputePort, ComputeResult } from '../compute/port.ts'
import { priorities, untilAborted, type Lane } from '../jobs/lane.ts'
import type { CaseRecord, Cases } from '../project/cases.ts'
import type { Database } from '../project/database.ts'
import { int, json, text } from '../project/rows.ts'
import { labelsForCompute, networkLayout, sliceForCompute, sliceGeometry } from '../volume/computeSlices.ts'
import type { Looks } from '../volume/looks.ts'
import type { Volumes } from '../volume/volumes.ts'
import type { Holdout } from './holdout.ts'
import type { ModelRecord } from './models.ts'
import { spread } from './spread.ts'

export interface ScoringParts {
  readonly db: Database
  readonly cases: Cases
  readonly masks: Masks
  readonly volumes: Volumes
  readonly looks: Looks
  readonly lane: Lane
  readonly compute: ComputePort
  readonly holdout: Holdout
}

export type Overlaps = ComputeResult<'score'>['slices'][number]['overlaps']

/** What each of the models predicted of a slice, in their order. */
export interface ScoredSlice {
  readonly slice: number
  /** The row of the journal that made its mask what it was scored on. */
  readonly changedSeq: number
  readonly overlaps: readonly Overlaps[]
}

export interface ScoredCase {
  readonly caseId: string
  readonly name: string
  readonly slices: readonly ScoredSlice[]
}

export interface Scored {
  readonly cases: readonly ScoredCase[]
  /** Names of cases whose image is missing or damaged. */
  readonly leftOut: readonly string[]
}

/** Of a case, spread evenly over those that could be: more say little that is new, and each takes its time. */
const SLICES_A_CASE = 32
/** Pixels that go to compute at once, about: what a slice that somebody looks at has to wait for. */
const BATCH_PIXELS = 2 ** 19

const overlapsSchema = learningComputeMethods.score.result.shape.slices.element.shape.overlaps

/**
 * Scores models on the hold-out, all of them on the very same masks. What is known of the same state of a slice is not computed
 * again. Throws CodedError: `cancelled`, and as compute does.
 */
export async function scoreHoldout(
  parts: ScoringParts,
  models: readonly ModelRecord[],
  signal: AbortSignal,
  tell: (share: number, words: string) => void,
): Promise<Scored> {
  const ids = [...new Set(parts.holdout.slices().map(({ caseId }) => caseId))]
  const cases: ScoredCase[] = []
  const leftOut: string[] = []
  for (const [at, caseId] of ids.entries()) {
    tell(at / ids.length, `scoring case ${at + 1} of ${ids.length}`)
    const record = parts.cases.find(caseId)
    if (record === null || record.removed) continue
    try {
      const slices = await scoreCase(parts, record, models, signal)
      if (slices.length > 0) cases.push({ caseId, name: record.name, slices })
    } catch (error) {
      if (signal.aborted || !(error instanceof CodedError)) throw error
      // Taken off the worklist while it was read.
      if (parts.cases.find(caseId)?.removed !== false) continue
      if (error.code !== 'file-missing' && error.code !== 'bad-file') throw error
      leftOut.push(record.name)
    }
  }
  return { cases, leftOut }
}

/** Scaled intensities that become 0 and 1. */
type Range = Pick<NonNullable<CaseRecord['range']>, 'low' | 'high'>

interface Wanted {
  readonly slice: number
  readonly changedSeq: number
  readonly state: string
}

async function scoreCase(
  parts: ScoringParts,
  record: CaseRecord,
  models: readonly ModelRecord[],
  signal: AbortSignal,
): Promise<ScoredSlice[]> {
  for (;;) {
    const range = await untilAborted(parts.looks.range(record.id), signal)
    const wanted = wantedSlices(parts, record.id, range)
    const known = models.map(({ id }) => knownScores(parts.db, id, record.id, wanted))
    const missing = wanted.filter(({ slice }) => known.some((scores) => !scores.has(slice)))
    const read = await readSlices(parts, record.id, missing, range, signal)
    // Drawn on meanwhile: models are held against the same mask, so all of the case is looked at again.
    if (read === null) continue
    for (const [at, model] of models.entries()) {
      const scores = known[at] ?? new Map<number, Overlaps>()
      const samples = read.filter(({ index }) => !scores.has(index))
      for (const batch of batches(samples)) {
        const answer = await ask(parts, model, batch, signal)
        for (const [i, { index }] of batch.entries()) scores.set(index, answer[i]?.overlaps ?? [])
        keepScores(parts.db, model.id, record.id, batch, wanted, scores)
      }
    }
    return wanted.map(({ slice, changedSeq }) => {
      return { slice, changedSeq, overlaps: known.map((scores) => scores.get(slice) ?? []) }
    })
  }
}

function wantedSlices({ holdout, cases }: ScoringParts, caseId: string, range: Range): Wanted[] {
  const { selection, trainingAxis } = cases.get(caseId)
  // Whatever else decides what the network sees: the voxels themselves do not change.
  const view = JSON.stringify([selection, trainingAxis, range.low, range.high])
  return spread(
    holdout.slices().filter((one) => one.caseId === caseId),
    SLICES_A_CASE,
  ).map(({ slice, changedSeq }): Wanted => ({ slice, changedSeq, state: `${changedSeq} ${view}` }))
}

/** Pictures and labels, or null where a slice is in another state by now. */
async function readSlices(
  parts: ScoringParts,
  caseId: string,
  wanted: readonly Wanted[],
  range: Range,
  signal: AbortSignal,
): Promise<TrainingSample[] | null> {
  if (wanted.length === 0) return []
  const { volumes, masks } = parts
  const { images, layout, geometry } = await volumes.use(caseId, async (volume, ended) => {
    const layout = networkLayout(volume.dims, volume.affine, volume.spacing)
    const either = AbortSignal.any([signal, ended])
    const images: ComputeSlice[] = []
    for (const { slice } of wanted) images.push(await sliceForCompute(volume, layout, slice, range, either))
    return { images, layout, geometry: sliceGeometry(volume, layout) }
  })
  return masks.use(caseId, (mask) => {
    const now = new Map(wantedSlices(parts, caseId, range).map(({ slice, state }) => [slice, state]))
    if (wanted.some(({ slice, state }) => now.get(slice) !== state)) return null
    return images.map((image): TrainingSample => {
      const stored = extractSlice(mask.labels, mask.dims, layout.sliceAxis, image.index)
      return { ...image, labels: labelsForCompute(stored, layout), role: 'corrected', geometry }
    })
  })
}

/** A crash of compute costs one batch, which is asked for once more: compute is started again by its owner. */
async function ask(
  { lane, compute }: ScoringParts,
  { dir: modelDir }: ModelRecord,
  samples: TrainingSample[],
  signal: AbortSignal,
): Promise<ComputeResult<'score'>['slices']> {
  const call = (): Promise<ComputeResult<'score'>> =>
    lane.run(priorities.training, signal, () => compute.call('score', { modelDir, samples }, { signal }))
  const again = async (error: unknown): Promise<ComputeResult<'score'>> => {
    if (!(error instanceof CodedError) || error.code !== 'compute-crashed' || signal.aborted) throw error
    return call()
  }
  return (await call().catch(again)).slices
}

function knownScores(db: Database, modelId: string, caseId: string, wanted: readonly Wanted[]): Map<number, Overlaps> {
  const states = new Map(wanted.map(({ slice, state }) => [slice, state]))
  const rows = db.all('SELECT slice, state, overlaps FROM scores WHERE model_id = ? AND case_id = ?', modelId, caseId)
  return new Map(
    rows
      .filter((row) => states.get(int(row, 'slice')) === text(row, 'state'))
      .map((row) => [int(row, 'slice'), z.array(z.unknown()).pipe(overlapsSchema).parse(json(row, 'overlaps'))]),
  )
}

function keepScores(
  db: Database,
  modelId: string,
  caseId: string,
  samples: readonly TrainingSample[],
  wanted: readonly Wanted[],
  scores: ReadonlyMap<number, Overlaps>,
): void {
  const states = new Map(wanted.map(({ slice, state }) => [slice, state]))
  db.transaction(() => {
    for (const { index } of samples) {
      db.run(
        `INSERT INTO scores VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET state = excluded.state, overlaps = excluded.overlaps`,
        ...[modelId, caseId, index, states.get(index) ?? '', JSON.stringify(scores.get(index) ?? [])],
      )
    }
  })
}

function batches(samples: readonly TrainingSample[]): TrainingSample[][] {
  const all: TrainingSample[][] = []
  let pixels = Infinity
  for (const sample of samples) {
    const more = sample.width * sample.height
    if (pixels + more > BATCH_PIXELS) {
      all.push([])
      pixels = 0
    }
    pixels += more
    all.at(-1)?.push(sample)
  }
  return all
}
