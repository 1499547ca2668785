import { screenToVoxel, type PlaneView } from '../../core/geometry/index.ts'
import type { ImageVolume } from '../../imaging/index.ts'

const MAX_EXTENT = 96
/** Samples along each side of a thumbnail's pixel; their mean is drawn. */
const SAMPLES = 3

export interface Thumbnail {
  readonly width: number
  readonly height: number
  /** width x height x 4, opaque. */
  readonly rgba: Uint8Array<ArrayBuffer>
}

/**
 * The middle slice of a plane in its display orientation and true proportions, at most 96 pixels wide and high;
 * `range` holds the scaled intensities that become black and white.
 */
export function makeThumbnail(volume: ImageVolume, view: PlaneView, range: { low: number; high: number }): Thumbnail {
  const wide = view.width * view.columnSpacing
  const high = view.height * view.rowSpacing
  const scale = Math.min(MAX_EXTENT / Math.max(wide, high), 1 / Math.min(view.columnSpacing, view.rowSpacing))
  const width = Math.min(MAX_EXTENT, Math.max(1, Math.round(wide * scale)))
  const height = Math.min(MAX_EXTENT, Math.max(1, Math.round(high * scale)))
  const rgba = new Uint8Array(width * height * 4)
  const middle = Math.floor(view.slices / 2)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = 4 * (x + width * y)
      for (let c = 0; c < 3; c++) {
        rgba[at + c] = mean(volume, view, middle, { x, y, width, height }, volume.channels === 3 ? c : 0, range)
      }
      rgba[at + 3] = 255
    }
  }
  return { width, height, rgba }
}

function mean(
  volume: ImageVolume,
  view: PlaneView,
  slice: number,
  pixel: { x: number; y: number; width: number; height: number },
  channel: number,
  range: { low: number; high: number },
): number {
  const [nx, ny] = volume.dims
  let sum = 0
  for (let b = 0; b < SAMPLES; b++) {
    const j = Math.min(view.height - 1, Math.floor(((pixel.y + (b + 0.5) / SAMPLES) / pixel.height) * view.height))
    for (let a = 0; a < SAMPLES; a++) {
      const i = Math.min(view.width - 1, Math.floor(((pixel.x + (a + 0.5) / SAMPLES) / pixel.width) * view.width))
      const [vx, vy, vz] = screenToVoxel(view, i, j, slice)
      const raw = volume.data[(vx + nx * (vy + ny * vz)) * volume.channels + channel] ?? 0
      const grey = (raw * volume.slope + volume.inter - range.low) / (range.high - range.low)
      sum += Number.isFinite(grey) ? Math.min(1, Math.max(0, grey)) : 0
    }
  }
  return Math.round((255 * sum) / (SAMPLES * SAMPLES))
}
