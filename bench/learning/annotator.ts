import { rankSlices } from '../../src/core/learning/ranking.ts'
import { lessonsFor, placesOf, type Place } from './lessons.ts'
import { shuffled } from './random.ts'
import type { TrueVolume } from './hippocampi.ts'
import type { Bounds, Workshop } from './workshop.ts'

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
  /** Of the training of this round; of the whole round, with the ranking and the score. */
  readonly trainSeconds: number
  readonly seconds: number
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
  /** Of the random order, and of the trainings. */
  readonly seed: number
  /** Told of all rounds so far, after each; true: that is enough. */
  readonly tell: (rounds: readonly Round[]) => boolean
}

/**
 * A simulated annotator: corrects the slices that the queue offers, or random ones, exactly as they are in truth, ten a
 * round; after each round one training from the model before, on what the program chooses of these ten and of all that was
 * learned before. The first of what is told is the model before the first round.
 */
export async function annotate(workshop: Workshop, annotation: Annotation): Promise<Round[]> {
  const { known, pool, test, startDir, rounds, order, seed, bounds, tell } = annotation
  const places = placesOf(pool)
  const random = shuffled(places, seed)
  const learned = placesOf(known)
  const done = new Set<Place>()
  let model = startDir
  const start = await workshop.score(model, test)
  const told: Round[] = [
    { slices: 0, dice: start.dice, changed: start.changed, corrected: 0, trainSeconds: 0, seconds: 0 },
  ]
  if (tell(told)) return told
  for (let n = 0; n < rounds; n++) {
    const started = performance.now()
    const open = places.filter((place) => !done.has(place))
    if (open.length === 0) break
    const chosen =
      order === 'random' ? random.slice(n * ROUND, (n + 1) * ROUND) : await fromQueue(workshop, model, open, learned)
    const corrected = await changedVoxels(workshop, model, chosen)
    for (const place of chosen) done.add(place)
    const trainingFrom = performance.now()
    model = await workshop.train(model, lessonsFor(chosen, learned, seed + n), { ...bounds, seed: seed + n })
    const trainSeconds = (performance.now() - trainingFrom) / 1000
    learned.push(...chosen)
    const { dice, changed } = await workshop.score(model, test)
    const seconds = (performance.now() - started) / 1000
    told.push({ slices: done.size, dice, changed, corrected, trainSeconds, seconds })
    if (tell(told)) break
  }
  return told
}

async function fromQueue(
  { compute }: Workshop,
  model: string,
  open: readonly Place[],
  learned: readonly Place[],
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
  const ranked = await rankSlices(examined, seen, [], { limit: ROUND })
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
