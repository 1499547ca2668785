import { existsSync } from 'node:fs'
import { readFile, rm, rmdir } from 'node:fs/promises'
import path from 'node:path'
import { readModelCard } from '../../core/contract/compute.ts'
import { CodedError } from '../../core/contract/errors.ts'
import { openTrainingData } from '../data/index.ts'
import { readEncoder } from '../models/encoder.ts'
import { buildRecipeNetwork } from '../models/recipeNetwork.ts'
import { comparisonCheck, createReport } from '../report/index.ts'
import { recipeLoss } from '../training/losses/recipeLoss.ts'
import { outputMeaning } from './classes.ts'
import { runEpochs } from './epochs.ts'
import { finishModel } from './finish.ts'
import { lockFolder } from './folderLock.ts'
import { createMeter } from './measure.ts'
import { differences, orderDigest, otherMachine } from './orderDigest.ts'
import { createPacer, preparationProgress } from './pacer.ts'
import { partToScore } from './scoring.ts'
import { createTrainer } from './trainer.ts'
import { readState, trainingFolder } from './trainingState.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { z } from 'zod'
import type { ComputeMethods, ModelCard } from '../../core/contract/compute.ts'
import type { ComputeCall } from '../server.ts'
import type { ComparableModel } from '../report/index.ts'
import type { Machine, TrainRecipeOrder } from './order.ts'
import type { TrainingState } from './trainingState.ts'
import type { EncoderTaken } from '../models/encoder.ts'
import type { TrainingData } from './types.ts'

type TrainRecipeResult = z.output<ComputeMethods['trainRecipe']['result']>

/**
 * Trains by a recipe: data, network, epochs with validation, scoring of the cases that were held out, and the model folder.
 * After each epoch its state is on disk in `outDir`.training, from where it goes on to the same numbers however it ended.
 *
 * Deterministic, bit for bit, for the same order, data, backend and threads, as long as no bound on seconds is set and
 * memory takes the batches whole (else `notify` is told).
 *
 * Throws CodedError: 'cancelled'; 'conflict' where `outDir` is there already, or a training that was interrupted and `resume`
 * is not said, or was begun with other settings; 'bad-request' and 'file-missing' for a model to compare with that cannot be
 * (with `refuseOthers`); 'nothing-to-train'; 'compute-failed' when the loss is no number;
 * 'backend-lost'; 'disk-full' and other failures to write.
 */
export async function trainRecipe(
  order: TrainRecipeOrder,
  machine: Machine,
  call: ComputeCall,
): Promise<TrainRecipeResult> {
  const folder = trainingFolder(order.outDir)
  await refuseExisting(order.outDir, folder)
  const release = await lockFolder(folder)
  try {
    return await trainIn(folder, order, machine, call)
  } finally {
    await release()
    // Where nothing was begun, nothing is left.
    await rmdir(folder).catch(() => undefined)
  }
}

async function trainIn(
  folder: string,
  order: TrainRecipeOrder,
  machine: Machine,
  { signal, onProgress, notify }: ComputeCall,
): Promise<TrainRecipeResult> {
  const warn = (message: string): void => {
    notify('warning', message)
  }
  const begun = await interrupted(order, folder)
  if (begun === null && order.resume) {
    notify('warning', `There is no interrupted training at ${folder}; it begins at epoch 1.`)
  }
  // What does not go together is refused before all data are read.
  recipeLoss(order.settings.loss)
  const refuseComparison = await comparisonCheck(order.recipe.name, order.refuseOthers === true ? order.compare : [])
  const data = await openTrainingData(order, { signal, onProgress: preparationProgress(onProgress) })
  try {
    const { recipe, preset, settings, seed } = order
    refuseComparison(comparable(data))
    const digest = orderDigest(order, data)
    if (begun !== null) checkSame(begun, digest, order.outDir)
    const other = begun === null ? null : otherMachine(begun, machine)
    if (other !== null) warn(other)
    const parts = { channels: data.channels, outputs: data.outputChannels, seed }
    const { network, architecture } = buildRecipeNetwork(settings.model, parts)
    const averaged = settings.training.average > 0 ? buildRecipeNetwork(settings.model, parts).network : null
    const { encoder } = settings.model
    const remarks = [...data.report.remarks]
    if (begun === null && encoder !== null) {
      const { taken, of } = await takeEncoder(encoder, averaged === null ? [network] : [network, averaged])
      remarks.push(`The contracting path begins with ${taken} of its ${of} sets of weights from ${encoder}.`)
    }
    const trainer = createTrainer(network, averaged, settings, seed)
    const meter = createMeter(data, settings.loss)
    try {
      const reportDir = path.join(folder, 'report')
      await rm(reportDir, { recursive: true, force: true })
      const report = await createReport({
        dir: reportDir,
        progressDir: path.join(folder, 'progress'),
        recipe,
        labels: data.labels,
        epochs: settings.training.epochs,
      })
      const pacer = createPacer(onProgress)
      const meaning = outputMeaning(settings, data)
      const common = {
        order,
        data,
        network,
        architecture,
        trainer,
        meter,
        meaning,
        report,
        machine,
        folder,
        signal,
        warn,
        pacer,
      }
      const trained = await runEpochs({
        ...common,
        begun,
        digest,
        onStart: ({ batch, steps, from }) => {
          pacer.event({
            event: 'start',
            recipe: recipe.name,
            preset,
            settings,
            labels: data.labels,
            cases: countParts(data),
            left: data.report.left,
            remarks,
            epochs: settings.training.epochs,
            steps,
            from,
            parameters: network.countParams(),
            seed,
            backend: machine.backend,
            threads: machine.threads,
          })
          if (batch < settings.training.batch) warn(fewer(batch, settings.training.batch))
        },
        onSmaller: (batch) => {
          warn(fewer(batch, settings.training.batch))
        },
      })
      return await finishModel({ ...common, trained, reportDir })
    } finally {
      meter.dispose()
      trainer.dispose()
      network.dispose()
      averaged?.dispose()
    }
  } finally {
    await data.close()
  }
}

