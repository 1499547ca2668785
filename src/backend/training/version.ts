import { randomUUID } from 'node:crypto'
import { CodedError } from '../../core/contract/errors.ts'
import type { ComputeProgress, ModelCard, TrainingSample } from '../../core/contract/compute.ts'
import type { ModelSummary } from '../../core/contract/schemas.ts'
import type { ComputeParams, ComputePort } from '../compute/port.ts'
import type { EventHub } from '../events.ts'
import type { RunningJob } from '../jobs/jobs.ts'
import { priorities, waitingWords, type Lane } from '../jobs/lane.ts'
import type { Holdout } from '../models/holdout.ts'
import type { ModelRecord, Models } from '../models/models.ts'
import type { Promotion } from '../models/promotion.ts'
import type { Labels } from '../project/labels.ts'
import type { Project } from '../project/project.ts'
import { teachingSlices } from '../review/teaching.ts'
import { chooseSlices } from './choosing.ts'
import { correctionDice } from './correction.ts'
import { labelValues } from './laterLabels.ts'
import { leftOutWords } from './lessons.ts'
import { gatherSamples, type GatheredSamples, type SampleParts } from './samples.ts'

export interface VersionParts extends Omit<SampleParts, 'db'> {
  readonly project: Project
  readonly labels: Labels
  readonly models: Models
  readonly holdout: Holdout
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

/**
 * Those of the parent, so that its head keeps its meaning, then what was added since, as they are called by now; what the project does
 * not have (any more) as the parent calls it.
 */
export function modelLabels(parent: ModelRecord | null, labels: Labels): { value: number; name: string }[] {
  const known = parent?.card.labels ?? []
  const values = new Set(known.map((label) => label.value))
  const added = labels.list().filter((label) => !values.has(label.value))
  const called = known.map(({ value, name }) => ({
    value,
    name: labels.isCurrent(value) ? labels.nameOf(value) : name,
  }))
  return [...called, ...added.map(({ value, name }) => ({ value, name }))]
}

/**
 * Trains the next version on what is corrected and approved when its turn at the lane comes, from the version that is in use then,
 * and registers it: in use where nothing could judge it, else waiting. Throws CodedError: `nothing-to-train`, `nothing-learned`,
 * `cancelled`, and what compute and disk say; no version is left then.
 */
export async function trainVersion(parts: VersionParts, job: RunningJob, asked: Asked): Promise<ModelSummary> {
  const { lane, events } = parts
  // Reading images can take long, and nobody has to wait for that.
  const early = await prepare(parts, job, asked)
  const words = waitingWords(lane)
  if (words !== null) job.progress({ message: words })
  // Registered, or tidied up, before the next one's turn: a model that is imported would clear the folder away, and take
  // the same version.
  return await lane.run(priorities.training, job.signal, async () => {
    let order = isCurrent(parts, early) ? early : await prepare(parts, job, asked)
    // Somebody may have decided otherwise while images were read.
    while (!isAllowed(parts, order)) order = await prepare(parts, job, asked)
    for (const message of leftOutWords(order.gathered.leftOut)) events.emit('notice', { level: 'warning', message })
    // Compute reads the parent again where it has to begin anew.
    const parents = order.parent === null ? [] : [order.parent.id]
    return parts.models.hold(parents, () => compute(parts, job, order))
  })
}

interface Order extends Asked {
  /** In use when it was prepared, and where that can learn, what the new version goes on from. */
  readonly activeId: string | null
  readonly parent: ModelRecord | null
  /** The same text where whoever pressed Retrain could learn the same. */
  readonly state: string
  readonly gathered: GatheredSamples
}

async function prepare(parts: VersionParts, job: RunningJob, asked: Asked): Promise<Order> {
  const { db } = parts.project
  const { activeId, parent, choice, state } = look(parts, asked)
  const gathered = await gatherSamples({ ...parts, db }, choice, job.signal)
  refuseNothing(gathered)
  return { ...asked, activeId, parent, state, gathered }
}

function look(parts: VersionParts, { bounds }: Asked) {
  const { project, models } = parts
  const activeId = models.activeId()
  const parent = trainedParent(models.active())
  const choice = chooseSlices(project.db, parent?.id ?? null, bounds)
  return { activeId, parent, choice, state: stateOf(parts) }
}

/**
 * All that may teach and not what is drawn of it: gathering notes which labels each slice has, and with them the same seed draws
 * others, though nobody changed anything.
 */
function stateOf({ project: { db }, models }: VersionParts): string {
  const parentId = trainedParent(models.active())?.id ?? null
  const slices = teachingSlices(db, parentId).map(({ learned: _, ...slice }) => Object.values(slice))
  return JSON.stringify([models.activeId(), labelValues(db), slices])
}

/** Whoever pressed Retrain now could learn the same. */
function isCurrent(parts: VersionParts, order: Order): boolean {
  return stateOf(parts) === order.state
}

/** The version that it goes on from is the one in use, and none of its cases was set aside or taken off the worklist. */
function isAllowed({ models, cases, holdout }: VersionParts, { activeId, gathered }: Order): boolean {
  const aside = holdout.caseIds()
  return (
    models.activeId() === activeId &&
    gathered.data.every(({ caseId }) => !aside.has(caseId) && cases.find(caseId)?.removed === false)
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
    const { card } = await parts.compute.call('train', params, {
      signal: job.signal,
      onProgress: progressOf(job, order.share),
    })
    refuseUnlearned(card)
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

/** Weights that are those of the parent are no version, and what was to be learned is still new. */
function refuseUnlearned({ training }: ModelCard): void {
  if (training?.keptStep !== 0) return
  const { steps, seconds, mistakes } = training
  if (steps === 0 && mistakes?.count === 0) {
    throw new CodedError(
      'nothing-learned',
      'The corrected slices are as the model predicts them already, so there is nothing to learn. Correct what is wrong, or look at other slices.',
    )
  }
  const counted = `${steps} ${steps === 1 ? 'step' : 'steps'}`
  throw new CodedError(
    'nothing-learned',
    `In ${Math.max(1, Math.round(seconds))} s (${counted}) nothing better was found. Give Retrain more time, or correct more slices.`,
  )
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
