import { rm } from 'node:fs/promises'
import { CodedError } from '../../core/contract/errors.ts'
import { nextTurn, orCancelled, stopIfCancelled } from '../inference/turns.ts'
import { releaseIdle } from '../runtime/deviceMemory.ts'
import { backendLost, unlessOutOfMemory } from '../runtime/failures.ts'
import { collectGarbage } from '../runtime/memory.ts'
import { inputSize } from '../models/sizes.ts'
import { learningRateOf } from '../training/recipeSchedule.ts'
import { affordableBatch } from './batchSize.ts'
import { measuredSlices, shownSlices } from './selection.ts'
import { writeState } from './trainingState.ts'
import { readWeights, setWeights } from './weights.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { ModelCard } from '../../core/contract/compute.ts'
import type { EpochPicture, Report } from '../report/index.ts'
import type { OutputMeaning } from './classes.ts'
import type { Measured, Meter } from './measure.ts'
import type { Pacer } from './pacer.ts'
import type { TrainRecipeOrder } from './order.ts'
import type { Kept, Trainer } from './trainer.ts'
import type { EpochRecord, TrainingState, TrainingStateHeader } from './trainingState.ts'
import type { BatchStream, SliceRef, TrainingData } from './types.ts'

/** What a training works with. */
export interface Workshop {
  readonly order: TrainRecipeOrder
  readonly data: TrainingData
  readonly network: LayersModel
  readonly architecture: ModelCard['architecture']
  readonly trainer: Trainer
  readonly meter: Meter
  readonly meaning: OutputMeaning
  readonly report: Report
  readonly pacer: Pacer
  readonly machine: { readonly backend: string; readonly threads: number }
  /** Of the training, beside the model that will be. */
  readonly folder: string
  readonly signal: AbortSignal
  readonly warn: (message: string) => void
}

interface Begin {
  /** The state to go on from; null: from the beginning. */
  readonly begun: TrainingState | null
  readonly digest: Record<string, string>
  readonly onStart: (start: { batch: number; steps: number; from: number }) => void
  /** Memory made the batches smaller. */
  readonly onSmaller: (batch: number) => void
}

export interface Trained {
  readonly header: TrainingStateHeader
  /** Slices that were measured after each epoch: of the validation part, or of what was learned from where there is none. */
  readonly measured: number
}

const TOO_LITTLE = 'There is too little memory to train even on one small patch'

/**
 * The epochs that are still to be done, and at the end the weights that are kept in `trainer.result`. Before the first and
 * after each, the state is written; a step that runs out of memory takes the epoch back to its beginning, with half the batch.
 */
