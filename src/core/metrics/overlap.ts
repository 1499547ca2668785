/** Counts of voxels for one label: in the first map, in the second, in both. */
export interface Overlap {
  readonly first: number
  readonly second: number
  readonly both: number
}

/** Overlap of every label (1 to 255) that occurs in either map. The maps hold the same voxels in the same order. */
export function overlaps(a: Uint8Array, b: Uint8Array): Map<number, Overlap> {
  if (a.length !== b.length) throw new RangeError(`overlaps: ${a.length} and ${b.length} voxels`)
  const first = new Float64Array(256)
  const second = new Float64Array(256)
  const both = new Float64Array(256)
  for (let i = 0; i < a.length; i++) {
    const x = a[i] ?? 0
    const y = b[i] ?? 0
    if (x === y) both[x] = (both[x] ?? 0) + 1
    first[x] = (first[x] ?? 0) + 1
    second[y] = (second[y] ?? 0) + 1
  }
  const result = new Map<number, Overlap>()
  for (let label = 1; label < 256; label++) {
    const [f, s] = [first[label] ?? 0, second[label] ?? 0]
    if (f + s > 0) result.set(label, { first: f, second: s, both: both[label] ?? 0 })
  }
  return result
}

/** Dice coefficient 2|A and B| / (|A| + |B|), 0 to 1; 1 where neither map holds the label. */
export function diceOf(overlap: Overlap): number {
  const sum = overlap.first + overlap.second
  return sum === 0 ? 1 : (2 * overlap.both) / sum
}

/** Dice of every label but background that occurs in either map. */
export function diceByLabel(a: Uint8Array, b: Uint8Array): Map<number, number> {
  return new Map([...overlaps(a, b)].map(([label, overlap]) => [label, diceOf(overlap)]))
}
