import { openCase } from './caseReader.ts'
import type { NetworkInput } from '../../core/contract/network.ts'
import type { ImageVolume, VoxelArray } from '../../imaging/index.ts'
import type { TrainingCase } from '../recipes/types.ts'
import type { Statistics } from './prepare.ts'
import type { ReadingPlan } from './plan.ts'
import type { SliceReader } from './sliceReader.ts'

type FittedCase = Pick<TrainingCase, 'image' | 'only'>

/**
 * Mean and deviation of the scaled intensities of each channel over the cases of the training part: over those slices alone
 * where the slices of a volume are parted. Samples that are no numbers count for nothing.
 */
export async function fitStatistics(
  plan: Pick<ReadingPlan, 'channels'> & { readonly cases: readonly FittedCase[] },
  colour: NetworkInput['colour'],
  signal?: AbortSignal,
): Promise<Statistics> {
  const sums = new Float64Array(plan.channels)
  const squares = new Float64Array(plan.channels)
  const counts = new Float64Array(plan.channels)
  for (const of of plan.cases) {
    const image = await openCase(of, signal)
    try {
      const { slope, inter, channels } = image
      for await (const piece of piecesOf(image, of.only, signal)) {
        for (let i = 0; i < piece.length; i += channels) {
          const grey = channels === 1
          const mixed = !grey && colour.kind === 'luminance' ? colour.weights : null
          for (let c = 0; c < plan.channels; c++) {
            const raw =
              mixed === null
                ? (piece[i + (grey ? 0 : c)] ?? 0)
                : mixed[0] * (piece[i] ?? 0) + mixed[1] * (piece[i + 1] ?? 0) + mixed[2] * (piece[i + 2] ?? 0)
            const value = raw * slope + inter
            if (!Number.isFinite(value)) continue
            sums[c] = (sums[c] ?? 0) + value
            squares[c] = (squares[c] ?? 0) + value * value
            counts[c] = (counts[c] ?? 0) + 1
          }
        }
      }
    } finally {
      await image.voxels.close()
    }
  }
  const meanOf = (sum: number, c: number): number => sum / Math.max(1, counts[c] ?? 0)
  const mean = [...sums].map(meanOf)
  const deviation = [...squares].map((square, c) => {
    const variance = meanOf(square, c) - (mean[c] ?? 0) ** 2
    // One intensity throughout: it becomes 0.
    return variance > 1e-12 ? Math.sqrt(variance) : 1
  })
  return { mean, deviation }
}

async function* piecesOf(
  { voxels }: ImageVolume,
  only: FittedCase['only'],
  signal: AbortSignal | undefined,
): AsyncIterable<VoxelArray> {
  if (only === undefined) yield* voxels.pieces({ signal })
  else for (const index of only.indices) yield await voxels.slice(only.axis, index, { signal })
}

/** Pixels of each class as the network sees them, background first. */
export async function countClasses(
  reader: SliceReader,
  slices: number,
  classes: number,
  signal?: AbortSignal,
): Promise<number[]> {
  const counts = new Array<number>(classes).fill(0)
  for (let at = 0; at < slices; at++) {
    signal?.throwIfAborted()
    for (const value of (await reader.slice(at)).classes) {
      if (value < classes) counts[value] = (counts[value] ?? 0) + 1
    }
  }
  return counts
}
