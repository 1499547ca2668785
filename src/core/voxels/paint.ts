import type { Rect } from '../labelmap/box.ts'

/**
 * Writes a label into the pixels of a plan (spans [row, start, end) …, see brush.ts), in place, and returns the
 * rectangle of pixels that changed; null where none did. Pixels whose label is marked in `locked` (256 flags) are left
 * as they are; a locked `label` cannot be painted with either.
 */
export function paintSpans(
  slice: Uint8Array,
  width: number,
  spans: Int32Array,
  label: number,
  locked: Uint8Array,
): Rect | null {
  if (locked[label] === 1) return null
  let [left, right, top, bottom] = [width, -1, -1, -1]
  for (let s = 0; s + 2 < spans.length; s += 3) {
    const row = spans[s] ?? 0
    const start = row * width + (spans[s + 1] ?? 0)
    const end = row * width + (spans[s + 2] ?? 0)
    let first = -1
    let last = -1
    for (let i = start; i < end; i++) {
      const old = slice[i] ?? 0
      if (old === label || locked[old] === 1) continue
      slice[i] = label
      if (first < 0) first = i
      last = i
    }
    if (first < 0) continue
    left = Math.min(left, first - row * width)
    right = Math.max(right, last - row * width)
    if (top < 0) top = row
    bottom = row
  }
  return right < 0 ? null : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 }
}

/** 256 flags, one a label value, for `paintSpans`. Background is not a label and cannot be locked. */
export function lockTable(labels: Iterable<{ readonly value: number; readonly locked: boolean }>): Uint8Array {
  const table = new Uint8Array(256)
  for (const { value, locked } of labels) if (locked && value > 0) table[value] = 1
  return table
}
