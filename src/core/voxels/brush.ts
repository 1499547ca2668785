/**
 * Brush shapes as plans: spans of pixels, [row, start, end) in groups of three, rows ascending, at most one span a row.
 *
 * Positions are in pixels of the slice with the corner of pixel (0, 0) at (0, 0), so the centre of pixel (i, j) is at
 * (i + 0.5, j + 0.5). Radii are in pixels along each direction; they differ where pixels are not square in mm.
 * A pixel belongs to a shape when its centre is inside or on the edge. Nothing is allocated beyond the plan.
 */

/** Smaller radii would leave gaps along a stroke; half a pixel always meets a pixel centre. */
const MIN_RADIUS = 0.5

/** Rounding must not decide whether a centre that lies on the edge belongs to the shape. */
const EDGE = 1e-9

/** The disk (ellipse) around (cx, cy), clipped to width x height. The pixel that holds the centre is always in it. */
export function stampDisk(
  width: number,
  height: number,
  cx: number,
  cy: number,
  rx: number,
  ry: number = rx,
): Int32Array {
  return strokeCapsule(width, height, cx, cy, cx, cy, rx, ry)
}

/**
 * All pixels that a disk passes on its way from (x0, y0) to (x1, y1): the union of the disks along the segment,
 * without gaps however fast the pointer was. Clipped to width x height; one span a row.
 */
export function strokeCapsule(
  width: number,
  height: number,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  rx: number,
  ry: number = rx,
): Int32Array {
  const a = Math.max(rx, MIN_RADIUS)
  const b = Math.max(ry, MIN_RADIUS)
  const firstRow = Math.max(0, Math.floor(Math.min(y0, y1) - b - 0.5))
  const lastRow = Math.min(height - 1, Math.ceil(Math.max(y0, y1) + b))
  if (!(lastRow >= firstRow)) return new Int32Array(0)
  const spans = new Int32Array(3 * (lastRow - firstRow + 1))
  let used = 0
  for (let row = firstRow; row <= lastRow; row++) {
    const reach = capsuleRow((row + 0.5) / b, x0 / a, y0 / b, x1 / a, y1 / b)
    let start = reach === null ? Infinity : Math.ceil(reach.low * a - 0.5 - EDGE)
    let end = reach === null ? -Infinity : Math.floor(reach.high * a - 0.5 + EDGE) + 1
    if (end <= start) [start, end] = [Infinity, -Infinity]
    // The pixels under both ends of the segment, which a small brush between four centres would miss.
    if (row === Math.floor(y0)) [start, end] = [Math.min(start, Math.floor(x0)), Math.max(end, Math.floor(x0) + 1)]
    if (row === Math.floor(y1)) [start, end] = [Math.min(start, Math.floor(x1)), Math.max(end, Math.floor(x1) + 1)]
    start = Math.max(start, 0)
    end = Math.min(end, width)
    if (end <= start) continue
    spans[used++] = row
    spans[used++] = start
    spans[used++] = end
  }
  return used === spans.length ? spans : spans.subarray(0, used)
}

/**
 * Where the horizontal line at height v meets a capsule of radius 1 around the segment (u0, v0) to (u1, v1).
 * A capsule is convex, so it is one interval: the hull of what meets the two end disks and the rectangle between.
 */
function capsuleRow(v: number, u0: number, v0: number, u1: number, v1: number): { low: number; high: number } | null {
  let low = Infinity
  let high = -Infinity
  const disk = (u: number, centre: number): void => {
    const radicand = 1 - (v - centre) * (v - centre)
    if (radicand < -EDGE) return
    const half = Math.sqrt(Math.max(0, radicand))
    low = Math.min(low, u - half)
    high = Math.max(high, u + half)
  }
  disk(u0, v0)
  disk(u1, v1)
  const length = Math.hypot(u1 - u0, v1 - v0)
  if (length > 0) {
    const nu = -(v1 - v0) / length
    const nv = (u1 - u0) / length
    const edge = (fromU: number, fromV: number, toU: number, toV: number): void => {
      if (v < Math.min(fromV, toV) || v > Math.max(fromV, toV) || fromV === toV) return
      const u = fromU + ((toU - fromU) * (v - fromV)) / (toV - fromV)
      low = Math.min(low, u)
      high = Math.max(high, u)
    }
    edge(u0 + nu, v0 + nv, u1 + nu, v1 + nv)
    edge(u0 - nu, v0 - nv, u1 - nu, v1 - nv)
    edge(u0 + nu, v0 + nv, u0 - nu, v0 - nv)
    edge(u1 + nu, v1 + nv, u1 - nu, v1 - nv)
  }
  return high >= low ? { low, high } : null
}

/**
 * The outline of the pixels that `stampDisk` would set without clipping: one closed polygon along pixel edges,
 * flat [x, y, x, y, …] in pixels, clockwise on a screen with y down, the first point not repeated.
 */
export function diskOutline(cx: number, cy: number, rx: number, ry: number = rx): number[] {
  // Shift into a frame in which nothing is clipped, by whole pixels so that the rounding stays the same.
  const shiftX = Math.floor(cx - Math.max(rx, MIN_RADIUS)) - 2
  const shiftY = Math.floor(cy - Math.max(ry, MIN_RADIUS)) - 2
  const spans = stampDisk(2 ** 30, 2 ** 30, cx - shiftX, cy - shiftY, rx, ry)
  const right: number[] = []
  const left: number[] = []
  for (let s = 0; s + 2 < spans.length; s += 3) {
    const row = (spans[s] ?? 0) + shiftY
    const start = (spans[s + 1] ?? 0) + shiftX
    const end = (spans[s + 2] ?? 0) + shiftX
    extendSide(right, end, row)
    extendSide(left, start, row)
  }
  const points = right
  for (let p = left.length - 2; p >= 0; p -= 2) points.push(left[p] ?? 0, left[p + 1] ?? 0)
  return points
}

/** Adds the vertical edge of one row at x; a straight continuation only moves the last point down. */
function extendSide(points: number[], x: number, row: number): void {
  if (points.length >= 2 && points[points.length - 2] === x) points[points.length - 1] = row + 1
  else points.push(x, row, x, row + 1)
}
