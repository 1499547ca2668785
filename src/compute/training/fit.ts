import { averageOf, notANumber } from './averaging.ts'
import { nextTurn, stopIfCancelled } from '../inference/predict.ts'
import { learningRateAt, MEASURED, plannedSteps } from './schedule.ts'
import { trainingRoom } from './room.ts'
import { leniency, mistakesOf } from './tally.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { ComputeProgress, ModelCard } from '../../core/contract/compute.ts'
import type { CurvePoint } from '../../core/contract/schemas.ts'
import type { BatchSize } from '../runtime/plan.ts'
import type { Evaluation } from './evaluate.ts'
import type { Lessons } from './lessons.ts'
import type { Course } from './opening.ts'
import type { Optimizer } from './optimizer.ts'
import type { Mistakes } from './tally.ts'

export interface FitOptions extends Course {
  /** Sizes of patches are multiples of this. */
  readonly networkStep: number
  /** Whichever of the two bounds comes first ends the training. */
  readonly steps: number
  readonly seconds: number
  readonly seed: number
  /** Patches a step, and their width and height in pixels. */
  readonly batch: number
  readonly patch: number
  readonly evaluateEvery: number | undefined
  readonly backend: string
  readonly signal: AbortSignal | undefined
  readonly onProgress: ((progress: ComputeProgress) => void) | undefined
  /** Told when memory makes batch or patch smaller than asked for. */
  readonly notify: ((message: string) => void) | undefined
}

export interface Fitted {
  readonly training: NonNullable<ModelCard['training']>
  /** What memory allowed: at the end, where it changed. */
  readonly size: BatchSize
}

/** Of the average of the weights: some hundred steps count. */
const DECAY = 0.9925
/** The longer it trained, the less often it is measured: again after a sixth of the steps so far. */
const SELDOMER = 6
/** A curve has at most so many points. */
export const CURVE_POINTS = 400
/** Part of the time bound kept for the last measurement. */
const RESERVE = 0.04

interface Measured extends Evaluation {
  readonly weights: readonly Float32Array[]
  /** After so many steps. */
  readonly at: number
  /** Of what the parent had wrong. */
  readonly mistakes: Mistakes
  /** Dice, and what is allowed for mended mistakes. */
  readonly worth: number
}

/**
 * Trains a network in place, by an optimizer of its weights, and leaves it with the weights at the end: of a few slices that are
 * learned from, the best measured on the way tells little of others. Where Dice on them was better by more than the slack on the
 * way, or the end is worse than the beginning, it is left with the best measured, which may be those it came with. Of two, that is
 * better whose Dice is higher, with an allowance for what was wrong at the beginning and is right now (Course). Where it goes on
 * and nothing is wrong on the corrected slices, it takes no step. The random
 * numbers are drawn by the patches alone, so many a step, whatever else happens between steps. Yields to the event loop every
 * step. Errors as trainModel throws them; the weights are then undefined.
 */