export async function runEpochs(workshop: Workshop & Begin): Promise<Trained> {
  const { order, data, trainer, folder, begun, signal } = workshop
  const { settings } = order
  const { epochs, seconds: most, earlyStopping } = settings.training
  const measured = measuredSlices(data, settings.training)
  const validated = data.slices('validation').length > 0
  const clock = startClock(begun?.history.at(-1)?.seconds ?? 0)
  let bestWeights: readonly Float32Array[] = begun?.bestWeights ?? []
  let header: TrainingStateHeader
  /** What the next step hangs on, as it was kept last. */
  let latest: Kept
  if (begun === null) {
    const batch = await affordableBatch(workshop.network, workshop.architecture, data, settings.training)
    const { record, dice, shown } = await firstMeasurement(workshop, measured)
    header = {
      modelId: order.modelId,
      order: workshop.digest,
      backend: workshop.machine.backend,
      threads: workshop.machine.threads,
      batch,
      done: 0,
      history: [{ ...record, seconds: clock() }],
      shown,
      best: earlyStopping === null ? null : { epoch: 0, score: dice, loss: record.valLoss ?? 0 },
    }
    if (earlyStopping !== null) bestWeights = await readWeights(trainer.result)
    latest = await keep()
  } else {
    trainer.restore(begun)
    latest = begun
    const { weights: _w, averages: _a, optimizer: _o, bestWeights: _b, ...known } = begun
    header = { ...known, modelId: order.modelId }
  }
  const last = (): EpochRecord =>
    header.history.at(-1) ?? { epoch: 0, steps: 0, loss: null, valLoss: null, val: {}, rate: 0, seconds: 0 }
  workshop.onStart({ batch: header.batch, steps: stepsOf(workshop, header.batch), from: last().epoch + 1 })

  async function keep(): Promise<Kept> {
    const kept = await trainer.capture()
    await writeState(folder, { ...header, ...kept, bestWeights })
    return kept
  }

  let stream: { epoch: number; batches: BatchStream } | null = null
  try {
    while (last().epoch < epochs && !isOver()) {
      const epoch = last().epoch + 1
      stream ??= { epoch, batches: openStream(workshop, epoch, header.batch) }
      const outcome = await unlessOutOfMemory(() => oneEpoch(epoch, stream?.batches ?? null))
      if (outcome === null) {
        await stream.batches.close()
        stream = null
        if (header.batch === 1) throw backendLost(TOO_LITTLE)
        header = { ...header, batch: Math.floor(header.batch / 2) }
        releaseIdle()
        collectGarbage()
        trainer.restore(latest)
        workshop.onSmaller(header.batch)
        continue
      }
      await stream.batches.close()
      stream = null
      // What comes next is drawn while this epoch is measured.
      if (epoch < epochs && outcome.done < 1) {
        stream = { epoch: epoch + 1, batches: openStream(workshop, epoch + 1, header.batch) }
      }
      const { result, pictures } = await measure(workshop, measured, header.shown, epoch)
      const record: EpochRecord = {
        epoch,
        steps: last().steps + outcome.steps,
        loss: outcome.loss,
        valLoss: validated ? result.loss : null,
        val: validated ? result.scores : {},
        rate: outcome.rate,
        seconds: clock(),
      }
      header = { ...header, done: outcome.done, history: [...header.history, record] }
      const { best } = header
      if (best !== null && (result.dice > best.score || (result.dice === best.score && result.loss < best.loss))) {
        header = { ...header, best: { epoch, score: result.dice, loss: result.loss } }
        bestWeights = await readWeights(trainer.result)
      }
      latest = await keep()
      workshop.pacer.event({
        event: 'epoch',
        epoch,
        epochs,
        loss: outcome.loss,
        valLoss: record.valLoss,
        val: record.val,
        rate: outcome.rate,
        seconds: record.seconds,
        secondsLeft: isOver() ? 0 : secondsLeft(epoch, record.seconds),
        ...(order.pictures ? { pictures: pictures.map(({ id, png }) => ({ id, png: new Uint8Array(png) })) } : {}),
      })
    }
  } finally {
    await stream?.batches.close()
  }
  if (header.best !== null) setWeights(trainer.result, bestWeights)
  return { header, measured: measured.length }

  function isOver(): boolean {
    const { best } = header
    const tired = earlyStopping !== null && best !== null && last().epoch - best.epoch >= earlyStopping
    return tired || (most !== null && header.done >= 1)
  }

  function secondsLeft(epoch: number, elapsed: number): number {
    const left = (elapsed / Math.max(1, epoch)) * (epochs - epoch)
    return most === null ? left : Math.max(0, Math.min(left, most - elapsed))
  }

  async function oneEpoch(
    epoch: number,
    batches: BatchStream | null,
  ): Promise<{ loss: number; rate: number; steps: number; done: number }> {
    const steps = stepsOf(workshop, header.batch)
    const total = steps * epochs
    const losses = header.history.filter(({ epoch: each }) => each > 0).map(({ valLoss, loss }) => valLoss ?? loss ?? 0)
    let sum = 0
    let count = 0
    let rate = 0
    let { done } = header
    while (done < 1 || most === null) {
      await nextTurn()
      stopIfCancelled(signal)
      const batch = batches === null ? null : await orCancelled(batches.next(), signal)
      if (batch === null) break
      const planned = (epoch - 1) * steps + count
      // Where time is bounded the schedule follows whichever of steps and seconds is further.
      if (most !== null) done = Math.min(1, Math.max(done, planned / total, clock() / most))
      const step = most === null ? planned : Math.min(total - 1, Math.max(planned, Math.floor(done * total)))
      rate = learningRateOf(settings.optimizer, { step, steps: total, losses })
      const loss = await trainer.step(batch, rate, last().steps + count + 1)
      if (!Number.isFinite(loss)) {
        // Going on from the last epoch would end here again.
        await rm(folder, { recursive: true, force: true })
        throw new CodedError(
          'compute-failed',
          `Training stopped in epoch ${epoch}: its loss is no longer a number; begin again with a smaller optimizer.rate than ${settings.optimizer.rate}.`,
        )
      }
      sum += loss
      count++
      workshop.pacer.step(planned + 1, total, loss, secondsLeft(epoch - 1 + count / steps, clock()))
    }
    if (count === 0 && done < 1)
      throw new CodedError('nothing-to-train', 'There was nothing to learn from in this epoch.')
    return { loss: count === 0 ? (last().loss ?? 0) : sum / count, rate, steps: count, done }
  }
}

