import { readRect, type Rect } from '../../../core/labelmap/index.ts'

const TILE = 64

/**
 * What a slice held before a stroke, kept only where the stroke comes near: tiles are copied before they are first
 * written to, so that beginning a stroke costs nothing however large the image is.
 */
export class SliceSnapshot {
  private readonly labels: Uint8Array
  private readonly width: number
  private readonly height: number
  private readonly columns: number
  private readonly tiles = new Map<number, { rect: Rect; values: Uint8Array }>()

  constructor(labels: Uint8Array, width: number, height: number) {
    this.labels = labels
    this.width = width
    this.height = height
    this.columns = Math.ceil(width / TILE)
  }

  /** Call before pixels with x0 <= x < x1, y0 <= y < y1 are written. */
  keep(x0: number, y0: number, x1: number, y1: number): void {
    const lastColumn = Math.floor((Math.min(this.width, x1) - 1) / TILE)
    const lastRow = Math.floor((Math.min(this.height, y1) - 1) / TILE)
    for (let row = Math.max(0, Math.floor(y0 / TILE)); row <= lastRow; row++) {
      for (let column = Math.max(0, Math.floor(x0 / TILE)); column <= lastColumn; column++) {
        const name = row * this.columns + column
        if (this.tiles.has(name)) continue
        const rect = {
          x: column * TILE,
          y: row * TILE,
          width: Math.min(TILE, this.width - column * TILE),
          height: Math.min(TILE, this.height - row * TILE),
        }
        this.tiles.set(name, { rect, values: readRect(this.labels, this.width, rect) })
      }
    }
  }

  /** Labels inside `rect` before and now, row by row. */
  compare(rect: Rect): { before: Uint8Array; after: Uint8Array } {
    const after = readRect(this.labels, this.width, rect)
    const before = after.slice()
    for (const tile of this.tiles.values()) {
      const x0 = Math.max(rect.x, tile.rect.x)
      const x1 = Math.min(rect.x + rect.width, tile.rect.x + tile.rect.width)
      if (x0 >= x1) continue
      const y0 = Math.max(rect.y, tile.rect.y)
      const y1 = Math.min(rect.y + rect.height, tile.rect.y + tile.rect.height)
      for (let y = y0; y < y1; y++) {
        const from = (y - tile.rect.y) * tile.rect.width - tile.rect.x
        before.set(tile.values.subarray(from + x0, from + x1), (y - rect.y) * rect.width + x0 - rect.x)
      }
    }
    return { before, after }
  }

  /** Puts everything back. */
  restore(): void {
    for (const { rect, values } of this.tiles.values()) {
      for (let j = 0; j < rect.height; j++) {
        const row = values.subarray(j * rect.width, (j + 1) * rect.width)
        this.labels.set(row, (rect.y + j) * this.width + rect.x)
      }
    }
  }
}
