import type { Axis, Box } from '../../core/contract/schemas.ts'
import { boxExtent } from '../../core/labelmap/index.ts'

/** Ascending slice indices as text: "3-5,9". */
export function encodeSlices(slices: readonly number[]): string {
  return rangesOf(slices)
    .map(([first, last]) => (first === last ? String(first) : `${first}-${last}`))
    .join(',')
}

/** First and last of each run of neighbours among ascending slice indices. */
export function rangesOf(slices: readonly number[]): [first: number, last: number][] {
  const ranges: [number, number][] = []
  for (let i = 0; i < slices.length;) {
    const first = slices[i] ?? 0
    let last = first
    while (slices[i + 1] === last + 1) {
      last++
      i++
    }
    i++
    ranges.push([first, last])
  }
  return ranges
}

/** The inverse of `encodeSlices`. */
export function decodeSlices(text: string): number[] {
  if (text === '') return []
  return text.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
}

/** In SQL, of a row `j` of the journal whose `slices` are not empty: their ranges as a table, to be called `range`. */
export const RANGES_OF_ROW = `json_each('["' || replace(j.slices, ',', '","') || '"]')`
export const FIRST_OF_RANGE = 'CAST(range.value AS INTEGER)'
export const LAST_OF_RANGE = `CAST(substr(range.value, instr(range.value, '-') + 1) AS INTEGER)`

/** Indices across `axis` of the slices in which the runs change a voxel, ascending. O(runs), not O(voxels). */
export function slicesOfRuns(box: Box, runs: Uint32Array, axis: Axis): number[] {
  const [width, height, depth] = boxExtent(box)
  const extent = [width, height, depth][axis] ?? 0
  const first = box.min[axis]
  if (extent === 1) return runs.length > 0 ? [first] : []
  const hit = new Uint8Array(extent)
  for (let r = 0; r + 1 < runs.length; r += 4) {
    const start = runs[r] ?? 0
    const last = start + (runs[r + 1] ?? 1) - 1
    if (axis === 2) {
      hit.fill(1, Math.floor(start / (width * height)), Math.floor(last / (width * height)) + 1)
    } else if (axis === 1) {
      // Rows are counted through the whole box; a run of a slice's worth of rows or more touches every index.
      const from = Math.floor(start / width)
      const to = Math.min(Math.floor(last / width), from + height - 1)
      for (let row = from; row <= to; row++) hit[row % height] = 1
    } else {
      const to = Math.min(last, start + width - 1)
      for (let x = start; x <= to; x++) hit[x % width] = 1
    }
  }
  const slices: number[] = []
  hit.forEach((value, i) => {
    if (value === 1) slices.push(first + i)
  })
  return slices
}
