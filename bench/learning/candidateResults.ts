import { lessonsOf } from './annotator.ts'
import { tryCandidates } from './candidates.ts'
import { HIPPOCAMPUS_LABELS, readVolumes } from './hippocampi.ts'
import { openWorkshop } from './workshop.ts'
import { result, type BenchResult } from '../support/report.ts'

const SPLIT = 7
const COUNT = 100
const SPOILED = 30
/** Better by so many standard errors on volumes that nothing else saw: truly better. */
const CLEARLY = 2

/** Of a hundred candidates, thirty of them spoiled: which are used, and which should be? */
export async function candidateResults(folder: string): Promise<BenchResult[]> {
  const [known = [], pool = [], holdout = [], test = []] = await readVolumes(folder, [5, 26, 20, 28], SPLIT)
  const workshop = await openWorkshop(HIPPOCAMPUS_LABELS)
  try {
    const first = known.flatMap(({ id, slices }) => slices.map((slice) => ({ caseId: id, slice })))
    const startDir = await workshop.train(null, lessonsOf(first, 'corrected'), { seconds: 20 })
    const candidates = await tryCandidates(workshop, {
      ...{ startDir, known, pool, holdout, test, count: COUNT, spoiled: SPOILED, seed: 100 },
      tell: (candidate, number) => console.log(`${number}: ${JSON.stringify(candidate)}`),
    })
    const spoiled = candidates.filter((candidate) => candidate.spoiled !== null)
    const better = candidates.filter(
      ({ spoiled: kind, difference, error }) => kind === null && difference > CLEARLY * error,
    )
    const honest = candidates.length - spoiled.length
    const params = { candidates: candidates.length, holdoutCases: holdout.length, testCases: test.length }
    const promoted = (list: typeof candidates): number => list.filter((each) => each.promoted).length
    const worse = candidates.filter(({ difference, error }) => difference < -CLEARLY * error)
    return [
      result({
        name: 'promotion: spoiled versions that were promoted',
        params: { ...params, spoiled: spoiled.length },
        values: [promoted(spoiled)],
        unit: 'versions',
        budget: 'none',
      }),
      result({
        name: 'promotion: truly better versions that were promoted',
        params: { ...params, honest, trulyBetter: better.length },
        values: [promoted(better) / better.length],
        unit: 'share',
        budget: 'at least 0.9',
      }),
      result({
        name: 'promotion: truly worse versions that were promoted',
        params: { ...params, trulyWorse: worse.length },
        values: [promoted(worse)],
        unit: 'versions',
      }),
    ]
  } finally {
    await workshop.close()
  }
}
