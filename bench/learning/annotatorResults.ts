import { annotate, ROUND, type Round } from './annotator.ts'
import { HIPPOCAMPUS_LABELS, readVolumes } from './hippocampi.ts'
import { lessonsOfAll, placesOf } from './lessons.ts'
import { openWorkshop } from './workshop.ts'
import { median, result, type BenchResult } from '../support/report.ts'

/** Which volumes are what. */
const SPLIT = 7
const QUEUE_SEED = 11
const REACHED = 0.97
const MOST = 0.15
/** A curve counts as there where it is and stays there: the mean of so many rounds, from the first that is. */
const STAYS = 3
/** Random orders are given up at so many times the slices that the queue needed; where time is short sooner, but not before. */
const AT_MOST = 2
const AT_LEAST = 1.5
const FEWEST_ORDERS = 2
/** About what a round takes beside its training. */
const SCORE_SECONDS = 2

/** Seconds of the trainings, and how much of everything there is. */
export interface AnnotatorPlan {
  readonly volumes: { readonly start: number; readonly pool: number; readonly test: number }
  /** Of the first model. */
  readonly startSeconds: number
  /** Of each fine-tuning; "at most 30 s". */
  readonly roundSeconds: number
  /** Of the model from scratch on all volumes, well after its Dice has stopped rising. */
  readonly fullSeconds: number
  readonly rounds: number
  /** Seeds of the random orders; fewer of them, and shorter ones, where all would take longer than `minutes` in all. */
  readonly random: readonly number[]
  readonly minutes: number
}

const PLAN: AnnotatorPlan = {
  volumes: { start: 5, pool: 40, test: 20 },
  ...{ startSeconds: 30, roundSeconds: 30, fullSeconds: 300 },
  ...{ rounds: 12, random: [101, 202, 303], minutes: 30 },
}

/** Does a model reach what one does that was trained on everything, and with how few corrected slices? */
export async function annotatorResults(folder: string, plan = PLAN): Promise<BenchResult[]> {
  const began = performance.now()
  const { start, pool: most, test: held } = plan.volumes
  const [known = [], pool = [], test = []] = await readVolumes(folder, [start, most, held], SPLIT)
  const workshop = await openWorkshop(HIPPOCAMPUS_LABELS)
  try {
    const total = placesOf(pool).length
    const all = lessonsOfAll(placesOf([...known, ...pool]))
    const full = await workshop.score(await workshop.train(null, all, { seconds: plan.fullSeconds }), test)
    const target = REACHED * full.dice
    console.log(`full: Dice ${digits(full.dice)}, target ${digits(target)}`)
    const startDir = await workshop.train(null, lessonsOfAll(placesOf(known)), { seconds: plan.startSeconds })
    const common = { known, pool, test, startDir, bounds: { seconds: plan.roundSeconds } }
    const rounds = Math.min(plan.rounds, Math.floor((MOST * total) / ROUND))
    const queue = await annotate(workshop, {
      ...{ ...common, order: 'queue', rounds, seed: QUEUE_SEED },
      tell: (told) => say('queue', told),
    })
    const ours = slicesUntil(queue, target)
    const trained = median(queue.slice(1).map(({ trainSeconds }) => trainSeconds))
    const left = (plan.minutes * 60 - (performance.now() - began) / 1000) / (trained + SCORE_SECONDS)
    const { orders, roundsOfRandom, bound } = randomPart(ours, rounds, plan.random.length, left)
    const seeds = plan.random.slice(0, orders)
    const random: Round[][] = []
    for (const seed of seeds) {
      random.push(
        await annotate(workshop, {
          ...{ ...common, order: 'random', rounds: roundsOfRandom, seed },
          tell: (told) => say(`random ${seed}`, told) || slicesUntil(told, target) !== null,
        }),
      )
    }
    const found = random.map((each) => slicesUntil(each, target))
    const params = { slices: total, volumes: pool.length, test: test.length, secondsARound: plan.roundSeconds }
    const [before, after] = [queue[0], queue.at(-1)]
    return [
      result({
        name: 'annotator: slices until 97 % of full training',
        params: {
          ...{ ...params, target: digits(target), share: ours === null ? 'not reached' : digits(ours / total) },
          ...{ queue: ours ?? `more than ${bound}` },
          randomOrders: found.map((slices) => slices ?? `more than ${bound}`).join(', '),
        },
        values: [ours ?? NaN],
        unit: 'slices',
        // Of orders that never got there the bound: the true ratio is then no higher than the one given.
        reference:
          ours === null ? null : { name: 'random order', median: median(found.map((slices) => slices ?? bound)) },
        budget: 'at most 0.67x random order, and at most 15 % of the slices',
      }),
      result({
        name: 'annotator: Dice from scratch on all',
        params: { slices: all.length, seconds: plan.fullSeconds },
        values: [full.dice],
        unit: 'Dice',
      }),
      result({
        name: 'annotator: voxels to change in a fresh case',
        params: { ...params, correctedSlices: after?.slices ?? 0, fromScratchOnAll: Math.round(full.changed) },
        values: [after?.changed ?? NaN],
        unit: 'voxels',
        reference: { name: 'first round', median: before?.changed ?? NaN },
        budget: 'at most 0.4x the first round',
      }),
      ...curve('queue', queue),
      ...random.flatMap((each, at) => curve(`random order ${at + 1}`, each)),
    ]
  } finally {
    await workshop.close()
  }
}

