import { shuffled } from './random.ts'
import type { TrueVolume } from './hippocampi.ts'
import type { Bounds, Lesson, Workshop } from './workshop.ts'

const ROUNDS = 5
const ROUND = 10

/** How the trainings on the other look keep what was learned before. */
export interface Keeping {
  readonly name: string
  readonly replay: boolean
  /** L2-SP; 0: none; null: as the program chooses. */
  readonly anchor: number | null
}

export interface Forgotten {
  readonly keeping: Keeping
  /** Dice on the first kind after each round. */
  readonly first: readonly number[]
  /** Dice on the other look after each round. */
  readonly other: readonly number[]
}

/** The volume as a scan would look whose dark is bright: slope and window turned round, so that the same tissue differs. */
export function inverted({ id, slices }: TrueVolume): TrueVolume {
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
 * Five rounds of ten corrected slices of volumes of another look, from a model that never saw it; what that does to the
 * first kind. With replay, what was learned before is replayed as it is in the program.
 */
export async function moveOn(
  workshop: Workshop,
  parts: {
    readonly startDir: string
    readonly known: readonly TrueVolume[]
    readonly others: readonly TrueVolume[]
    readonly test: readonly TrueVolume[]
    readonly bounds: Bounds
    readonly seed: number
  },
  keeping: Keeping,
): Promise<Forgotten> {
  const { startDir, known, others, test, bounds, seed } = parts
  const look = test.map(inverted)
  const order = shuffled(
    others.map(inverted).flatMap(({ slices }) => slices.filter(({ labels }) => labels.some((label) => label > 0))),
    seed,
  )
  const before = keeping.replay
    ? known.flatMap(({ slices }) => slices.map((slice): Lesson => ({ ...slice, role: 'replay' })))
    : []
  let model = startDir
  const first: number[] = []
  const other: number[] = []
  for (let n = 0; n <= ROUNDS; n++) {
    first.push((await workshop.score(model, test)).dice)
    other.push((await workshop.score(model, look)).dice)
    if (n === ROUNDS) break
    const fresh = order.slice(n * ROUND, (n + 1) * ROUND).map((slice): Lesson => ({ ...slice, role: 'corrected' }))
    const older = order.slice(0, n * ROUND).map((slice): Lesson => ({ ...slice, role: 'replay' }))
    const samples = [...fresh, ...(keeping.replay ? [...older, ...before] : [])]
    model = await workshop.train(model, samples, {
      ...bounds,
      seed: seed + n,
      continuing: keeping.anchor === null ? {} : { anchor: keeping.anchor },
    })
  }
  return { keeping, first, other }
}
