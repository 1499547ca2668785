import { CodedError } from '../../src/core/contract/errors.ts'
import { judge } from '../../src/core/learning/judge.ts'
import type { HeldCase } from '../../src/core/learning/judge.ts'
import { meanOf, standardError } from '../../src/core/metrics/index.ts'
import { lessonsFor, placesOf, showsLabel, type Place } from './lessons.ts'
import { randomNumbers, shuffled } from './random.ts'
import { spoiler, SPOILINGS, type Spoiling } from './spoiling.ts'
import type { TrueVolume } from './hippocampi.ts'
import type { Workshop } from './workshop.ts'

export interface Candidate {
  readonly spoiled: Spoiling | null
  /** Its training, or its weights, came to no numbers: there is nothing that could be promoted. */
  readonly stopped: boolean
  /** By each number of cases of the hold-out that it was judged on, in the order given. */
  readonly promoted: readonly boolean[]
  /** What the program says of it, judged on the most cases. */
  readonly reason: string
  /** Mean difference of Dice on volumes that neither the training nor the judgement saw, and its standard error; NaN: stopped. */
  readonly difference: number
  readonly error: number
}

interface Parts {
  readonly startDir: string
  readonly known: readonly TrueVolume[]
  readonly pool: readonly TrueVolume[]
  /** What candidates are judged on: the first so many of it, for each number. */
  readonly holdout: readonly TrueVolume[]
  readonly judgedOn: readonly number[]
  /** What tells how good they really are. */
  readonly truth: readonly TrueVolume[]
  readonly count: number
  readonly spoiled: number
  readonly steps: readonly [least: number, most: number]
  readonly seed: number
  readonly tell: (candidate: Candidate, number: number) => void
}

/**
 * Candidates as they come up in use, each fine-tuned from the same version on other slices, of which the first are spoiled on
 * purpose, each kind as often; judged on the hold-out as the program does. What is spoiled is all that a candidate learns
 * from, the replay too; what it is judged and measured on never is.
 */
export async function tryCandidates(workshop: Workshop, parts: Parts): Promise<Candidate[]> {
  const { startDir, known, pool, holdout, truth, count, spoiled, seed, tell } = parts
  const slices = placesOf(pool).filter(showsLabel)
  const before = placesOf(known)
  const held = await answers(workshop, startDir, holdout)
  const scored = await workshop.score(startDir, truth)
  const candidates: Candidate[] = []
  for (let n = 0; n < count; n++) {
    const random = randomNumbers(seed + n)
    const kind = n < spoiled ? (SPOILINGS[n % SPOILINGS.length] ?? null) : null
    const spoil = spoiler(kind, random)
    const asTaught = (places: readonly Place[]): Place[] =>
      places.map(({ caseId, slice }) => ({ caseId, slice: spoil(slice) }))
    const fresh = shuffled(slices, seed + n).slice(0, 10 + Math.floor(50 * random()))
    const [least, most] = parts.steps
    const steps = least + Math.floor((most - least) * random())
    const samples = lessonsFor(asTaught(fresh), asTaught(before), seed + n)
    const continuing = kind === 'learning rate' ? { learningRate: 0.1 + 0.4 * random() } : {}
    const measured = await unlessNoNumbers(async () => {
      const bounds = { seconds: 600, steps, seed: seed + n, continuing }
      const model = await workshop.train(startDir, samples, bounds)
      return { now: await answers(workshop, model, holdout), after: await workshop.score(model, truth) }
    })
    const candidate = { spoiled: kind, ...judgedBy(measured) }
    candidates.push(candidate)
    tell(candidate, n)
  }
  return candidates

  function judgedBy(measured: { now: Answers; after: { byVolume: readonly number[] } } | null) {
    if (measured === null) {
      const nothing = { stopped: true, promoted: parts.judgedOn.map(() => false), difference: NaN, error: NaN }
      return { ...nothing, reason: 'stopped: its numbers were none any more' }
    }
    const { now, after } = measured
    const judged = parts.judgedOn.map((cases) => judge(together(holdout.slice(0, cases), held, now), workshop.labels))
    const differences = after.byVolume.map((dice, at) => dice - (scored.byVolume[at] ?? NaN))
    return {
      stopped: false,
      promoted: judged.map(({ verdict }) => verdict === 'promoted'),
      reason: judged[0]?.reason ?? '',
      difference: meanOf(differences),
      error: standardError(differences),
    }
  }
}

/** null where what was trained came to no numbers, which the program discards. Everything else is thrown on. */
async function unlessNoNumbers<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work()
  } catch (thrown) {
    const discarded =
      thrown instanceof CodedError &&
      thrown.code === 'compute-failed' &&
      /no longer a number|no numbers/.test(thrown.message)
    if (!discarded) throw thrown
    return null
  }
}

type Answers = HeldCase['slices'][number]['after'][][]

/** By volume and slice. */
async function answers({ compute }: Workshop, modelDir: string, volumes: readonly TrueVolume[]): Promise<Answers> {
  const all: Answers = []
  for (const { slices } of volumes) {
    const samples = slices.map((slice) => ({ ...slice, role: 'corrected' as const }))
    all.push((await compute.call('score', { modelDir, samples })).slices.map(({ overlaps }) => overlaps))
  }
  return all
}

function together(volumes: readonly TrueVolume[], before: Answers, after: Answers): HeldCase[] {
  return volumes.map(({ id, slices }, at) => ({
    caseId: id,
    name: id,
    slices: slices.map((_, index) => ({
      before: before[at]?.[index] ?? null,
      after: after[at]?.[index] ?? [],
    })),
  }))
}