async function refuseExisting(outDir: string, folder: string): Promise<void> {
  if (!existsSync(outDir)) return
  // What was killed between its last two steps is complete, and needs its state no longer.
  const [card, state] = [await cardOf(outDir), await readState(folder).catch(() => null)]
  if (card !== null && card.id === state?.modelId) await rm(folder, { recursive: true, force: true })
  throw new CodedError('conflict', `${outDir} exists already; give the model a folder that does not exist yet.`)
}

async function cardOf(dir: string): Promise<ModelCard | null> {
  const file = path.join(dir, 'card.json')
  try {
    return readModelCard(await readFile(file, 'utf8'), file)
  } catch {
    return null
  }
}

/** The state to go on from; null: this training is a new one. */
async function interrupted(
  { outDir, modelId, resume }: TrainRecipeOrder,
  folder: string,
): Promise<TrainingState | null> {
  const state = await readState(folder)
  // The same request once more, of another process or another backend, goes on by itself.
  if (state === null || resume || state.modelId === modelId) return state
  throw new CodedError(
    'conflict',
    `A training for ${outDir} was interrupted after epoch ${state.history.at(-1)?.epoch ?? 0}; resume it, or delete ${folder} to begin again.`,
  )
}

function checkSame(begun: TrainingState, digest: Readonly<Record<string, string>>, outDir: string): void {
  const differing = differences(begun.order, digest)
  if (differing.length === 0) return
  const [first = '', ...more] = differing.map(
    (key) =>
      `${key} (${key === 'data' ? 'its files or their split' : `${begun.order[key] ?? 'none'}, now ${digest[key] ?? 'none'}`})`,
  )
  const others = more.length === 0 ? '' : ` and ${more.length} more`
  throw new CodedError(
    'conflict',
    `The training for ${outDir} was begun with another ${first}${others}; resume it with what it was begun with, or delete ${trainingFolder(outDir)} to begin again.`,
    { detail: differing.join(', ') },
  )
}

/** What other models are compared with, as far as it is known before the training. */
function comparable(data: TrainingData): ComparableModel {
  const scoredOn = partToScore(data)
  const scored = data.cases.filter(({ part }) => part === scoredOn).map(({ id }) => id)
  return { labels: data.labels.map(({ value }) => value), split: data.cases, scoredOn, scored }
}

function countParts({ cases }: TrainingData): { train: number; validation: number; holdout: number } {
  const count = (part: string): number => cases.filter((each) => each.part === part).length
  return { train: count('train'), validation: count('validation'), holdout: count('holdout') }
}

function fewer(batch: number, wanted: number): string {
  return `Memory is short: each step of the training sees ${batch === 1 ? 'one patch' : `${batch} patches`} instead of ${wanted}, so that it may learn less.`
}

/** Gives networks of one kind the weights of an encoder on disk; disposes them where it cannot. */
async function takeEncoder(dir: string, networks: readonly LayersModel[]): Promise<EncoderTaken> {
  try {
    const taken = await Promise.all(networks.map((network) => readEncoder(dir, network)))
    return taken[0] ?? { taken: 0, of: 0 }
  } catch (error) {
    for (const network of networks) network.dispose()
    throw error
  }
}
