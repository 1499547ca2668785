import type { Component } from './components.ts'

/** A binary mask as COCO has it: lengths of runs of 0 and 1 in turn, the first of 0, down the columns from the left. */
export interface Rle {
  readonly size: readonly [height: number, width: number]
  readonly counts: readonly number[]
}

export interface InstanceShape {
  readonly rle: Rle
  readonly area: number
  /** x, y, width, height in pixels. */
  readonly bbox: readonly [number, number, number, number]
}

/** A connected part of a picture as COCO has it. Its runs are along the rows of a `width` wide picture. */
export function shapeOf({ runs, voxels }: Component, width: number, height: number): InstanceShape {
  let [left, right, top, bottom] = [width, 0, height, 0]
  for (let r = 0; r < runs.length; r += 2) {
    const x = (runs[r] ?? 0) % width
    const y = Math.floor((runs[r] ?? 0) / width)
    left = Math.min(left, x)
    right = Math.max(right, x + (runs[r + 1] ?? 0))
    top = Math.min(top, y)
    bottom = Math.max(bottom, y + 1)
  }
  const [w, h] = [right - left, bottom - top]
  const inside = new Uint8Array(w * h)
  for (let r = 0; r < runs.length; r += 2) {
    const start = runs[r] ?? 0
    const x = (start % width) - left
    const y = Math.floor(start / width) - top
    for (let i = 0; i < (runs[r + 1] ?? 0); i++) inside[(x + i) * h + y] = 1
  }
  const counts: number[] = []
  let value = 0
  let length = left * height
  const add = (next: number, times: number): void => {
    if (times === 0) return
    if (next === value) {
      length += times
      return
    }
    counts.push(length)
    value = next
    length = times
  }
  for (let x = 0; x < w; x++) {
    add(0, top)
    for (let i = x * h; i < (x + 1) * h;) {
      let end = i + 1
      while (end < (x + 1) * h && inside[end] === inside[i]) end++
      add(inside[i] ?? 0, end - i)
      i = end
    }
    add(0, height - bottom)
  }
  add(0, (width - right) * height)
  counts.push(length)
  return { rle: { size: [height, width], counts }, area: voxels, bbox: [left, top, w, h] }
}

/** Calls `paint` with the index (x fastest) of every pixel in the mask. False where the counts do not fill the size. */
export function paintRle({ size: [height, width], counts }: Rle, paint: (index: number) => void): boolean {
  const pixels = width * height
  let at = 0
  for (const [n, count] of counts.entries()) {
    if (!Number.isInteger(count) || count < 0 || at + count > pixels) return false
    if (n % 2 === 1) for (let i = at; i < at + count; i++) paint(Math.floor(i / height) + width * (i % height))
    at += count
  }
  return at === pixels
}

/**
 * The counts in COCO's compressed string: base 32 in characters from '0', lowest digits first, bit 5 saying that more follow, the last
 * digit's bit 4 the sign; from the fourth on, the difference from two before (maskApi.c, rleFrString). Null where it is damaged.
 */
export function countsOfString(text: string): number[] | null {
  const counts: number[] = []
  for (let at = 0; at < text.length;) {
    let value = 0
    let scale = 1
    for (;;) {
      const digit = text.charCodeAt(at++) - 48
      if (!(digit >= 0 && digit < 64) || scale > 2 ** 40) return null
      value += (digit & 31) * scale
      scale *= 32
      if ((digit & 32) !== 0) continue
      if ((digit & 16) !== 0) value -= scale
      break
    }
    if (counts.length > 2) value += counts.at(-2) ?? 0
    counts.push(value)
  }
  return counts
}

/** The first and the last row of a picture that a polygon reaches. */
function rowsOf(points: readonly number[], height: number): readonly [number, number] {
  const ys = points.filter((_, i) => i % 2 === 1)
  const first = Math.max(0, Math.floor(ys.reduce((a, b) => Math.min(a, b), Infinity)))
  const last = Math.min(height - 1, Math.ceil(ys.reduce((a, b) => Math.max(a, b), -Infinity)))
  return [first, last]
}

/** How often `paintPolygon` looks at an edge. */
export function polygonSteps(points: readonly number[], height: number): number {
  const [first, last] = rowsOf(points, height)
  return Math.max(0, last - first + 1) * Math.floor(points.length / 2)
}

/** Calls `paint` for every pixel whose centre lies in the polygon [x, y, x, y …], by the even-odd rule. */
export function paintPolygon(
  points: readonly number[],
  width: number,
  height: number,
  paint: (index: number) => void,
): void {
  const count = Math.floor(points.length / 2)
  const [first, last] = rowsOf(points, height)
  for (let y = first; y <= last; y++) {
    const crossings: number[] = []
    for (let i = 0; i < count; i++) {
      const j = (i + 1) % count
      const [x0 = 0, y0 = 0] = [points[2 * i], points[2 * i + 1]]
      const [x1 = 0, y1 = 0] = [points[2 * j], points[2 * j + 1]]
      const centre = y + 0.5
      if (y0 <= centre === y1 <= centre) continue
      crossings.push(x0 + ((centre - y0) / (y1 - y0)) * (x1 - x0))
    }
    crossings.sort((a, b) => a - b)
    for (let c = 0; c + 1 < crossings.length; c += 2) {
      const start = Math.max(0, Math.ceil((crossings[c] ?? 0) - 0.5))
      const end = Math.min(width - 1, Math.ceil((crossings[c + 1] ?? 0) - 0.5) - 1)
      for (let x = start; x <= end; x++) paint(x + width * y)
    }
  }
}
