import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { RecipeOrder } from '../../core/contract/compute.ts'
import { CodedError } from '../../core/contract/errors.ts'
import type { RecipeTraining } from '../../core/contract/projectRecipe.ts'
import type { RecipeEvent } from '../../core/contract/recipes.ts'
import type { Job, ModelSummary } from '../../core/contract/schemas.ts'
import type { ComputePort } from '../compute/port.ts'
import { recipeTrainingCrashed } from '../compute/words.ts'
import { storageError } from '../errors.ts'
import type { EventHub } from '../events.ts'
import type { Jobs, RunningJob } from '../jobs/jobs.ts'
import { priorities, waitingWords, type Lane } from '../jobs/lane.ts'
import type { Owner } from '../jobs/owners.ts'
import type { Holdout } from '../models/holdout.ts'
import type { Models } from '../models/models.ts'
import type { Promotion } from '../models/promotion.ts'
import { readModelFolder } from '../models/folder.ts'
import type { Labels } from '../project/labels.ts'
import type { Project } from '../project/project.ts'
import type { Choices } from './choices.ts'
import { dataFilesOf, type DataFile } from './learnedFiles.ts'
import { learnedOfFiles, learnedOfReport, seenCases, type SeenCase } from './learnedSlices.ts'
import { otherPreset } from './otherPreset.ts'
import { recipeProgress } from './recipeProgress.ts'
import { TrainingRecord } from './trainingRecord.ts'

export interface RecipeTrainerParts {
  readonly project: Project
  readonly labels: Labels
  readonly models: Models
  readonly holdout: Holdout
  readonly promotion: Promotion
  readonly choices: Choices
  readonly jobs: Jobs
  readonly lane: Lane
  readonly compute: ComputePort
  readonly events: EventHub
  readonly log: (line: string) => void
}

/** How the project was when the training, or the rest of it, began. */
interface Begun {
  readonly seen: readonly SeenCase[]
  readonly activeId: string | null
  readonly files: readonly DataFile[] | null
}

/** Trains by a recipe, one training at a time; one that is cut off waits until it is resumed or given up. */
export class RecipeTrainer {
  readonly #parts: RecipeTrainerParts
  readonly #folder: string
  #record: TrainingRecord | null
  #running: { readonly job: RunningJob; readonly finished: Promise<void> } | null = null

  constructor(parts: RecipeTrainerParts) {
    this.#parts = parts
    this.#folder = join(parts.project.dir, 'trainings')
    this.#record = TrainingRecord.find(this.#folder, (modelId) => parts.models.strayOf(modelId))
  }

  /** The one that runs, or ran last. */
  state(): RecipeTraining | null {
    return this.#record?.state ?? null
  }

  /**
   * Throws CodedError: `busy` while one runs, `conflict` where an interrupted one waits and is not to be replaced, or a label
   * of the project means something else than that of the recipe.
   */
  start(order: RecipeOrder, replace: boolean, owners: readonly Owner[]): Job {
    this.#refuseRunning()
    if (this.#record?.state.state === 'interrupted' && !replace) {
      throw new CodedError(
        'conflict',
        'A training was interrupted and can be resumed; resume it, or say that a new one takes its place.',
      )
    }
    this.#refuseOtherLabels(order.recipe.name, order.recipe.classes)
    const job = this.#parts.jobs.create('recipe', null, 'looking through the data', owners)
    let record: TrainingRecord
    try {
      record = TrainingRecord.begin(this.#folder, order, job.job.id)
    } catch (error) {
      job.fail(error)
      throw error
    }
    // What one that waits has learned goes only when another stands in its place.
    this.#tidy(() => this.#forget())
    this.#begin(job, record, false)
    return job.job
  }

  /**
   * `dataDir`: where the data lies by now; null: where it was. Throws CodedError: `busy` while one runs, `not-found` where none
   * waits, what the disk says.
   */
  resume(dataDir: string | null, owners: readonly Owner[]): Job {
    this.#refuseRunning()
    const record = this.#interrupted()
    if (dataDir !== null) record.moveTo(dataDir)
    const job = this.#parts.jobs.create('recipe', null, 'looking through the data', owners)
    record.set({ jobId: job.job.id, state: 'queued', scoring: null, error: null })
    this.#begin(job, record, true)
    return job.job
  }

  /** Throws CodedError: `busy` while one runs, `not-found` where none waits. */
  discard(): void {
    this.#refuseRunning()
    this.#interrupted()
    this.#forget()
    this.#changed()
  }

  async stop(): Promise<void> {
    this.#running?.job.cancel()
    await this.#running?.finished
  }

  #refuseRunning(): void {
    if (this.#running === null) return
    throw new CodedError('busy', 'A training is running already; wait for it, or cancel it first.')
  }

  #interrupted(): TrainingRecord {
    if (this.#record?.state.state === 'interrupted') return this.#record
    throw new CodedError('not-found', 'No training was interrupted; start one.')
  }

  #refuseOtherLabels(recipe: string, meant: readonly { readonly value: number; readonly name: string }[]): void {
    const { labels, choices } = this.#parts
    if (choices.isFrom(recipe)) return
    const same = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase()
    for (const { value, name } of meant) {
      const known = labels.isCurrent(value) || labels.isArchived(value)
      if (!known || same(labels.nameOf(value), name)) continue
      throw new CodedError(
        'conflict',
        `Label ${value} of this project is "${labels.nameOf(value)}", that of the recipe "${name}"; ` +
          'rename it, or make a new project from the recipe.',
      )
    }
  }

