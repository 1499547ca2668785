export interface MarkRange {
  readonly from: number
  /** CSS lengths along a track that holds all slices. */
  readonly top: string
  readonly height: string
}

/** Neighbouring slices as one mark. `indices` are ascending slice numbers from 0. */
export function markRanges(indices: readonly number[], count: number): MarkRange[] {
  const ranges: MarkRange[] = []
  const percent = (slices: number): string => `${Number(((slices / count) * 100).toFixed(3))}%`
  let from = -1
  let end = -1
  const close = (): void => {
    if (from >= 0) ranges.push({ from, top: percent(from), height: percent(end - from) })
  }
  for (const index of indices) {
    if (index < 0 || index >= count) continue
    if (index !== end) {
      close()
      from = index
    }
    end = index + 1
  }
  close()
  return ranges
}
