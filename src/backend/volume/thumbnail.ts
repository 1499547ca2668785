import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { isTransposed, type PlaneView } from '../../core/geometry/index.ts'
import type { VoxelArray } from '../../imaging/index.ts'
import type { Database } from '../project/database.ts'
import { blob, int } from '../project/rows.ts'

const MAX_EXTENT = 96
/** Samples along each side of a thumbnail's pixel; their mean is drawn. */
const SAMPLES = 3

export interface Thumbnail {
  readonly width: number
  readonly height: number
  /** width x height x 4, opaque. */
  readonly rgba: Uint8Array<ArrayBuffer>
}

/** A slice as it is stored, and how its samples are scaled: scaled = raw * slope + inter. */
export interface StoredSlice {
  readonly samples: VoxelArray
  readonly channels: 1 | 3
  readonly slope: number
  readonly inter: number
}

/** Small pictures of the cases, kept in the project. */
export class Thumbnails {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  find(caseId: string): Thumbnail | null {
    const row = this.#db.get('SELECT width, height, rgba FROM thumbnails WHERE case_id = ?', caseId)
    if (row === undefined) return null
    const rgba = new Uint8Array(inflateRawSync(blob(row, 'rgba')))
    return { width: int(row, 'width'), height: int(row, 'height'), rgba }
  }

  make(caseId: string, slice: StoredSlice, view: PlaneView, window: { low: number; high: number }): Thumbnail {
    // Colours are shown as they are, here as in the viewer.
    const isColour = slice.channels === 3 && slice.samples instanceof Uint8Array
    const thumbnail = makeThumbnail(slice, view, isColour ? { low: 0, high: 255 } : window)
    const { width, height, rgba } = thumbnail
    this.#db.run('INSERT OR REPLACE INTO thumbnails VALUES (?, ?, ?, ?)', caseId, width, height, deflateRawSync(rgba))
    return thumbnail
  }

  forget(caseId: string): void {
    this.#db.run('DELETE FROM thumbnails WHERE case_id = ?', caseId)
  }
}

/**
 * A slice of a plane in its display orientation and true proportions, at most 96 pixels wide and high; `window` holds the scaled
 * intensities that become black and white.
 */
function makeThumbnail(slice: StoredSlice, view: PlaneView, window: { low: number; high: number }): Thumbnail {
  const wide = view.width * view.columnSpacing
  const high = view.height * view.rowSpacing
  const scale = Math.min(MAX_EXTENT / Math.max(wide, high), 1 / Math.min(view.columnSpacing, view.rowSpacing))
  const width = Math.min(MAX_EXTENT, Math.max(1, Math.round(wide * scale)))
  const height = Math.min(MAX_EXTENT, Math.max(1, Math.round(high * scale)))
  const rgba = new Uint8Array(width * height * 4)
  const shown = { ...slice, view, window, width, height }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = 4 * (x + width * y)
      for (let c = 0; c < 3; c++) {
        rgba[at + c] = mean(shown, x, y, slice.channels === 3 ? c : 0)
      }
      rgba[at + 3] = 255
    }
  }
  return { width, height, rgba }
}

interface Shown extends StoredSlice {
  readonly view: PlaneView
  readonly window: { low: number; high: number }
  readonly width: number
  readonly height: number
}

function mean(shown: Shown, x: number, y: number, channel: number): number {
  const { samples, channels, slope, inter, view, window, width, height } = shown
  const transposed = isTransposed(view)
  let sum = 0
  for (let b = 0; b < SAMPLES; b++) {
    const j = Math.min(view.height - 1, Math.floor(((y + (b + 0.5) / SAMPLES) / height) * view.height))
    const row = view.flipRows ? view.height - 1 - j : j
    for (let a = 0; a < SAMPLES; a++) {
      const i = Math.min(view.width - 1, Math.floor(((x + (a + 0.5) / SAMPLES) / width) * view.width))
      const column = view.flipColumns ? view.width - 1 - i : i
      const at = transposed ? row + view.height * column : column + view.width * row
      const raw = samples[at * channels + channel] ?? 0
      const grey = (raw * slope + inter - window.low) / (window.high - window.low)
      sum += Number.isFinite(grey) ? Math.min(1, Math.max(0, grey)) : 0
    }
  }
  return Math.round((255 * sum) / (SAMPLES * SAMPLES))
}
