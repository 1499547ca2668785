import type { ComputeProgress, ComputeSlice } from '../../core/contract/compute.ts'
import { CodedError } from '../../core/contract/errors.ts'
import type { Job } from '../../core/contract/schemas.ts'
import type { PlaneView } from '../../core/geometry/index.ts'
import type { ImageVolume } from '../../imaging/index.ts'
import type { ComputePort, ComputeResult } from '../compute/port.ts'
import type { EventHub } from '../events.ts'
import type { Jobs, RunningJob } from '../jobs/jobs.ts'
import { cancelled, priorities, untilAborted, waitingWords, type Lane } from '../jobs/lane.ts'
import type { Owner } from '../jobs/owners.ts'
import type { ModelRecord, Models } from '../models/models.ts'
import { refuseSlide, type CaseRecord, type Cases } from '../project/cases.ts'
import type { Labels } from '../project/labels.ts'
import { labelsFromCompute, networkLayout, sliceForCompute } from '../volume/computeSlices.ts'
import type { Looks } from '../volume/looks.ts'
import type { Volumes } from '../volume/volumes.ts'
import type { PredictedSlice, Predictions } from './predictions.ts'

/** Pixels that go to compute in one batch, about; a batch is what a cancel has to wait for. */
const BATCH_PIXELS = 2 ** 18

export interface PredictorParts {
  readonly cases: Cases
  readonly labels: Labels
  readonly models: Models
  readonly volumes: Volumes
  readonly looks: Looks
  readonly predictions: Predictions
  readonly jobs: Jobs
  readonly lane: Lane
  readonly compute: ComputePort
  readonly events: EventHub
  readonly touched: (caseId: string) => void
  readonly slicesChanged: (caseId: string) => void
}

interface PredictedImage {
  readonly volume: ImageVolume
  readonly layout: PlaneView
  /** Scaled intensities that become 0 and 1. */
  readonly range: { readonly low: number; readonly high: number }
}

interface ActivePrediction {
  readonly job: RunningJob
  readonly modelId: string
  /** Slices still to do, the next one first. */
  readonly remaining: number[]
  /** Slices of the case. */
  readonly total: number
  /** The slice that somebody looks at: done next, and alone. */
  urgent: number | null
  finished: Promise<void>
}

/** Predicts cases with the active model: the slice on screen first and alone, then outwards from it. */
export class Predictor {
  readonly #parts: PredictorParts
  readonly #active = new Map<string, ActivePrediction>()

  constructor(parts: PredictorParts) {
    this.#parts = parts
  }

  /**
   * Starts predicting, or, where this case is being predicted with this model already, moves the slice to the front;
   * the owners then wait for that job too. Throws CodedError: `no-model`, `not-found`, `bad-request`.
   */
  start(caseId: string, index: number, owners: readonly Owner[]): Job {
    const { cases, models, jobs } = this.#parts
    const record = cases.get(caseId)
    refuseSlide(record)
    const count = record.dims[record.trainingAxis]
    if (index >= count) throw new CodedError('bad-request', `There is no slice ${index}.`)
    const model = models.active()
    if (model === null) {
      throw new CodedError(
        'no-model',
        'This project has no model yet; correct a few slices by brush, then press Retrain to make one.',
      )
    }
    const active = this.#active.get(caseId)
    if (active?.modelId === model.id && !active.job.signal.aborted) {
      bringToFront(active, index)
      for (const owner of owners) active.job.owners.add(owner)
      return active.job.job
    }
    const waiting = [...(active?.job.signal.aborted === false ? active.job.owners.all() : []), ...owners]
    // Made with the model before: its result would be old at once.
    active?.job.cancel()
    const job = jobs.create('predict', caseId, progressWords(0, count), waiting)
    const started: ActivePrediction = {
      job,
      modelId: model.id,
      remaining: outwardsFrom(index, count),
      total: count,
      urgent: index,
      finished: Promise.resolve(),
    }
    this.#active.set(caseId, started)
    started.finished = this.#run(started, record, model)
    return job.job
  }

  /** As `start`, where nobody waits for an answer: what cannot be predicted, or not any more, is left. */
  offer(caseId: string, index: number, owners: readonly Owner[]): void {
    try {
      this.start(caseId, index, owners)
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
    }
  }

