import { createHeap } from './heap.ts'
import type { QueuedSlice } from '../contract/learning.ts'

/** What a model said of a slice that nobody corrected yet; `examine` of the compute contract. */
export interface ExaminedSlice {
  readonly caseId: string
  readonly index: number
  /** Mean of its pixels, 0 to 1. */
  readonly entropy: number
  /** 0 to 1; null where it was not asked for. */
  readonly disagreement: number | null
  /** L2-normalized. */
  readonly features: Float32Array
}

export interface RankingOptions {
  /** What each part counts in the score, against the others. */
  readonly entropy: number
  readonly disagreement: number
  readonly novelty: number
  /** A chosen slice makes those of its case worth less, within about so many slices. */
  readonly neighbours: number
  /** Each chosen slice makes all others of its case worth less: n of them, 1 / (1 + n times this) as much. */
  readonly cases: number
  /** It makes those that look alike worth less, within so many times the usual distance of two slices. */
  readonly likeness: number
  /** At most so many are chosen. */
  readonly limit: number
}

const USUAL: RankingOptions = {
  ...{ entropy: 1, disagreement: 1, novelty: 0.5, neighbours: 4, cases: 1, likeness: 0.5, limit: 500 },
}

/** Slices that were chosen, or corrected since the model was made: what is like them is worth less. */
type Chosen = Pick<ExaminedSlice, 'caseId' | 'index' | 'features'>

interface Candidate {
  readonly slice: ExaminedSlice
  readonly entropy: number
  readonly disagreement: number | null
  /** Entropy and disagreement, weighted. */
  readonly doubt: number
  /** To the nearest slice that was learned or chosen; so many of the chosen ones were looked at. */
  distance: number
  looked: number
  /** How near the nearest chosen one of its case is, and how much the likest one looks like it: 0 to 1. */
  near: number
  alike: number
  /** Chosen slices of its case. */
  together: number
}

/** So many pairs tell how far apart two slices usually are. */
const PAIRS = 2000
/** So many numbers are compared before others may work. */
const TURN = 2 ** 21

/**
 * Orders slices by how much correcting them would teach: those that the model is unsure of and that are unlike all that it
 * learned from, one after the other, each time the best beside those chosen before: two neighbours, or two slices that look the
 * same, are not both worth it. Scores are 0 to 1 and fall from one to the next; equal ones keep the order given.
 *
 * @param learned Features of what the model learned from, by the same model.
 * @param taken Corrected since the model was made; as if they had been chosen.
 * @param pause Waited for now and then, so that others may work.
 */
export async function rankSlices(
  slices: readonly ExaminedSlice[],
  learned: readonly Float32Array[] = [],
  taken: readonly Chosen[] = [],
  options: Partial<RankingOptions> = {},
  pause: () => Promise<void> = () => Promise.resolve(),
): Promise<QueuedSlice[]> {
  const settings = { ...USUAL, ...options }
  const usual = usualDistance(slices)
  const chosen: Chosen[] = [...taken]
  const weights = settings.entropy + settings.disagreement + settings.novelty
  const candidates = candidatesOf(slices, settings)
  let compared = 0
  const rest = async (numbers: number): Promise<void> => {
    compared += numbers
    if (compared < TURN) return
    compared = 0
    await pause()
  }

  const noveltyOf = ({ distance }: Candidate): number => Math.min(1, distance / usual)
  const scoreOf = (candidate: Candidate): number =>
    weights > 0
      ? ((1 - candidate.near) * (1 - candidate.alike) * candidate.doubt + settings.novelty * noveltyOf(candidate)) /
        (weights * (1 + settings.cases * candidate.together))
      : 0

  const look = (candidate: Candidate): void => {
    const { caseId, index, features } = candidate.slice
    for (const other of chosen.slice(candidate.looked)) {
      const distance = distanceOf(features, other.features)
      candidate.distance = Math.min(candidate.distance, distance)
      candidate.alike = Math.max(candidate.alike, likeness(distance, settings.likeness * usual))
      if (other.caseId !== caseId) continue
      candidate.together++
      candidate.near = Math.max(candidate.near, likeness(index - other.index, settings.neighbours))
    }
    candidate.looked = chosen.length
  }

  for (const candidate of candidates) {
    const { features } = candidate.slice
    for (const other of learned) candidate.distance = Math.min(candidate.distance, distanceOf(features, other))
    await rest(learned.length * features.length)
  }

  // What a candidate is worth only falls as more are chosen: the best one by what is known of it is the best as soon as it
  // has been looked at beside all of them.
  const heap = createHeap(candidates.map((candidate) => ({ item: candidate, score: scoreOf(candidate) })))
  const ranked: QueuedSlice[] = []
  while (ranked.length < settings.limit) {
    const best = heap.pop()
    if (best === null) break
    const candidate = best.item
    if (candidate.looked < chosen.length) {
      await rest((chosen.length - candidate.looked) * candidate.slice.features.length)
      look(candidate)
      heap.push({ ...best, score: scoreOf(candidate) })
      continue
    }
    const { caseId, index } = candidate.slice
    const { entropy, disagreement } = candidate
    ranked.push({ caseId, index, score: best.score, entropy, disagreement, novelty: noveltyOf(candidate) })
    chosen.push(candidate.slice)
  }
  return ranked
}

