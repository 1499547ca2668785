import { lessonsOf } from './annotator.ts'
import { moveOn, type Keeping } from './forgetting.ts'
import { HIPPOCAMPUS_LABELS, readVolumes } from './hippocampi.ts'
import { openWorkshop } from './workshop.ts'
import { result, type BenchResult } from '../support/report.ts'

const SPLIT = 7
const SEED = 11
const START_SECONDS = 60
const ROUND_SECONDS = 20
const ANCHOR = 5

const WAYS: readonly Keeping[] = [
  { name: 'as the program does', replay: true, anchor: null },
  { name: 'neither replay nor anchoring', replay: false, anchor: 0 },
  { name: 'replay alone', replay: true, anchor: 0 },
  { name: 'anchoring alone', replay: false, anchor: ANCHOR },
  { name: 'replay and anchoring', replay: true, anchor: ANCHOR },
]

/** What the first kind loses while a model learns another look, by how it is kept. */
export async function forgettingResults(folder: string): Promise<BenchResult[]> {
  const [known = [], others = [], test = []] = await readVolumes(folder, [20, 15, 20], SPLIT)
  const workshop = await openWorkshop(HIPPOCAMPUS_LABELS)
  try {
    const first = known.flatMap(({ id, slices }) => slices.map((slice) => ({ caseId: id, slice })))
    const startDir = await workshop.train(null, lessonsOf(first, 'corrected'), { seconds: START_SECONDS })
    const results: BenchResult[] = []
    for (const way of WAYS) {
      const parts = { startDir, known, others, test, bounds: { seconds: ROUND_SECONDS }, seed: SEED }
      const found = await moveOn(workshop, parts, way)
      console.log(JSON.stringify(found))
      const [start = NaN] = found.first
      const [otherStart = NaN] = found.other
      results.push(
        result({
          name: `forgetting: Dice on the first kind, ${way.name}`,
          params: {
            ...{
              rounds: found.first.length - 1,
              anchor: way.anchor ?? 'by the number of slices',
              lost: digits(start - (found.first.at(-1) ?? NaN)),
            },
            ...{ otherBefore: digits(otherStart), otherAfter: digits(found.other.at(-1) ?? NaN) },
          },
          values: [found.first.at(-1) ?? NaN],
          unit: 'Dice',
          reference: { name: 'before moving on', median: start },
          ...(way.anchor === null ? { budget: 'at most 0.01 less' } : {}),
        }),
      )
    }
    return results
  } finally {
    await workshop.close()
  }
}

function digits(value: number): number {
  return Number(value.toFixed(4))
}
