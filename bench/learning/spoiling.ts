import type { TrueSlice } from './hippocampi.ts'

export type Spoiling = 'label noise' | 'learning rate' | 'normalization'

export const SPOILINGS: readonly Spoiling[] = ['label noise', 'learning rate', 'normalization']

/** Spoils slices of one candidate, all in the kind's way; those of 'learning rate', and of no kind, stay as they are. */
export function spoiler(kind: Spoiling | null, random: () => number): (slice: TrueSlice) => TrueSlice {
  if (kind === 'label noise') return (slice) => withNoise(slice, random)
  if (kind !== 'normalization') return (slice) => slice
  // One wrong window for all that it learns from, far darker than the one that predictions are made with.
  const [dark, wide] = [0.4 + 0.4 * random(), 1 + random()]
  return (slice) => {
    const width = slice.high - slice.low
    return { ...slice, low: slice.low + dark * width, high: slice.high + wide * width }
  }
}

/** A mask that lies some pixels off, and, in every other slice, labels 1 and 2 mixed up. */
function withNoise(slice: TrueSlice, random: () => number): TrueSlice {
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