/** Corrected slices of the first round that has reached the target and, with those after it, stays there; null: none has. */
function slicesUntil(rounds: readonly Pick<Round, 'slices' | 'dice'>[], target: number): number | null {
  const there = rounds.find(({ dice }, at) => {
    const some = rounds.slice(at, at + STAYS)
    return dice >= target && some.length === STAYS && some.reduce((sum, each) => sum + each.dice, 0) / STAYS >= target
  })
  return there?.slices ?? null
}

/**
 * How many random orders are tried, for how many rounds, where so many rounds are left in all; and up to how many corrected slices
 * one can then be seen to have reached the target. Where the queue has not (null), they go as far as it went.
 */
function randomPart(
  ours: number | null,
  rounds: number,
  wanted: number,
  left: number,
): { readonly orders: number; readonly roundsOfRandom: number; readonly bound: number } {
  if (ours === null) {
    const orders = wanted * rounds > left ? Math.min(wanted, FEWEST_ORDERS) : wanted
    return { orders, roundsOfRandom: rounds, bound: Math.max(0, rounds - STAYS + 1) * ROUND }
  }
  const until = (times: number): number => Math.ceil((times * ours) / ROUND) + STAYS - 1
  const orders = wanted * until(AT_MOST) > left ? Math.min(wanted, FEWEST_ORDERS) : wanted
  const fitting = Math.min(until(AT_MOST), Math.floor(left / orders))
  const roundsOfRandom = Math.max(until(AT_LEAST), fitting)
  return { orders, roundsOfRandom, bound: (roundsOfRandom - STAYS + 1) * ROUND }
}

function curve(order: string, rounds: readonly Round[]): BenchResult[] {
  return rounds.map(({ slices, dice, changed, corrected, trainSeconds, seconds }) =>
    result({
      name: `annotator: Dice, ${order}`,
      params: {
        ...{ correctedSlices: slices, voxelsToChange: Math.round(changed), voxelsCorrected: corrected },
        ...{ trainSeconds: Number(trainSeconds.toFixed(1)), seconds: Number(seconds.toFixed(1)) },
      },
      values: [dice],
      unit: 'Dice',
    }),
  )
}

/** Never enough. */
function say(order: string, rounds: readonly Round[]): boolean {
  console.log(`${order}: ${JSON.stringify(rounds.at(-1))}`)
  return false
}

function digits(value: number): number {
  return Number(value.toFixed(4))
}
