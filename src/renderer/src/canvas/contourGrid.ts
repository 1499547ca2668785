import { growRect, intersectRects, type Rect, type SliceLayout } from './layout.ts'

/** Boundary pieces of one label: groups of four, [x0, y0, x1, y1], along voxel edges in display pixels. */
export type Segments = readonly number[]

/**
 * The boundary of every label inside `rect` of the display: voxel edges between different labels, straight neighbours
 * joined. An edge belongs to both labels that meet there, background (0) has none; beyond the image is background.
 * Each edge belongs to the rectangle that holds the voxel right of or below it, so that tiles do not repeat edges;
 * edges at the image's right and bottom border belong to the voxel inside.
 */
export function boundarySegments(labels: Uint8Array, layout: SliceLayout, rect: Rect): Map<number, Segments> {
  const found = new Map<number, number[]>()
  const add = (label: number, x0: number, y0: number, x1: number, y1: number): void => {
    if (label === 0) return
    const list = found.get(label)
    if (list) list.push(x0, y0, x1, y1)
    else found.set(label, [x0, y0, x1, y1])
  }
  const at = (i: number, j: number): number =>
    i < 0 || j < 0 || i >= layout.width || j >= layout.height
      ? 0
      : (labels[layout.origin + i * layout.stepI + j * layout.stepJ] ?? 0)

  const lastX = rect.x1 === layout.width ? rect.x1 + 1 : rect.x1
  for (let x = rect.x0; x < lastX; x++) {
    let pair = 0
    let start = rect.y0
    for (let y = rect.y0; y <= rect.y1; y++) {
      const a = y < rect.y1 ? at(x - 1, y) : 0
      const b = y < rect.y1 ? at(x, y) : 0
      const here = a === b ? 0 : (a << 8) | b
      if (here === pair) continue
      if (pair !== 0) {
        add(pair >> 8, x, start, x, y)
        add(pair & 255, x, start, x, y)
      }
      pair = here
      start = y
    }
  }
  const lastY = rect.y1 === layout.height ? rect.y1 + 1 : rect.y1
  for (let y = rect.y0; y < lastY; y++) {
    let pair = 0
    let start = rect.x0
    for (let x = rect.x0; x <= rect.x1; x++) {
      const a = x < rect.x1 ? at(x, y - 1) : 0
      const b = x < rect.x1 ? at(x, y) : 0
      const here = a === b ? 0 : (a << 8) | b
      if (here === pair) continue
      if (pair !== 0) {
        add(pair >> 8, start, y, x, y)
        add(pair & 255, start, y, x, y)
      }
      pair = here
      start = x
    }
  }
  return found
}

interface ContourTile {
  readonly rect: Rect
  segments: Map<number, Segments> | null
}

/** Boundaries kept by tile, so that a brush stroke recomputes only the tiles it touches. */
export class ContourGrid {
  private readonly tiles: readonly ContourTile[]
  private readonly compute: (rect: Rect) => Map<number, Segments>

  constructor(width: number, height: number, tileSize: number, compute: (rect: Rect) => Map<number, Segments>) {
    const tiles: ContourTile[] = []
    for (let y0 = 0; y0 < height; y0 += tileSize) {
      for (let x0 = 0; x0 < width; x0 += tileSize) {
        const rect = { x0, y0, x1: Math.min(width, x0 + tileSize), y1: Math.min(height, y0 + tileSize) }
        tiles.push({ rect, segments: null })
      }
    }
    this.tiles = tiles
    this.compute = compute
  }

  invalidate(rect?: Rect): void {
    // A changed voxel also moves the edges of its right and lower neighbours.
    const touched = rect && growRect(rect, 1)
    for (const tile of this.tiles) {
      if (!touched || intersectRects(tile.rect, touched)) tile.segments = null
    }
  }

  /** Segments of the tiles that touch `rect` (display pixels), by label in ascending order. */
  visible(rect: Rect): ReadonlyMap<number, readonly Segments[]> {
    const byLabel = new Map<number, Segments[]>()
    for (const tile of this.tiles) {
      if (!intersectRects(growRect(tile.rect, 1), rect)) continue
      tile.segments ??= this.compute(tile.rect)
      for (const [label, segments] of tile.segments) {
        const list = byLabel.get(label)
        if (list) list.push(segments)
        else byLabel.set(label, [segments])
      }
    }
    return new Map([...byLabel].sort(([a], [b]) => a - b))
  }
}
