import { CodedError } from '../../core/contract/errors.ts'
import { nextTurn } from '../inference/predict.ts'
import { averageOf, notANumber } from './averaging.ts'
import { CURVE_POINTS, evaluationInterval, thinned } from './fit.ts'
import { openTrainable, patchSize } from './opening.ts'
import { trainingRoom } from './room.ts'
import { sessionRateAt } from './schedule.ts'
import { seenLabels } from './seen.ts'
import { BATCH, PATCH } from './train.ts'
import type { TrainingSample } from '../../core/contract/compute.ts'
import type { CurvePoint } from '../../core/contract/schemas.ts'
import type { Evaluation } from './evaluate.ts'
import type { WeightAverage } from './averaging.ts'
import type { Lessons } from './lessons.ts'
import type { OpenedTraining, OpenOptions, Taught } from './opening.ts'
import type { Optimizer } from './optimizer.ts'
import type { TrainingRoom } from './room.ts'
import type { TrainedModel } from './train.ts'

export interface SessionOptions extends OpenOptions {
  /** What the card shall say trained it. */
  readonly backend: string
  /** Patches a step, and their largest width and height in pixels; as trainModel has them unless given. */
  readonly batch?: number
  readonly patch?: number
  /** Milliseconds; 250 unless given. Where every step takes longer, they see fewer patches. */
  readonly longStep?: number
  /** Told when memory makes batch or patch smaller than wanted. */
  readonly notify?: (message: string) => void
}

/** What a run did. */
export interface SessionRun {
  readonly steps: number
  /** Of the last step; null where there was none. */
  readonly loss: number | null
  /** On the slices that are learned from, as `use` predicts them; null where it was not measured this time. */
  readonly dice: number | null
}

/** A training in many short runs, whose slices may change from one to the next. One call at a time. */
export interface TrainingSession {
  /**
   * Trains for so long, a step at least; for 0 ms it takes the samples and does none. Ends within a step of the signal, and
   * all that was learned stays. `samples` null: as last time. Yields to the event loop every step. Throws CodedError:
   * 'bad-request' and 'nothing-to-train' for samples, and the training may go on with others; 'compute-failed' where the loss
   * is no longer a number, 'backend-lost' as trainModel: then nothing is left but to dispose it.
   */
  run(samples: readonly TrainingSample[] | null, milliseconds: number, signal?: AbortSignal): Promise<SessionRun>
  /**
   * Runs `work` with the model as it is now, the average of the weights of the latest steps: for a prediction, by the pass for networks in training (`passInTraining`), or to
   * be saved. The network is valid during the call and stays the session's. Throws CodedError('nothing-to-train') before there
   * were any samples.
   */
  use<T>(work: (model: TrainedModel) => Promise<T>): Promise<T>
  dispose(): void
}

/** What learns. */
interface Learner extends OpenedTraining {
  readonly weights: Optimizer
  readonly average: WeightAverage
}

/** What is being taught. */
interface Teaching {
  readonly learner: Learner
  readonly lessons: Lessons
  /** Largest patch, in pixels. */
  readonly patch: number
  room: TrainingRoom
  /** Milliseconds of the steps of this size. */
  times: number[]
  /** Steps since these slices came. */
  steps: number
}

/** Where it was wrong is nobody's to ask here. */
type Numbers = Pick<Evaluation, 'loss' | 'dice'>

interface Measured extends Numbers {
  /** After so many steps. */
  readonly at: number
}

/** A run is ended within a step: where all of the first ones take longer, in ms, a step sees half the patches from then on. */
const LONG_STEP = 250
const TIMED = 3

/**
 * Begins a training that has no end of its own; nothing is computed yet. A network from nothing is made for the first slices
 * that come, as trainModel makes it. The learning rate stays near its peak while slices
 * change and falls slowly while they do not. The same seed, backend and threads give the same weights after so many steps on
 * the same slices, however they were cut into runs, unless steps take long or memory is short. Throws CodedError('bad-file') when the parent is no network that can be trained
 * here.
 */
