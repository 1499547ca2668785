import { randomUUID } from 'node:crypto'
import { CodedError } from '../../core/contract/errors.ts'
import type { MethodParams } from '../../core/contract/methods.ts'
import type { Job } from '../../core/contract/schemas.ts'
import type { Masks } from '../annotation/masks.ts'
import type { ComputePort } from '../compute/port.ts'
import { trainingCrashed } from '../compute/words.ts'
import type { EventHub } from '../events.ts'
import type { Jobs, RunningJob } from '../jobs/jobs.ts'
import { priorities, waitingWords, type Lane } from '../jobs/lane.ts'
import type { Owner } from '../jobs/owners.ts'
import type { ModelRecord, Models } from '../models/models.ts'
import type { Predictor } from '../prediction/predictor.ts'
import type { Cases } from '../project/cases.ts'
import type { Labels } from '../project/labels.ts'
import type { Project } from '../project/project.ts'
import type { Looks } from '../volume/looks.ts'
import type { Volumes } from '../volume/volumes.ts'
import { chooseSlices, gatherSamples, type GatheredSamples, type SliceChoice } from './samples.ts'

type TrainParams = MethodParams<'train.start'>

export interface TrainerParts {
  readonly project: Project
  readonly cases: Cases
  readonly labels: Labels
  readonly masks: Masks
  readonly volumes: Volumes
  readonly looks: Looks
  readonly models: Models
  readonly predictor: Predictor
  readonly jobs: Jobs
  readonly lane: Lane
  readonly compute: ComputePort
  readonly events: EventHub
  /** Every case's summary may have changed. */
  readonly learned: () => void
  readonly log: (line: string) => void
}

/** One click on Retrain: learns the corrected slices, makes the next model version, and shows what it sees. */
export class Trainer {
  readonly #parts: TrainerParts
  #running: { job: RunningJob; finished: Promise<void> } | null = null

  constructor(parts: TrainerParts) {
    this.#parts = parts
  }

  /** Throws CodedError: `busy` while another training runs, `nothing-to-train` without labels or corrected slices. */
  start(params: TrainParams, owners: readonly Owner[]): Job {
    const { project, labels, models, jobs } = this.#parts
    if (this.#running !== null) {
      throw new CodedError('busy', 'A training is running already; wait for it, or cancel it first.')
    }
    const active = models.active()
    // What was imported cannot learn: a network of our own begins beside it.
    const parent = active?.card.onnx === undefined ? active : null
    const choice = chooseSlices(project.db, parent?.id ?? null)
    if (choice.length === 0) {
      throw new CodedError('nothing-to-train', 'No slice is corrected yet; correct one by brush, then press Retrain.')
    }
    if (labels.list().length === 0) {
      throw new CodedError('nothing-to-train', 'The project has no label yet; add one and draw it, then press Retrain.')
    }
    const job = jobs.create('train', null, 'reading the corrected slices', owners)
    this.#running = { job, finished: this.#run(job, params, parent, choice) }
    return job.job
  }

  async stop(): Promise<void> {
    this.#running?.job.cancel()
    await this.#running?.finished
  }

  async #run(
    job: RunningJob,
    params: TrainParams,
    parent: ModelRecord | null,
    choice: readonly SliceChoice[],
  ): Promise<void> {
    const { models, events, predictor, learned } = this.#parts
    // After `start` has answered: a listener must not hear of a job that nobody has been told of.
    await Promise.resolve()
    try {
      job.start('reading the corrected slices')
      const model = await this.#train(job, params, parent, choice)
      this.#running = null
      events.emit('models.changed', { models: models.list() })
      learned()
      job.done(`version ${model.version} is ready`, model.id)
      if (params.show !== null) predictor.start(params.show.caseId, params.show.index, job.owners.all())
    } catch (error) {
      this.#running = null
      job.fail(inWords(error))
    }
  }

  /** A folder that cannot be removed now is removed before the next training. */
  #tidy(): void {
    try {
      this.#parts.models.removeLeftOvers()
    } catch (error) {
      this.#parts.log(`models: ${String(error)}`)
    }
  }

  async #train(
    job: RunningJob,
    params: TrainParams,
    parent: ModelRecord | null,
    choice: readonly SliceChoice[],
  ): Promise<{ id: string; version: number }> {
    const { project, models, events, lane, compute } = this.#parts
    const { samples, learned, leftOut } = await gatherSamples({ ...this.#parts, db: project.db }, choice, job.signal)
    for (const message of leftOutWords(leftOut)) events.emit('notice', { level: 'warning', message })
    if (!samples.some((sample) => sample.role === 'corrected')) {
      throw new CodedError(
        'nothing-to-train',
        'None of the images of the corrected slices can be read; find or replace the files first.',
      )
    }
    let lastStep = 0
    const words = waitingWords(lane)
    if (words !== null) job.progress({ message: words })
    // Registered, or tidied up, before the next one's turn: a model that is imported would clear the folder away, and take
    // the same version.
    return await lane.run(priorities.training, job.signal, async () => {
      models.removeLeftOvers()
      const version = models.nextVersion()
      // Until the first step is done, which takes a while on some computers.
      job.progress({ message: 'first step…' })
      const order = {
        parentDir: parent?.dir ?? null,
        outDir: models.dirOf(version),
        modelId: randomUUID(),
        name: parent?.card.name ?? project.name,
        createdAt: new Date().toISOString(),
        labels: this.#modelLabels(parent),
        samples,
        steps: params.steps,
        seconds: params.seconds,
        seed: params.seed,
        recipe: 'interactive',
      }
      try {
        await compute.call('train', order, {
          signal: job.signal,
          onProgress: ({ step, steps, point, secondsLeft }) => {
            if (step < lastStep) job.again()
            lastStep = step
            job.progress(
              { progress: Math.min(1, step / steps), message: `step ${step} of ${steps}`, secondsLeft },
              point,
            )
          },
        })
        return models.register(version, parent?.id ?? null, learned)
      } catch (error) {
        this.#tidy()
        throw error
      }
    })
  }

  /** Those of the parent, so that its head keeps its meaning, then what was added since. */
  #modelLabels(parent: ModelRecord | null): { value: number; name: string }[] {
    const known = parent?.card.labels ?? []
    const values = new Set(known.map((label) => label.value))
    const added = this.#parts.labels.list().filter((label) => !values.has(label.value))
    return [...known, ...added.map(({ value, name }) => ({ value, name }))]
  }
}

function inWords(error: unknown): unknown {
  return error instanceof CodedError && error.code === 'compute-crashed' ? trainingCrashed(error) : error
}

/** What was not learned from, and why: those that are missing in one sentence, what is damaged in one each. */
function leftOutWords(leftOut: GatheredSamples['leftOut']): string[] {
  const missing = leftOut.flatMap(({ name, reason }) => (reason === null ? [name] : []))
  const words = leftOut.flatMap(({ name, reason }) => (reason === null ? [] : [`Not learned from ${name}: ${reason}`]))
  if (missing.length === 0) return words
  const names = missing.join(', ')
  return [`Not learned from ${names}, since the image is missing; find the file and train again.`, ...words]
}