export async function fit(
  network: LayersModel,
  optimizer: Optimizer,
  lessons: Lessons,
  options: FitOptions,
): Promise<Fitted> {
  const { networkStep, steps, seconds, seed, batch, patch, peak, rise, slack, allowance, goesOn } = options
  const { signal, onProgress, notify } = options
  const started = performance.now()
  const elapsed = () => (performance.now() - started) / 1000
  const first = await optimizer.snapshot()
  const room = await trainingRoom(network, networkStep, { count: batch, size: patch }, notify)
  // Measuring what a step costs moved the statistics of batch normalization.
  optimizer.restore(first)
  stopIfCancelled(signal)
  const looked = await lessons.choose(signal)
  const every = options.evaluateEvery ?? evaluationInterval(lessons.measured, { count: batch, size: patch })
  const before = await lessons.evaluate(signal)
  let end: Measured = { ...before, weights: first, at: 0, ...judged(before) }
  const start = end
  let best = end
  const curve: CurvePoint[] = [{ step: 0, loss: before.loss, dice: before.dice }]
  onProgress?.({ step: 0, steps, point: curve[0] ?? null, secondsLeft: null })
  const average = averageOf(optimizer, DECAY)
  let measureAt = every
  const times: number[] = []
  const allRight = goesOn && start.mistakes.count === 0 && lessons.corrected > 0 && looked >= lessons.corrected
  let planned = allRight ? 0 : steps
  let boundBy: 'steps' | 'seconds' = 'steps'
  let done = 0
  while (done < planned) {
    await nextTurn()
    stopIfCancelled(signal)
    const stepStarted = elapsed()
    const rate = learningRateAt(peak, done, done < MEASURED ? steps : planned, rise)
    const step = () => lessons.step(optimizer, room.size, rate)
    const loss = await room.run(step)
    if (!Number.isFinite(loss)) throw notANumber()
    done++
    let dice = curve.at(-1)?.dice ?? 0
    await average.stepped()
    if (done >= measureAt || done >= planned) {
      measureAt = done + (options.evaluateEvery ?? Math.max(every, Math.floor(done / SELDOMER)))
      dice = (await measure()).dice
    }
    const point = { step: done, loss, dice }
    curve.push(point)
    times.push(elapsed() - stepStarted)
    planned = plannedSteps(steps, seconds * (1 - RESERVE) - elapsed(), times)
    // Fewer planned before enough was timed is a guess that may be taken back without a trace.
    if (planned !== steps && (done >= MEASURED || done >= planned)) boundBy = 'seconds'
    onProgress?.({ step: done, steps: planned, point, secondsLeft: secondsLeft(times, planned, seconds, elapsed()) })
  }
  // A step that took longer than others may leave no time for the next one, which was to be the last and measured.
  if (end.at < done) {
    const { dice } = await measure()
    curve.push({ ...(curve.pop() ?? { step: done, loss: NaN }), dice })
  }
  const kept = isBetter(end, start) && end.worth >= best.worth - slack ? end : best
  optimizer.restore(kept.weights)
  const training = {
    slices: lessons.corrected,
    steps: done,
    seconds: elapsed(),
    seed,
    backend: options.backend,
    boundBy,
    keptStep: kept.at,
    mistakes: kept.mistakes,
    lossBefore: before.loss,
    lossAfter: kept.loss,
    diceBefore: before.dice,
    diceAfter: kept.dice,
    curve: thinned(curve),
  }
  return { training, size: room.size }

  async function measure(): Promise<Evaluation> {
    end = await average.use(async () => {
      const now = await lessons.evaluate(signal)
      return { ...now, weights: await optimizer.snapshot(), at: done, ...judged(now) }
    })
    if (!Number.isFinite(end.loss)) throw notANumber()
    if (isBetter(end, best)) best = end
    return end
  }

  function judged(now: Evaluation): Pick<Measured, 'mistakes' | 'worth'> {
    return {
      mistakes: mistakesOf(before.wrong, now.wrong),
      worth: now.dice + allowance * leniency(before, now),
    }
  }
}

function isBetter(one: Measured, other: Measured): boolean {
  return one.worth > other.worth || (one.worth === other.worth && one.loss < other.loss)
}

/**
 * Steps between two measurements: 10, or more where the measured slices are so large that measuring them would take more
 * than some sixth of the time. A step costs about three passes over its pixels, a measurement one.
 */
export function evaluationInterval(measured: Lessons['measured'], { count, size }: BatchSize): number {
  const pixels = measured.reduce((sum, { width, height }) => sum + width * height, 0)
  return Math.max(10, Math.ceil((5 * pixels) / (3 * count * size ** 2)))
}

function secondsLeft(times: readonly number[], planned: number, seconds: number, elapsed: number): number {
  const perStep = times.reduce((sum, time) => sum + time, 0) / Math.max(1, times.length)
  return Math.max(0, Math.min(seconds - elapsed, (planned - times.length) * perStep))
}

/** At most CURVE_POINTS points, the last one always. */
export function thinned(curve: readonly CurvePoint[]): CurvePoint[] {
  const every = Math.ceil(curve.length / CURVE_POINTS)
  return curve.filter((_, i) => i % every === 0 || i === curve.length - 1)
}