export async function openTraining(options: SessionOptions): Promise<TrainingSession> {
  const { parent, seed, notify } = options
  let learner = options.parent === null ? null : await learnerOf(options, [])
  let teaching: Teaching | null = null
  let taughtTimes = 0
  let seconds = 0
  let first: Numbers | null = null
  /** A measurement was tried after so many steps, and cut off: whole slices may take longer than a hand rests. */
  let cutOff: number | null = null
  let latest: Measured | null = null
  let curve: CurvePoint[] = []
  /** Labels, by all slices that were taught at some time. */
  const shown = new Set<number>()

  async function teach(samples: readonly TrainingSample[]): Promise<Teaching> {
    const now = learner ?? (await learnerOf(options, samples))
    const taught = taughtBy(now, samples)
    learner = now
    const patch = patchSize(taught.slices, now.architecture.step, options.patch ?? PATCH)
    if (teaching === null && options.parent !== null) now.average.begin(await now.weights.snapshot())
    const { room, times } =
      teaching?.patch === patch ? teaching : { room: await roomFor(now, options.batch ?? BATCH, patch), times: [] }
    teaching?.lessons.dispose()
    now.weights.hold(now.holdOf(taught.slices.length))
    for (const value of taught.shown()) shown.add(value)
    // Others than those of the samples before, of which patches were drawn from their first on.
    teaching = { learner: now, lessons: taught.lessons(seed + taughtTimes++), room, times, patch, steps: 0 }
    return teaching
  }

  /** A network that was made for slices that teach nothing is not kept: the next ones may be of another size. */
  function taughtBy(now: Learner, samples: readonly TrainingSample[]): Taught {
    try {
      return now.teach(samples)
    } catch (error) {
      if (learner === null) disposeOf(now)
      throw error
    }
  }

  async function roomFor(now: Learner, count: number, size: number): Promise<TrainingRoom> {
    const before = await now.weights.snapshot()
    const room = await trainingRoom(now.network, now.architecture.step, { count, size }, notify)
    // As in a training at one go: measuring what a step costs moved the statistics of batch normalization.
    now.weights.restore(before)
    return room
  }

  /** Halves the batch where steps take long; a machine that was busy with something else for a moment does not. */
  async function keepStepsShort(now: Teaching): Promise<void> {
    const { count, size } = now.room.size
    if (count === 1 || now.times.length < TIMED) return
    const long = Math.min(...now.times) > (options.longStep ?? LONG_STEP)
    now.times = []
    if (long) now.room = await roomFor(now.learner, Math.ceil(count / 2), size)
  }

  /** null where it was cancelled. */
  async function measure(
    { learner: { weights, average }, lessons }: Teaching,
    signal: AbortSignal | undefined,
  ): Promise<Measured | null> {
    try {
      const { loss, dice } = await average.use(() => lessons.evaluate(signal))
      if (!Number.isFinite(loss)) throw notANumber()
      latest = { loss, dice, at: weights.steps() }
      // Where it was cut off before the first step, the first that came to an end stands for it.
      first ??= latest
      return latest
    } catch (error) {
      if (signal?.aborted !== true || !(error instanceof CodedError) || error.code !== 'cancelled') throw error
      cutOff = weights.steps()
      return null
    }
  }

  async function step({ lessons, room, ...now }: Teaching): Promise<number> {
    const { weights, average, peak } = now.learner
    const rate = sessionRateAt(peak, now.steps, weights.steps())
    const started = performance.now()
    const loss = await room.run(() => lessons.step(weights, room.size, rate))
    now.times.push(performance.now() - started)
    if (!Number.isFinite(loss)) throw notANumber()
    await average.stepped()
    curve.push({ step: weights.steps(), loss, dice: latest?.dice ?? 0 })
    if (curve.length >= 2 * CURVE_POINTS) curve = thinned(curve)
    return loss
  }

  async function train(now: Teaching, milliseconds: number, signal: AbortSignal | undefined): Promise<SessionRun> {
    // Once cut off, it comes after steps like any other: nothing keeps it from learning.
    if (first === null && cutOff === null) {
      const before = await measure(now, signal)
      if (before === null) return { steps: 0, loss: null, dice: null }
      curve.push({ step: 0, loss: before.loss, dice: before.dice })
    }
    const end = performance.now() + milliseconds
    let [steps, loss]: [number, number | null] = [0, null]
    do {
      await nextTurn()
      if (signal?.aborted === true) break
      loss = await step(now)
      steps++
      now.steps++
      await keepStepsShort(now)
    } while (performance.now() < end)
    const due = evaluationInterval(now.lessons.measured, now.room.size) * MEASURE_SELDOM
    const old = now.learner.weights.steps() - Math.max(latest?.at ?? 0, cutOff ?? 0) >= due
    const measured = old && signal?.aborted !== true ? await measure(now, signal) : null
    return { steps, loss, dice: measured?.dice ?? null }
  }

  return {
    async run(samples, milliseconds, signal) {
      const started = performance.now()
      try {
        const now = samples === null ? teaching : await teach(samples)
        if (now === null) throw nothingTaught()
        if (milliseconds === 0 || signal?.aborted === true) return { steps: 0, loss: null, dice: null }
        return await train(now, milliseconds, signal)
      } finally {
        seconds += (performance.now() - started) / 1000
      }
    },
    async use(work) {
      if (teaching === null) throw nothingTaught()
      const { lessons, room } = teaching
      const { network, architecture, recipeUse, weights, average } = teaching.learner
      const [before, after] = [first ?? NONE, latest ?? first ?? NONE]
      const training = {
        ...{ slices: lessons.corrected, steps: weights.steps(), seconds, seed, backend: options.backend },
        ...{ boundBy: 'seconds' as const, lossBefore: before.loss, lossAfter: after.loss },
        ...{ diceBefore: before.dice, diceAfter: after.dice, curve: thinned(curve) },
        ...seenLabels(parent?.card ?? null, shown),
      }
      const trained = { network, architecture, training, batch: room.size.count, patch: room.size.size }
      return await average.use(() => work(recipeUse === null ? trained : { ...trained, recipeUse }))
    },
    dispose() {
      teaching?.lessons.dispose()
      if (learner !== null) disposeOf(learner)
    },
  }
}

/** Between two measurements lie so many times the steps of a training at one go: nothing is decided by them here. */
const MEASURE_SELDOM = 3
const NONE: Numbers = { loss: 0, dice: 0 }

async function learnerOf(options: OpenOptions, samples: readonly TrainingSample[]): Promise<Learner> {
  const opened = await openTrainable(options, samples)
  const weights = opened.optimizer(samples.length)
  return { ...opened, weights, average: averageOf(weights) }
}

function disposeOf({ weights, network }: Learner): void {
  weights.dispose()
  network.dispose()
}

function nothingTaught(): CodedError {
  return new CodedError('nothing-to-train', 'There is no slice to learn from; correct a slice first.')
}
