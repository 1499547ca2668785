import { moveOn, type Forgotten, type Keeping } from './forgetting.ts'
import { HIPPOCAMPUS_LABELS, readVolumes } from './hippocampi.ts'
import { lessonsOfAll, placesOf } from './lessons.ts'
import { openWorkshop } from './workshop.ts'
import { result, type BenchResult } from '../support/report.ts'

const SPLIT = 7
/** Orders of the other look's slices, and of the patches: what one of them loses differs by 0.003 or so from the next. */
const SEEDS = [11, 12, 13]

interface ForgettingPlan {
  readonly volumes: { readonly known: number; readonly others: number; readonly test: number }
  readonly startSeconds: number
  readonly roundSeconds: number
  readonly rounds: number
}

const PLAN: ForgettingPlan = {
  volumes: { known: 20, others: 15, test: 20 },
  ...{ startSeconds: 60, roundSeconds: 20, rounds: 5 },
}

const WAYS: readonly (Keeping & { readonly budget?: string })[] = [
  { name: 'replay and anchor, as the program does', replay: true, anchor: true, budget: 'at most 0.01 less' },
  { name: 'replay only', replay: true, anchor: false },
  { name: 'anchor only', replay: false, anchor: true },
  { name: 'neither', replay: false, anchor: false },
]

/** What the first kind loses while a model learns another look, by what keeps it: means over the orders. */
export async function forgettingResults(folder: string, plan = PLAN): Promise<BenchResult[]> {
  const { volumes, startSeconds, roundSeconds, rounds } = plan
  const [known = [], others = [], test = []] = await readVolumes(
    folder,
    [volumes.known, volumes.others, volumes.test],
    SPLIT,
  )
  const workshop = await openWorkshop(HIPPOCAMPUS_LABELS)
  try {
    const startDir = await workshop.train(null, lessonsOfAll(placesOf(known)), { seconds: startSeconds })
    const results: BenchResult[] = []
    for (const { budget, ...way } of WAYS) {
      const orders: Forgotten[] = []
      for (const seed of SEEDS) {
        const parts = { startDir, known, others, test, rounds, bounds: { seconds: roundSeconds }, seed }
        orders.push(await moveOn(workshop, parts, way))
        console.log(`${way.name}, ${seed}: ${JSON.stringify(orders.at(-1))}`)
      }
      const first = meanOf(orders.map((order) => order.first))
      const other = meanOf(orders.map((order) => order.other))
      const afterEach = orders.map((order) => order.first.at(-1) ?? NaN)
      const [before = NaN] = first
      const after = first.at(-1) ?? NaN
      results.push(
        result({
          name: `forgetting: Dice on the first kind, ${way.name}`,
          params: {
            ...{ rounds, secondsARound: roundSeconds, lost: digits(before - after) },
            ...{ mostLost: digits(before - Math.min(...first)), byRound: first.map(digits).join(', ') },
            lostByOrder: afterEach.map((dice) => digits(before - dice)).join(', '),
            ...{ otherBefore: digits(other[0] ?? NaN), otherAfter: digits(other[1] ?? NaN) },
          },
          values: afterEach,
          unit: 'Dice',
          reference: { name: 'before moving on', median: before },
          ...(budget === undefined ? {} : { budget }),
        }),
      )
    }
    return results
  } finally {
    await workshop.close()
  }
}

/** Place by place. */
function meanOf(lists: readonly (readonly number[])[]): number[] {
  const [first = []] = lists
  return first.map((_, at) => lists.reduce((sum, list) => sum + (list[at] ?? NaN), 0) / lists.length)
}

function digits(value: number): number {
  return Number(value.toFixed(4))
}