function stepsOf({ data, order }: Workshop, batch: number): number {
  const { steps, patch } = order.settings.training
  return steps ?? Math.max(1, data.batchesPerEpoch({ batch, patch }))
}

function openStream(workshop: Workshop, epoch: number, batch: number): BatchStream {
  const { data, order, architecture } = workshop
  const { augmentation, training } = order.settings
  return data.batches({
    seed: order.seed,
    epoch,
    steps: stepsOf(workshop, batch),
    batch,
    // As large as asked for, or a little larger: the network takes some sizes alone.
    patch: training.patch === null ? null : inputSize(architecture, training.patch),
    step: architecture.step,
    margin: architecture.margin ?? 0,
    foreground: training.foreground,
    augmentation,
  })
}

/** Seconds since the training began, with those of its earlier runs. */
function startClock(before: number): () => number {
  const started = performance.now()
  return () => before + (performance.now() - started) / 1000
}

async function firstMeasurement(
  workshop: Workshop,
  measured: readonly SliceRef[],
): Promise<{ record: Omit<EpochRecord, 'seconds'>; dice: number; shown: number[] }> {
  const shares = new Map<number, number>()
  const validated = workshop.data.slices('validation').length > 0
  const first = await workshop.meter.measure(workshop.trainer.result, measured, {
    ...measureOptions(workshop),
    onSlice: (index, { classes }) => {
      const labelled = classes.reduce((sum, value) => sum + (value > 0 && value < 255 ? 1 : 0), 0)
      shares.set(index, labelled / classes.length)
    },
  })
  const record = {
    epoch: 0,
    steps: 0,
    loss: null,
    valLoss: validated ? first.loss : null,
    val: validated ? first.scores : {},
    rate: 0,
  }
  return { record, dice: first.dice, shown: shownSlices(measured, shares) }
}

async function measure(
  workshop: Workshop,
  measured: readonly SliceRef[],
  shown: readonly number[],
  epoch: number,
): Promise<{ result: Measured; pictures: { id: string; png: Uint8Array }[] }> {
  const seen = new Map<number, EpochPicture>()
  const { standardize } = workshop.data.input
  const result = await workshop.meter.measure(workshop.trainer.result, measured, {
    ...measureOptions(workshop),
    onSlice: (index, { width, height, channels, image, classes }, prediction) => {
      const ref = measured[index]
      if (ref === undefined || !shown.includes(index)) return
      const id = ref.index === 0 ? ref.caseId : `${ref.caseId} ${ref.index + 1}`
      seen.set(index, { id, width, height, channels, image, standardize, truth: classes, prediction })
    },
  })
  const pictures = shown.map((index) => seen.get(index)).filter((picture) => picture !== undefined)
  return { result, pictures: await workshop.report.addEpoch(epoch, pictures) }
}

function measureOptions({ architecture, meaning, signal }: Workshop) {
  return { step: architecture.step, meaning, signal }
}
