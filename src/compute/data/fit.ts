import { openCase } from './caseReader.ts'
import type { NetworkInput } from '../../core/contract/network.ts'
import type { Statistics } from './prepare.ts'
import type { ReadingPlan } from './plan.ts'
import type { SliceReader } from './sliceReader.ts'

/** Mean and deviation of the scaled intensities of each channel over the images of a plan, which is that of the training part. */
export async function fitStatistics(
  plan: Pick<ReadingPlan, 'cases' | 'channels'>,
  colour: NetworkInput['colour'],
  signal?: AbortSignal,
): Promise<Statistics> {
  const sums = new Float64Array(plan.channels)
  const squares = new Float64Array(plan.channels)
  let count = 0
  for (const of of plan.cases) {
    const image = await openCase(of, signal)
    try {
      const { slope, inter, channels } = image
      for await (const piece of image.voxels.pieces({ signal })) {
        for (let i = 0; i < piece.length; i += channels, count++) {
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
          }
        }
      }
    } finally {
      await image.voxels.close()
    }
  }
  const n = Math.max(1, count)
  const mean = [...sums].map((sum) => sum / n)
  const deviation = [...squares].map((square, c) => {
    const variance = square / n - (mean[c] ?? 0) ** 2
    // One intensity throughout: it becomes 0.
    return variance > 1e-12 ? Math.sqrt(variance) : 1
  })
  return { mean, deviation }
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
