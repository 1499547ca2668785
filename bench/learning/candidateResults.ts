import { tryCandidates, type Candidate } from './candidates.ts'
import { HIPPOCAMPUS_LABELS, readVolumes } from './hippocampi.ts'
import { lessonsOfAll, placesOf } from './lessons.ts'
import { SPOILINGS } from './spoiling.ts'
import { openWorkshop } from './workshop.ts'
import { result, type BenchResult } from '../support/report.ts'

const SPLIT = 7
const SEED = 100
/** Truly better, or worse: by so much Dice on volumes that nothing else saw, and by so many standard errors. */
const MARGIN = 0.01
const CLEARLY = 2
/** Margins that are told of beside it. */
const OTHER_MARGINS = [0, 0.005, 0.02] as const

interface CandidatePlan {
  readonly volumes: { readonly known: number; readonly pool: number; readonly holdout: number; readonly truth: number }
  /** Cases of the hold-out, the main figure first. */
  readonly judgedOn: readonly number[]
  readonly startSeconds: number
  readonly count: number
  readonly spoiled: number
  /** What clicks of 8 (the default) to 20 seconds come to on slices of this size, on two cores. */
  readonly steps: readonly [least: number, most: number]
}

const PLAN: CandidatePlan = {
  volumes: { known: 5, pool: 14, holdout: 20, truth: 40 },
  ...{ judgedOn: [20, 5], startSeconds: 20, count: 100, spoiled: 30, steps: [260, 640] },
}

/** Of a hundred candidates, thirty of them spoiled: which are used, and which should be? */
export async function candidateResults(folder: string, plan = PLAN): Promise<BenchResult[]> {
  const { volumes, judgedOn, startSeconds, count, spoiled, steps } = plan
  const [known = [], pool = [], holdout = [], truth = []] = await readVolumes(
    folder,
    [volumes.known, volumes.pool, volumes.holdout, volumes.truth],
    SPLIT,
  )
  const workshop = await openWorkshop(HIPPOCAMPUS_LABELS)
  try {
    const startDir = await workshop.train(null, lessonsOfAll(placesOf(known)), { seconds: startSeconds })
    const candidates = await tryCandidates(workshop, {
      ...{ startDir, known, pool, holdout, judgedOn, truth, count, spoiled, steps, seed: SEED },
      tell: (candidate, number) => console.log(`${number}: ${JSON.stringify(candidate)}`),
    })
    return judgedOn.flatMap((cases, at) => rows(candidates, at, cases, truth.length))
  } finally {
    await workshop.close()
  }
}

/** Of what was judged on so many cases, the `at`th judgement of each candidate. */
function rows(candidates: readonly Candidate[], at: number, cases: number, truth: number): BenchResult[] {
  const promoted = (list: readonly Candidate[]): number => list.filter((each) => each.promoted[at] === true).length
  const spoiled = candidates.filter((candidate) => candidate.spoiled !== null)
  const honest = candidates.filter((candidate) => candidate.spoiled === null)
  const better = betterBy(honest, MARGIN)
  const worse = candidates.filter(({ difference, error }) => difference <= -MARGIN && difference < -CLEARLY * error)
  const params = { candidates: candidates.length, holdoutCases: cases, truthCases: truth, margin: MARGIN }
  const byKind = SPOILINGS.map((kind): [string, string] => {
    const some = spoiled.filter((candidate) => candidate.spoiled === kind)
    return [kind, `${promoted(some)} of ${some.length}`]
  })
  const byMargin = OTHER_MARGINS.map((margin): [string, string] => {
    const some = betterBy(honest, margin)
    return [`betterBy${margin}`, `${promoted(some)} of ${some.length}`]
  })
  const main = at === 0
  return [
    result({
      name: `promotion: spoiled versions that were promoted, ${cases} cases held out`,
      params: {
        ...{ ...params, spoiled: spoiled.length, ...Object.fromEntries<string>(byKind) },
        ...{ stopped: spoiled.filter(({ stopped }) => stopped).length },
        trulyBetterAllTheSame: betterBy(spoiled, MARGIN).length,
      },
      values: [promoted(spoiled)],
      unit: 'versions',
      ...(main ? { budget: 'none' } : {}),
    }),
    result({
      name: `promotion: truly better versions that were promoted, ${cases} cases held out`,
      params: {
        ...{ ...params, honest: honest.length, trulyBetter: better.length, promoted: promoted(better) },
        ...Object.fromEntries<string>(byMargin),
      },
      values: better.length === 0 ? [] : [promoted(better) / better.length],
      unit: 'share',
      ...(main ? { budget: 'at least 0.9' } : {}),
    }),
    result({
      name: `promotion: truly worse versions that were promoted, ${cases} cases held out`,
      params: { ...params, trulyWorse: worse.length },
      values: [promoted(worse)],
      unit: 'versions',
    }),
  ]
}

/** Clearly, and by the margin at least; what was stopped is not better than anything. */
function betterBy(candidates: readonly Candidate[], margin: number): Candidate[] {
  return candidates.filter(({ difference, error }) => difference >= margin && difference > CLEARLY * error)
}
