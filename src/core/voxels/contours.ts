import type { Rect } from '../labelmap/box.ts'

/** Directions of an edge on the pixel grid, clockwise from east; the pixel of the label lies on its right. */
const EAST = 0
const SOUTH = 1
const WEST = 2
const NORTH = 3
const STEP_X = [1, 0, -1, 0] as const
const STEP_Y = [0, 1, 0, -1] as const

/**
 * The borders of a label in a slice of width x height pixels, as closed polylines along pixel edges: flat
 * [x, y, x, y, …] in pixels, corners only, the first point not repeated. Outer borders run clockwise on a screen with
 * y down, holes anticlockwise. Pixels that touch only at a corner belong to separate borders.
 */
export function contours(slice: Uint8Array, width: number, height: number, label: number): Int32Array[] {
  const bounds = boundsOf(slice, width, height, label)
  if (bounds === null) return []
  const { x: left, y: top } = bounds
  const columns = bounds.width + 1
  // Outgoing edges of each grid point inside the label's bounds, one bit a direction.
  const edges = new Uint8Array(columns * (bounds.height + 1))
  const inside = (x: number, y: number): boolean =>
    x >= left && x < left + bounds.width && slice[y * width + x] === label
  for (let y = top; y < top + bounds.height; y++) {
    for (let x = left; x < left + bounds.width; x++) {
      if (slice[y * width + x] !== label) continue
      const point = (y - top) * columns + (x - left)
      if (y === top || !inside(x, y - 1)) addEdge(edges, point, EAST)
      if (!inside(x + 1, y)) addEdge(edges, point + 1, SOUTH)
      if (y === top + bounds.height - 1 || !inside(x, y + 1)) addEdge(edges, point + columns + 1, WEST)
      if (!inside(x - 1, y)) addEdge(edges, point + columns, NORTH)
    }
  }
  const found: Int32Array[] = []
  for (let point = 0; point < edges.length; point++) {
    // Every border goes east somewhere, and the first such edge in reading order starts at a corner.
    while (((edges[point] ?? 0) & (1 << EAST)) !== 0) found.push(follow(edges, columns, point, left, top))
  }
  return found
}

/** Follows one border from a point that has an edge to the east, taking its edges away. */
function follow(edges: Uint8Array, columns: number, start: number, left: number, top: number): Int32Array {
  const corners: number[] = []
  let point = start
  let direction = EAST
  let cameFrom = -1
  for (;;) {
    if (direction !== cameFrom) corners.push(left + (point % columns), top + Math.floor(point / columns))
    edges[point] = (edges[point] ?? 0) & ~(1 << direction)
    point += (STEP_X[direction] ?? 0) + columns * (STEP_Y[direction] ?? 0)
    cameFrom = direction
    if (point === start && ((edges[point] ?? 0) === 0 || closesHere(edges[point] ?? 0, direction))) break
    direction = turn(edges[point] ?? 0, direction)
  }
  return Int32Array.from(corners)
}

/** Two borders can meet at the start point; ours is complete when the edge it would go on with is already taken. */
function closesHere(outgoing: number, direction: number): boolean {
  return (outgoing & (1 << ((direction + 1) & 3))) === 0
}

/** Right first: at a point where two pixels touch by their corners that keeps to the same pixel. */
function turn(outgoing: number, direction: number): number {
  for (const change of [1, 0, 3]) {
    const next = (direction + change) & 3
    if ((outgoing & (1 << next)) !== 0) return next
  }
  throw new Error('contours: a border does not close')
}

function addEdge(edges: Uint8Array, point: number, direction: number): void {
  edges[point] = (edges[point] ?? 0) | (1 << direction)
}

/** Smallest rectangle with all pixels of a label; null where there are none. */
export function boundsOf(slice: Uint8Array, width: number, height: number, label: number): Rect | null {
  const first = slice.indexOf(label)
  if (first < 0 || first >= width * height) return null
  const last = slice.lastIndexOf(label, width * height - 1)
  const top = Math.floor(first / width)
  const bottom = Math.floor(last / width)
  let left = width
  let right = -1
  for (let y = top; y <= bottom; y++) {
    const row = slice.subarray(y * width, (y + 1) * width)
    const from = row.indexOf(label)
    if (from < 0) continue
    left = Math.min(left, from)
    right = Math.max(right, row.lastIndexOf(label))
  }
  return { x: left, y: top, width: right - left + 1, height: bottom - top + 1 }
}
