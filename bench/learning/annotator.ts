import { rankSlices, type RankingOptions } from '../../src/core/learning/ranking.ts'
import { shuffled } from './random.ts'
import type { TrueSlice, TrueVolume } from './hippocampi.ts'
import type { Bounds, Lesson, Workshop } from './workshop.ts'

/** Slices that the simulated annotator corrects before the model is trained again. */
export const ROUND = 10

export interface Round {
  /** Corrected so far. */
  readonly slices: number
  readonly dice: number
  /** Voxels to be changed in a fresh volume. */
  readonly changed: number
  /** Voxels that the annotator changed in the slices of this round; 0 before the first. */
  readonly corrected: number
}

export interface Annotation {
  readonly order: 'queue' | 'random'
  /** Learned before the annotator began. */
  readonly known: readonly TrueVolume[]
  readonly pool: readonly TrueVolume[]
  readonly test: readonly TrueVolume[]
  readonly startDir: string
  readonly rounds: number
  readonly bounds: Bounds
  readonly seed: number
  readonly ranking?: Partial<RankingOptions>
  /** Told of each round; true: that is enough. */
  readonly tell: (round: Round) => boolean
}

interface Place {
  readonly caseId: string
  readonly slice: TrueSlice
}

/**
 * A simulated annotator: corrects the slices that the queue offers, or random ones, exactly as they are in truth, ten a
 * round; after each round one training from the model before, on these ten and on all that was learned before.
 */
export async function annotate(workshop: Workshop, annotation: Annotation): Promise<Round[]> {
  const { known, pool, test, startDir, rounds, order, seed, bounds, ranking, tell } = annotation
  const places = placesOf(pool)
  const random = shuffled(places, seed)
  const learned = placesOf(known)
  const done = new Set<Place>()
  let model = startDir
  const told: Round[] = []
  const score = async (corrected: number): Promise<boolean> => {
    const { dice, changed } = await workshop.score(model, test)
    const round = { slices: done.size, dice, changed, corrected }
    told.push(round)
    return tell(round)
  }
  if (await score(0)) return told
  for (let n = 0; n < rounds; n++) {
    const open = places.filter((place) => !done.has(place))
    const chosen =
      order === 'random'
        ? random.slice(n * ROUND, (n + 1) * ROUND)
        : await fromQueue(workshop, model, { open, learned, ranking })
    const corrected = await changedVoxels(workshop, model, chosen)
    for (const place of chosen) done.add(place)
    const lessons = [...lessonsOf(chosen, 'corrected'), ...lessonsOf(learned, 'replay')]
    model = await workshop.train(model, lessons, { ...bounds, seed: seed + n })
    learned.push(...chosen)
    if (await score(corrected)) return told
  }
  return told
}

function placesOf(volumes: readonly TrueVolume[]): Place[] {
  return volumes.flatMap(({ id, slices }) => slices.map((slice): Place => ({ caseId: id, slice })))
}

/** As the program weighs them: a slice is drawn less often where its case has many. */
export function lessonsOf(places: readonly Place[], role: Lesson['role']): Lesson[] {
  const counts = new Map<string, number>()
  for (const { caseId } of places) counts.set(caseId, (counts.get(caseId) ?? 0) + 1)
  return places.map(({ caseId, slice }) => ({ ...slice, role, weight: (counts.get(caseId) ?? 1) ** -0.5 }))
}

interface Choice {
  readonly open: readonly Place[]
  readonly learned: readonly Place[]
  readonly ranking: Partial<RankingOptions> | undefined
}

async function fromQueue(
  { compute }: Workshop,
  model: string,
  { open, learned, ranking = {} }: Choice,
): Promise<Place[]> {
  const examine = async (places: readonly Place[], disagreement: boolean) => {
    const slices = places.map(({ slice: { labels: _labels, geometry: _geometry, ...slice } }) => slice)
    return (await compute.call('examine', { modelDir: model, slices, disagreement })).slices
  }
  const seen = (await examine(learned, false)).map(({ features }) => features)
  const examined = (await examine(open, true)).map(({ score, disagreement, features }, at) => {
    const place = open[at]
    if (place === undefined) throw new Error('There is an answer for each slice.')
    return { caseId: place.caseId, index: place.slice.index, entropy: score, disagreement, features }
  })
  const ranked = await rankSlices(examined, seen, [], { ...ranking, limit: ROUND })
  return ranked.map(({ caseId, index }) => {
    const place = open.find((each) => each.caseId === caseId && each.slice.index === index)
    if (place === undefined) throw new Error('The queue names a slice that was asked for.')
    return place
  })
}

async function changedVoxels({ compute }: Workshop, modelDir: string, chosen: readonly Place[]): Promise<number> {
  const samples = chosen.map(({ slice }) => ({ ...slice, role: 'corrected' as const }))
  const { slices } = await compute.call('score', { modelDir, samples })
  return slices.reduce((sum, { changed }) => sum + changed, 0)
}
