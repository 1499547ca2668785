import { lessonsFor, placesOf, showsLabel, type Place } from './lessons.ts'
import { shuffled } from './random.ts'
import type { TrueVolume } from './hippocampi.ts'
import type { Bounds, Workshop } from './workshop.ts'

const ROUND = 10

/** What of the program keeps what was learned before: the replay that it draws, and the pull towards the parent's weights. */
export interface Keeping {
  readonly name: string
  readonly replay: boolean
  readonly anchor: boolean
}

export interface Forgotten {
  /** Dice on the first kind before, and after each round. */
  readonly first: readonly number[]
  /** Dice on the other look before and after all rounds. */
  readonly other: readonly [before: number, after: number]
}

/** The volume as a scan would look whose dark is bright: slope and window turned round, so that the same tissue differs. */
function inverted({ id, slices }: TrueVolume): TrueVolume {
  return {
    id: `${id} inverted`,
    slices: slices.map((slice) => {
      // scaled = raw x slope + inter becomes low + high - scaled: the same window, seen from the other end.
      const { slope, inter, low, high } = slice
      return { ...slice, slope: -slope, inter: low + high - inter }
    }),
  }
}

/**
 * Rounds of ten corrected slices of volumes of another look, from a model that never saw it; what that does to the first
 * kind. What each training learns from, and how it goes on from its parent, is as in the program, but for what is left out.
 */
export async function moveOn(
  workshop: Workshop,
  parts: {
    readonly startDir: string
    readonly known: readonly TrueVolume[]
    readonly others: readonly TrueVolume[]
    readonly test: readonly TrueVolume[]
    readonly rounds: number
    readonly bounds: Bounds
    readonly seed: number
  },
  { replay, anchor }: Keeping,
): Promise<Forgotten> {
  const { startDir, known, others, test, rounds, bounds, seed } = parts
  const look = test.map(inverted)
  const order = shuffled(placesOf(others.map(inverted)).filter(showsLabel), seed)
  const learned: Place[] = placesOf(known)
  const continuing = anchor ? {} : { anchor: 0 }
  let model = startDir
  const first = [(await workshop.score(model, test)).dice]
  const before = (await workshop.score(model, look)).dice
  for (let n = 0; n < rounds; n++) {
    const fresh = order.slice(n * ROUND, (n + 1) * ROUND)
    const samples = lessonsFor(fresh, replay ? learned : [], seed + n)
    model = await workshop.train(model, samples, { ...bounds, seed: seed + n, continuing })
    learned.push(...fresh)
    first.push((await workshop.score(model, test)).dice)
  }
  return { first, other: [before, (await workshop.score(model, look)).dice] }
}