  #forget(): void {
    this.#record?.remove()
    this.#record = null
  }

  #begin(job: RunningJob, record: TrainingRecord, resume: boolean): void {
    this.#record = record
    this.#running = { job, finished: this.#run(job, record, resume) }
  }

  async #run(job: RunningJob, record: TrainingRecord, resume: boolean): Promise<void> {
    const { events, labels } = this.#parts
    // After the call has answered: a listener must not hear of a job that nobody has been told of.
    await Promise.resolve()
    try {
      record.set({ state: 'running' })
      job.start(waitingWords(this.#parts.lane) ?? 'looking through the data')
      this.#changed()
      const model = await this.#train(job, record, resume)
      record.set({ state: 'done', modelId: model.id })
      this.#tidy(() => record.remove())
      this.#running = null
      events.emit('labels.changed', { labels: labels.list() })
      job.done(await this.#settle(job, model), model.id)
    } catch (error) {
      this.#running = null
      this.#end(job, record, error)
    }
    this.#changed()
  }

  /** Held against the one in use; where that cannot be done the training is done all the same. Gives what the job says in the end. */
  async #settle(job: RunningJob, { id, version }: ModelSummary): Promise<string> {
    const { promotion, log } = this.#parts
    const tell = (progress: number, message: string): void => job.progress({ progress, message, secondsLeft: null })
    try {
      const { active, judged } = await promotion.settle(id, { signal: job.signal, tell })
      return active ? `version ${version} is ready` : `version ${version} is kept aside: ${judged?.reason ?? ''}`
    } catch (error) {
      log(`trainings: ${String(error)}`)
      return `version ${version} is ready, and not compared with the one in use yet`
    }
  }

  /** It waits to be resumed where there is something to go on from. */
  #end(job: RunningJob, record: TrainingRecord, thrown: unknown): void {
    const { code, message } = job.fail(inWords(thrown, record.canResume))
    const cancelled = job.job.state === 'cancelled'
    const error = cancelled ? null : { code, message }
    if (record.canResume) {
      record.set({ state: 'interrupted', error })
      return
    }
    record.set({ state: cancelled ? 'cancelled' : 'failed', error })
    this.#tidy(() => record.remove())
  }

  /** The training has ended, whatever becomes of this. */
  #tidy(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#parts.log(`trainings: ${String(error)}`)
    }
  }

  async #train(job: RunningJob, record: TrainingRecord, resume: boolean): Promise<ModelSummary> {
    const { lane, choices, models, project } = this.#parts
    return lane.run(priorities.training, job.signal, async () => {
      job.progress({ message: 'looking through the data' })
      const files = await this.#files(job, record)
      // What a person does while it trains is not what it learned, and a version that is chosen meanwhile stays in use.
      const begun = { seen: seenCases(project.db), activeId: models.activeId(), files }
      this.#warnOfHoldout(begun)
      if (!record.isWritten) await this.#compute(job, record, resume)
      const model = this.#takeOver(record, begun)
      this.#tidy(() => choices.keep(record.order))
      return model
    })
  }

  /** Null where the data are gone by now, and what was learned from them only has to become a version. */
  async #files(job: RunningJob, record: TrainingRecord): Promise<DataFile[] | null> {
    const tell = (done: number, of: number): void => {
      job.progress({ message: `looking through the data: case ${Math.min(done + 1, of)} of ${of}` })
    }
    try {
      return await dataFilesOf(this.#parts.compute, record.order, { signal: job.signal, tell })
    } catch (error) {
      if (job.signal.aborted || !record.isWritten) throw error
      this.#parts.log(`training ${record.id}: ${String(error)}`)
      return null
    }
  }

  /** Before hours are spent on it. */
  #warnOfHoldout({ seen, files }: Begun): void {
    const { holdout, events } = this.#parts
    const aside = holdout.caseIds()
    const learned = files === null ? [] : learnedOfFiles(seen, files)
    const names = learned.flatMap(({ caseId, name }) => (aside.has(caseId) ? [name] : []))
    if (names.length === 0) return
    const message =
      `This training learns from ${names.join(', ')}, of the hold-out, so its version will be kept aside; ` +
      'choose other cases for the hold-out, or take their files out of the data.'
    events.emit('notice', { level: 'warning', message })
  }

  async #compute(job: RunningJob, record: TrainingRecord, resume: boolean): Promise<void> {
    const { compute, models } = this.#parts
    const progress = recipeProgress(job)
    const clash = new AbortController()
    let wrong: unknown = null
    const other = await otherPreset(models, record.order)
    const compare = other === null ? [] : [other]
    const call = (again: boolean): Promise<unknown> =>
      compute.call(
        'trainRecipe',
        { ...record.order, resume: again, pictures: true, compare },
        {
          signal: AbortSignal.any([job.signal, clash.signal]),
          onProgress: ({ event, step, steps, secondsLeft }) => {
            if (event === undefined) {
              progress.steps({ step, steps, secondsLeft })
              return
            }
            try {
              if (event.event === 'start') this.#refuseOtherLabels(event.recipe, event.labels)
            } catch (error) {
              wrong = error
              clash.abort()
              return
            }
            progress.event(event)
            this.#tell(job, record, event)
          },
        },
      )
    try {
      await call(resume && existsSync(`${record.modelDir}.training`)).catch((error: unknown) => {
        // Another rung took over after some epochs, and was asked the same again.
        if (!(error instanceof CodedError) || error.code !== 'conflict' || !record.canResume) throw error
        return call(true)
      })
    } catch (error) {
      throw wrong ?? error
    }
  }

  #tell(job: RunningJob, record: TrainingRecord, event: RecipeEvent): void {
    const { events, log } = this.#parts
    try {
      record.note(event)
    } catch (error) {
      // Of use after a restart alone; the training itself says when the disk is full.
      log(`training ${record.id}: ${String(error)}`)
    }
    events.emit('recipe.event', { trainingId: record.id, jobId: job.job.id, event })
  }

  /** The model becomes the next version. Killed in between, it is taken over when the training is resumed. */
  #takeOver(record: TrainingRecord, { seen, activeId, files }: Begun): ModelSummary {
    const { models, labels, project, promotion, holdout } = this.#parts
    const card = readModelFolder(record.modelDir)
    this.#refuseOtherLabels(record.order.recipe.name, card.labels)
    models.removeLeftOvers()
    const version = models.nextVersion()
    const dir = models.dirOf(version)
    try {
      mkdirSync(project.folders.models, { recursive: true })
      renameSync(record.modelDir, dir)
    } catch (error) {
      throw storageError(error, dir)
    }
    const { recipe, preset, settings, limit, seed } = record.order
    const { chosenBy } = holdout.get()
    const learned =
      files === null
        ? learnedOfReport(seen, dir, chosenBy === 'recipe' ? holdout.caseIds() : new Set())
        : learnedOfFiles(seen, files)
    try {
      return promotion.admit({
        ...{ activeId, version, parentId: null, mode: 'recipe', correctionBefore: null, correctionAfter: null },
        settings: { recipe: recipe.name, preset, limit, seed, ...settings },
        learned: learned.flatMap((one) => one.learned),
        data: learned.map(({ learned: _, ...one }) => one),
        also: () => {
          for (const { value, name } of card.labels) labels.adopt(value, name)
        },
      })
    } catch (error) {
      labels.reload()
      renameSync(dir, record.modelDir)
      throw error
    }
  }

  #changed(): void {
    this.#parts.events.emit('recipe.changed', { trainingId: this.#record?.id ?? null })
  }
}

function inWords(error: unknown, canResume: boolean): unknown {
  if (!(error instanceof CodedError) || error.code !== 'compute-crashed') return error
  return recipeTrainingCrashed(error, canResume)
}
