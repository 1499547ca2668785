import { randomUUID } from 'node:crypto'
import { CodedError } from '../../core/contract/errors.ts'
import type { ComputeProgress, TrainingSample } from '../../core/contract/compute.ts'
import type { ModelSummary } from '../../core/contract/schemas.ts'
import type { ComputeParams, ComputePort } from '../compute/port.ts'
import type { EventHub } from '../events.ts'
import type { RunningJob } from '../jobs/jobs.ts'
import { priorities, waitingWords, type Lane } from '../jobs/lane.ts'
import type { ModelRecord, Models } from '../models/models.ts'
import type { Promotion } from '../models/promotion.ts'
import type { Labels } from '../project/labels.ts'
import type { Project } from '../project/project.ts'
import { chooseSlices } from './choosing.ts'
import { correctionDice } from './correction.ts'
import { leftOutWords } from './lessons.ts'
import { gatherSamples, type GatheredSamples, type SampleParts } from './samples.ts'

export interface VersionParts extends Omit<SampleParts, 'db'> {
  readonly project: Project
  readonly labels: Labels
  readonly models: Models
  readonly promotion: Promotion
  readonly lane: Lane
  readonly compute: ComputePort
  readonly events: EventHub
  readonly log: (line: string) => void
}

export interface Asked {
  readonly bounds: { readonly steps: number; readonly seconds: number; readonly seed: number }
  /** Of the job's progress, so much is the training. */
  readonly share: number
}

/** What the next version goes on from: what was imported cannot learn, so a network of our own begins beside it. */
export function trainedParent(active: ModelRecord | null): ModelRecord | null {
  return active?.card.onnx === undefined ? active : null
}

/** Those of the parent, so that its head keeps its meaning, then what was added since. */
export function modelLabels(parent: ModelRecord | null, labels: Labels): { value: number; name: string }[] {
  const known = parent?.card.labels ?? []
  const values = new Set(known.map((label) => label.value))
  const added = labels.list().filter((label) => !values.has(label.value))
  return [...known, ...added.map(({ value, name }) => ({ value, name }))]
}

/**
 * Trains the next version on what is corrected and approved now, and registers it: in use where nothing could judge it, else
 * waiting. Throws CodedError: `nothing-to-train`, `cancelled`, and what compute and disk say; no version is left then.
 */
export async function trainVersion(parts: VersionParts, job: RunningJob, asked: Asked): Promise<ModelSummary> {
  const { project, models, lane, events } = parts
  const { db } = project
  const activeId = models.activeId()
  const parent = trainedParent(models.active())
  const choice = chooseSlices(db, parent?.id ?? null, asked.bounds)
  const gathered = await gatherSamples({ ...parts, db }, choice, job.signal)
  for (const message of leftOutWords(gathered.leftOut)) events.emit('notice', { level: 'warning', message })
  refuseNothing(gathered)
  const words = waitingWords(lane)
  if (words !== null) job.progress({ message: words })
  // Registered, or tidied up, before the next one's turn: a model that is imported would clear the folder away, and take
  // the same version.
  return await lane.run(priorities.training, job.signal, () =>
    compute(parts, job, { ...asked, activeId, parent, gathered }),
  )
}

function refuseNothing({ samples, leftOut }: GatheredSamples): void {
  if (samples.some((sample) => sample.role === 'corrected')) return
  throw new CodedError(
    'nothing-to-train',
    leftOut.length > 0
      ? 'None of the images of the corrected slices can be read; find or replace the files first.'
      : 'Nothing is corrected any more; correct a slice by brush, then press Retrain.',
  )
}

interface Order extends Asked {
  readonly activeId: string | null
  readonly parent: ModelRecord | null
  readonly gathered: GatheredSamples
}

async function compute(parts: VersionParts, job: RunningJob, order: Order): Promise<ModelSummary> {
  const { models, promotion, project, labels, log } = parts
  const {
    parent,
    gathered,
    bounds: { steps, seconds, seed },
  } = order
  const bounds = { steps, seconds, seed }
  models.removeLeftOvers()
  const version = models.nextVersion()
  // Until the first step is done, which takes a while on some computers.
  job.progress({ message: 'first step…' })
  const params: ComputeParams<'train'> = {
    parentDir: parent?.dir ?? null,
    outDir: models.dirOf(version),
    modelId: randomUUID(),
    name: parent?.card.name ?? project.name,
    createdAt: new Date().toISOString(),
    labels: modelLabels(parent, labels),
    samples: gathered.samples,
    ...bounds,
    recipe: 'interactive',
  }
  try {
    const scored = { signal: job.signal, log }
    const before =
      parent === null ? null : await correctionDice(parts.compute, parent.dir, { samples: gathered.fresh }, scored)
    await parts.compute.call('train', params, { signal: job.signal, onProgress: progressOf(job, order.share) })
    const after = await correctionDice(parts.compute, params.outDir, { samples: gathered.fresh }, scored)
    return promotion.admit({
      version,
      activeId: order.activeId,
      parentId: parent?.id ?? null,
      learned: gathered.learned,
      mode: 'retrain',
      settings: { ...bounds, ...countsOf(gathered.samples) },
      data: gathered.data,
      correctionBefore: before,
      correctionAfter: after,
    })
  } catch (error) {
    tidy(models, log)
    throw error
  }
}

/** For the record of a version. */
export function countsOf(samples: readonly Pick<TrainingSample, 'role'>[]): { corrected: number; replay: number } {
  const corrected = samples.filter(({ role }) => role === 'corrected').length
  return { corrected, replay: samples.length - corrected }
}

/** A folder that cannot be removed now is removed before the next training. */
export function tidy(models: Models, log: (line: string) => void): void {
  try {
    models.removeLeftOvers()
  } catch (error) {
    log(`models: ${String(error)}`)
  }
}

function progressOf(job: RunningJob, share: number): (progress: ComputeProgress) => void {
  let lastStep = 0
  return ({ step, steps, point, secondsLeft }) => {
    if (step < lastStep) job.again()
    lastStep = step
    job.progress(
      { progress: share * Math.min(1, step / steps), message: `step ${step} of ${steps}`, secondsLeft },
      point,
    )
  }
}
