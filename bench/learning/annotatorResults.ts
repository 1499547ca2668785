import { annotate, lessonsOf, ROUND, type Round } from './annotator.ts'
import { HIPPOCAMPUS_LABELS, readVolumes } from './hippocampi.ts'
import { openWorkshop } from './workshop.ts'
import { result, type BenchResult } from '../support/report.ts'

const START = 5
const POOL = 40
const TEST = 20
/** Which volumes are what, and which order is random. */
const SPLIT = 7
const SEED = 11
/** Of the first model, and of each fine-tuning; "at most 30 s". */
const START_SECONDS = 30
const ROUND_SECONDS = Number(process.env.MASKWRIGHT_ROUND_SECONDS ?? 30)
/** Of the model from scratch on all volumes, well after its Dice has stopped rising. */
const FULL_SECONDS = 300
const REACHED = 0.97
const MOST = 0.15
/** The curve counts as there when it stays there: the mean of so many rounds. */
const SMOOTH = 3

/** Does a model reach what one does that was trained on everything, and with how few corrected slices? */
export async function annotatorResults(folder: string): Promise<BenchResult[]> {
  const [known = [], pool = [], test = []] = await readVolumes(folder, [START, POOL, TEST], SPLIT)
  const workshop = await openWorkshop(HIPPOCAMPUS_LABELS)
  try {
    const total = pool.reduce((sum, { slices }) => sum + slices.length, 0)
    const all = [...known, ...pool].flatMap(({ id, slices }) => slices.map((slice) => ({ caseId: id, slice })))
    const fullDir = await workshop.train(null, lessonsOf(all, 'corrected'), { seconds: FULL_SECONDS })
    const full = await workshop.score(fullDir, test)
    console.log(`full: ${JSON.stringify({ ...full, byVolume: undefined })}`)
    const first = known.flatMap(({ id, slices }) => slices.map((slice) => ({ caseId: id, slice })))
    const startDir = await workshop.train(null, lessonsOf(first, 'corrected'), { seconds: START_SECONDS })
    const target = REACHED * full.dice
    const rounds = Math.floor((MOST * total) / ROUND)
    const curves = new Map<string, Round[]>()
    for (const order of ['queue', 'random'] as const) {
      const told = await annotate(workshop, {
        ...{ order, known, pool, test, startDir, rounds, seed: SEED, bounds: { seconds: ROUND_SECONDS } },
        tell: (round) => {
          console.log(`${order}: ${JSON.stringify(round)}`)
          return false
        },
      })
      curves.set(order, told)
    }
    const queue = curves.get('queue') ?? []
    const random = curves.get('random') ?? []
    const needed = (rounds: readonly Round[]): number => slicesUntil(rounds, target)
    const [ours, chance] = [needed(queue), needed(random)]
    const params = { slices: total, volumes: POOL, test: TEST, secondsARound: ROUND_SECONDS, target: digits(target) }
    const [before, after] = [queue[0], queue.at(-1)]
    return [
      result({
        name: 'annotator: slices until 97 % of full training',
        params: { ...params, share: digits(ours / total) },
        values: [ours],
        unit: 'slices',
        reference: { name: 'random order', median: chance },
        budget: 'at most 0.67x random order, and at most 15 % of the slices',
      }),
      result({
        name: 'annotator: Dice from scratch on all',
        params: { slices: all.length, seconds: FULL_SECONDS },
        values: [full.dice],
        unit: 'Dice',
      }),
      result({
        name: 'annotator: voxels to change in a fresh case',
        params: { ...params, fromScratchOnAll: Math.round(full.changed) },
        values: [after?.changed ?? NaN],
        unit: 'voxels',
        reference: { name: 'first round', median: before?.changed ?? NaN },
        budget: 'at most 0.4x the first round',
      }),
      ...[...curves].flatMap(([order, rounds]) =>
        rounds.map(({ slices, dice, changed, corrected }) =>
          result({
            name: `annotator: Dice, ${order}`,
            params: { correctedSlices: slices, voxelsToChange: Math.round(changed), voxelsCorrected: corrected },
            values: [dice],
            unit: 'Dice',
          }),
        ),
      ),
    ]
  } finally {
    await workshop.close()
  }
}

/** Infinite where it never is. */
function slicesUntil(rounds: readonly Round[], target: number): number {
  const at = rounds.findIndex((_, first) => {
    const some = rounds.slice(first, first + SMOOTH)
    return some.reduce((sum, { dice }) => sum + dice, 0) / some.length >= target
  })
  return rounds[at]?.slices ?? Infinity
}

function digits(value: number): number {
  return Number(value.toFixed(4))
}