  /** Cancels what predicts this case, or everything, and waits for the end of it. */
  async stop(caseId: string | null = null): Promise<void> {
    const stopped = [...this.#active].filter(([id]) => caseId === null || id === caseId).map(([, active]) => active)
    for (const active of stopped) active.job.cancel()
    await Promise.all(stopped.map((active) => active.finished))
  }

  async #run(active: ActivePrediction, record: CaseRecord, model: ModelRecord): Promise<void> {
    const { volumes, looks } = this.#parts
    const { job, remaining, total } = active
    try {
      await volumes.use(record.id, async (volume, ended) => {
        const layout = networkLayout(volume.dims, volume.affine, volume.spacing)
        job.start(progressWords(0, total))
        // Of all voxels, so that the same image gives the same prediction; a new one waits for its last voxel.
        if (record.range === null) job.progress({ message: 'reading the image…' })
        const range = await untilAborted(looks.range(record.id), AbortSignal.any([job.signal, ended]))
        const startedAt = performance.now()
        // Slices, and parts of the ones that compute is at.
        const tell = (done: number): void =>
          job.progress({
            progress: done / total,
            message: progressWords(done, total),
            secondsLeft: done > 0 ? ((performance.now() - startedAt) / 1000 / done) * (total - done) : null,
          })
        const image = { volume, layout, range }
        while (remaining.length > 0) {
          await this.#batch(active, record, model, image, tell)
          tell(total - remaining.length)
        }
        job.done(`${total} of ${total} slices`)
      })
    } catch (error) {
      const failed = job.fail(error)
      if (failed.code === 'file-missing') this.#parts.touched(record.id)
    } finally {
      if (this.#active.get(record.id) === active) this.#active.delete(record.id)
    }
  }

  async #batch(
    active: ActivePrediction,
    record: CaseRecord,
    model: ModelRecord,
    { volume, layout, range }: PredictedImage,
    tell: (done: number) => void,
  ): Promise<void> {
    const { cases, labels, predictions, events, lane, touched, slicesChanged } = this.#parts
    const { job, remaining } = active
    const priority = active.urgent !== null ? priorities.visibleSlice : priorities.volume
    let revision = 0
    const words = waitingWords(lane)
    if (words !== null) job.progress({ message: words, secondsLeft: null })
    const { indices, answer } = await lane.run(priority, job.signal, async () => {
      if (words !== null) tell(active.total - remaining.length)
      // Chosen when the turn comes, since another slice may have come on screen while this waited.
      const alone = active.urgent !== null
      active.urgent = null
      const indices = remaining.slice(0, alone ? 1 : batchSize(layout.width * layout.height))
      revision = cases.find(record.id)?.revision ?? 0
      const slices = await Promise.all(
        indices.map((index) => sliceForCompute(volume, layout, index, range, job.signal)),
      )
      const done = active.total - remaining.length
      const onProgress = ({ step, steps }: ComputeProgress): void => tell(done + (indices.length * step) / steps)
      return { indices, answer: await this.#predict(model, slices, { signal: job.signal, onProgress }) }
    })
    if (job.signal.aborted) throw cancelled()
    const lut = Uint8Array.from({ length: 256 }, (_, value) => (labels.isCurrent(value) ? value : 0))
    const slices = answer.slices.map(({ index, labels: found, entropy }): PredictedSlice => ({
      index,
      data: labelsFromCompute(found, layout).map((label) => lut[label] ?? 0),
      ...(entropy === undefined ? {} : { uncertainty: labelsFromCompute(entropy, layout) }),
    }))
    const before = predictions.indices(record.id).length
    predictions.store(record.id, model.id, revision, slices)
    for (const index of indices) remaining.splice(remaining.indexOf(index), 1)
    events.emit('prediction.slices', {
      caseId: record.id,
      modelId: model.id,
      axis: layout.sliceAxis,
      revision,
      slices,
    })
    if (predictions.indices(record.id).length !== before) slicesChanged(record.id)
    if (before === 0) touched(record.id)
  }

  /** A crash of compute costs one batch, which is asked for once more: compute is started again by its owner. */
  async #predict(
    model: ModelRecord,
    slices: ComputeSlice[],
    options: { signal: AbortSignal; onProgress: (progress: ComputeProgress) => void },
  ): Promise<ComputeResult<'predict'>> {
    const { compute } = this.#parts
    const ask = (): Promise<ComputeResult<'predict'>> =>
      compute.call('predict', { modelDir: model.dir, slices, entropy: true }, options)
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'compute-crashed' || options.signal.aborted) throw error
      return await ask()
    }
  }
}

/** `done` slices of `total`, parts of slices included. */
function progressWords(done: number, total: number): string {
  return done < 1 ? 'first slice…' : `slice ${Math.floor(done)} of ${total}`
}

function batchSize(pixels: number): number {
  return Math.min(16, Math.max(1, Math.round(BATCH_PIXELS / pixels)))
}

/** index, index + 1, index - 1, index + 2 …: what the user scrolls to next comes next. */
function outwardsFrom(index: number, count: number): number[] {
  return Array.from({ length: count }, (_, slice) => slice).sort(
    (a, b) => Math.abs(a - index) - Math.abs(b - index) || b - a,
  )
}

function bringToFront(active: ActivePrediction, index: number): void {
  const at = active.remaining.indexOf(index)
  if (at < 0) return
  active.remaining.splice(at, 1)
  active.remaining.unshift(index)
  active.urgent = index
}
