/**
 * The pixels connected with (x, y) over edges that hold the same label, as spans [row, start, end) …, in no order of
 * rows. A row may hold several spans. Empty where (x, y) lies outside the slice.
 */
export function floodFill(slice: Uint8Array, width: number, height: number, x: number, y: number): Int32Array {
  if (x < 0 || y < 0 || x >= width || y >= height) return new Int32Array(0)
  const label = slice[y * width + x]
  const seen = new Uint8Array(width * height)
  const open = (i: number): boolean => slice[i] === label && seen[i] === 0
  const spans: number[] = []
  const stack = [x, y]
  for (;;) {
    const row = stack.pop()
    const column = stack.pop()
    if (row === undefined || column === undefined) break
    const base = row * width
    if (!open(base + column)) continue
    let start = column
    while (start > 0 && open(base + start - 1)) start--
    let end = column + 1
    while (end < width && open(base + end)) end++
    seen.fill(1, base + start, base + end)
    spans.push(row, start, end)
    for (const next of [row - 1, row + 1]) {
      if (next < 0 || next >= height) continue
      // One seed for each stretch of open pixels above and below.
      for (let i = start; i < end; i++) {
        if (open(next * width + i) && (i === start || !open(next * width + i - 1))) stack.push(i, next)
      }
    }
  }
  return Int32Array.from(spans)
}
