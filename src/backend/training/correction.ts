import { CodedError } from '../../core/contract/errors.ts'
import type { ComputeParams, ComputePort, ComputeResult } from '../compute/port.ts'

type Overlaps = ComputeResult<'score'>['slices'][number]['overlaps']

/**
 * Mean Dice of the labels that are there, over all these slices together, of what a model predicts of them: 0 to 1. Null where there is
 * nothing to hold it against. It is told beside the curves and decides nothing, so that a failure is null too; throws
 * CodedError('cancelled').
 */
export async function correctionDice(
  compute: ComputePort,
  modelDir: string,
  lessons: Pick<ComputeParams<'score'>, 'samples' | 'kept'>,
  options: { readonly signal: AbortSignal; readonly log: (line: string) => void },
): Promise<number | null> {
  const { signal, log } = options
  if ((lessons.samples ?? lessons.kept ?? []).length === 0) return null
  try {
    const { slices } = await compute.call('score', { modelDir, ...lessons }, { signal })
    return pooledDice(slices.map(({ overlaps }) => overlaps))
  } catch (error) {
    if (error instanceof CodedError && error.code === 'cancelled') throw error
    log(`score of ${modelDir}: ${String(error)}`)
    return null
  }
}

/**
 * Plain mean over the labels that are true in any of the slices, so that two versions are asked about the same labels.
 * Where there is none, 0 if something is predicted, and null if not. Background does not count.
 */
export function pooledDice(slices: readonly Overlaps[]): number | null {
  const sums = new Map<number, { both: number; all: number; truth: number }>()
  for (const { label, both, predicted, truth } of slices.flat()) {
    if (label === 0) continue
    const sum = sums.get(label) ?? { both: 0, all: 0, truth: 0 }
    sums.set(label, { both: sum.both + both, all: sum.all + predicted + truth, truth: sum.truth + truth })
  }
  const found = [...sums.values()].filter(({ all }) => all > 0)
  const there = found.filter(({ truth }) => truth > 0)
  if (there.length > 0) return there.reduce((sum, { both, all }) => sum + (2 * both) / all, 0) / there.length
  return found.length > 0 ? 0 : null
}