/** The cases of a queue, by their best slice. */
export function rankCases(slices: readonly QueuedSlice[]): { caseId: string; score: number; slices: number }[] {
  const cases = new Map<string, { caseId: string; score: number; slices: number }>()
  for (const { caseId, score } of slices) {
    const known = cases.get(caseId) ?? { caseId, score, slices: 0 }
    cases.set(caseId, { caseId, score: Math.max(known.score, score), slices: known.slices + 1 })
  }
  return [...cases.values()].sort((a, b) => b.score - a.score)
}

/** Parts become shares of what is high among the slices, so that none counts for the sake of its unit. */
function candidatesOf(slices: readonly ExaminedSlice[], settings: RankingOptions): Candidate[] {
  const entropy = shareOf(slices.map((slice) => slice.entropy))
  const disagreement = shareOf(slices.flatMap((slice) => slice.disagreement ?? []))
  return slices.map((slice) => {
    const unsure = entropy(slice.entropy)
    const differs = slice.disagreement === null ? null : disagreement(slice.disagreement)
    return {
      slice,
      entropy: unsure,
      disagreement: differs,
      // Where it was not asked for, entropy stands for it: a slice is worth no less for that.
      doubt: settings.entropy * unsure + settings.disagreement * (differs ?? unsure),
      distance: Infinity,
      looked: 0,
      near: 0,
      alike: 0,
      together: 0,
    }
  })
}

/** The share of the value that 49 of 50 stay below, at most 1. */
function shareOf(values: readonly number[]): (value: number) => number {
  const sorted = Float64Array.from(values.filter(Number.isFinite)).sort()
  const high = sorted[Math.ceil(0.98 * (sorted.length - 1))] ?? 0
  return (value) => (high > 0 && value > 0 ? Math.min(1, value / high) : 0)
}

/** The median over pairs spread evenly; 1 where all are the same. */
function usualDistance(slices: readonly ExaminedSlice[]): number {
  const count = slices.length
  // By a step near the golden ratio each slice meets others all over the list.
  const step = Math.max(1, Math.round(0.618 * count))
  const distances: number[] = []
  for (let n = 0; n < Math.min(PAIRS, count); n++) {
    const at = Math.floor((n * count) / Math.min(PAIRS, count))
    const [a, b] = [slices[at], slices[(at + step) % count]]
    if (a === undefined || b === undefined || a === b) continue
    const distance = distanceOf(a.features, b.features)
    if (Number.isFinite(distance)) distances.push(distance)
  }
  const sorted = distances.sort((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0
  return median > 0 ? median : 1
}

/** 1 at no distance, 1/e at `reach`, nothing from three times that, nor where there is no reach. */
function likeness(distance: number, reach: number): number {
  const share = Math.abs(distance) / reach
  return reach > 0 && share < 3 ? Math.exp(-share * share) : 0
}

/** Of two unit vectors, 0 to 2; infinite where they are not of one kind, those of two networks say. */
function distanceOf(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Infinity
  let dot = 0
  for (let i = 0; i < a.length; i++) dot += (a[i] ?? 0) * (b[i] ?? 0)
  return Number.isFinite(dot) ? Math.sqrt(Math.max(0, 2 - 2 * dot)) : Infinity
}
