import { judge } from '../../src/core/learning/judge.ts'
import type { HeldCase } from '../../src/core/learning/judge.ts'
import { standardError } from '../../src/core/metrics/index.ts'
import { randomNumbers, shuffled } from './random.ts'
import type { TrueSlice, TrueVolume } from './hippocampi.ts'
import type { Lesson, Workshop } from './workshop.ts'

export type Spoiling = 'label noise' | 'learning rate' | 'normalization'

export interface Candidate {
  readonly spoiled: Spoiling | null
  readonly promoted: boolean
  /** What the program says of it. */
  readonly reason: string
  /** Mean difference of Dice on volumes that neither the training nor the judgement saw, and its standard error. */
  readonly difference: number
  readonly error: number
}

interface Parts {
  readonly startDir: string
  readonly known: readonly TrueVolume[]
  readonly pool: readonly TrueVolume[]
  /** What candidates are judged on. */
  readonly holdout: readonly TrueVolume[]
  /** What tells how good they really are. */
  readonly test: readonly TrueVolume[]
  readonly count: number
  readonly spoiled: number
  readonly seed: number
  readonly tell: (candidate: Candidate, number: number) => void
}

const KINDS: readonly Spoiling[] = ['label noise', 'learning rate', 'normalization']

/**
 * Candidates as they come up in use, each fine-tuned from the same version on other slices, of which some are spoiled on
 * purpose; judged on the hold-out as the program does.
 */
export async function tryCandidates(workshop: Workshop, parts: Parts): Promise<Candidate[]> {
  const { startDir, known, pool, holdout, test, count, spoiled, seed, tell } = parts
  const slices = pool.flatMap((volume) => volume.slices.filter(({ labels }) => labels.some((label) => label > 0)))
  const before = known.flatMap((volume) => volume.slices.map((slice): Lesson => ({ ...slice, role: 'replay' })))
  const held = await answers(workshop, startDir, holdout)
  const scored = await workshop.score(startDir, test)
  const candidates: Candidate[] = []
  for (let n = 0; n < count; n++) {
    const random = randomNumbers(seed + n)
    const kind = n < spoiled ? (KINDS[n % KINDS.length] ?? null) : null
    const fresh = shuffled(slices, seed + n).slice(0, 10 + Math.floor(50 * random()))
    const samples = fresh.map((slice): Lesson => ({ ...spoil(slice, kind, random), role: 'corrected' }))
    const continuing = kind === 'learning rate' ? { learningRate: 0.1 } : {}
    // What one click of ten seconds comes to on slices of this size.
    const steps = 200 + Math.floor(200 * random())
    let difference = -1
    let error = 0
    let judged = { verdict: 'aside', reason: 'stopped: its loss was no number any more' }
    try {
      const replay = before.map((slice): Lesson =>
        kind === null ? slice : { ...spoil(slice, kind, random), role: 'replay' },
      )
      const model = await workshop.train(startDir, [...samples, ...replay], {
        ...{ seconds: 600, steps, seed: seed + n, continuing },
      })
      const now = await answers(workshop, model, holdout)
      judged = judge(together(holdout, held, now), workshop.labels)
      const after = await workshop.score(model, test)
      const differences = after.byVolume.map((dice, at) => dice - (scored.byVolume[at] ?? 0))
      difference = differences.reduce((sum, value) => sum + value, 0) / differences.length
      error = standardError(differences)
    } catch (thrown) {
      // A training whose loss is no number any more was stopped and discarded: there is nothing to promote.
      if (kind === null) throw thrown
    }
    const candidate = {
      spoiled: kind,
      promoted: judged.verdict === 'promoted',
      reason: judged.reason,
      difference,
      error,
    }
    candidates.push(candidate)
    tell(candidate, n)
  }
  return candidates
}

function spoil(slice: TrueSlice, kind: Spoiling | null, random: () => number): TrueSlice {
  if (kind === 'normalization') {
    // Another window than predictions use, and turned round in every other slice.
    const width = slice.high - slice.low
    return { ...slice, low: slice.low + width * random(), high: slice.high + width * (1 + random()) }
  }
  if (kind !== 'label noise') return slice
  // A mask that lies some pixels off, and labels that were mixed up.
  const { width, height } = slice
  const labels = new Uint8Array(width * height)
  const [dx, dy] = [3 + Math.floor(4 * random()), 3 + Math.floor(4 * random())]
  const swap = random() < 0.5
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const label = slice.labels[Math.min(height - 1, y + dy) * width + Math.min(width - 1, x + dx)] ?? 0
      labels[y * width + x] = swap && label > 0 ? 3 - label : label
    }
  }
  return { ...slice, labels }
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
