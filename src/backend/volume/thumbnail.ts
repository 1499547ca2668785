import { isTransposed, type PlaneView } from '../../core/geometry/index.ts'
import type { ImageVolume, VoxelArray } from '../../imaging/index.ts'

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
export async function makeThumbnail(
  volume: ImageVolume,
  view: PlaneView,
  range: { low: number; high: number },
): Promise<Thumbnail> {
  const wide = view.width * view.columnSpacing
  const high = view.height * view.rowSpacing
  const scale = Math.min(MAX_EXTENT / Math.max(wide, high), 1 / Math.min(view.columnSpacing, view.rowSpacing))
  const width = Math.min(MAX_EXTENT, Math.max(1, Math.round(wide * scale)))
  const height = Math.min(MAX_EXTENT, Math.max(1, Math.round(high * scale)))
  const rgba = new Uint8Array(width * height * 4)
  const samples = await volume.voxels.slice(view.sliceAxis, Math.floor(view.slices / 2))
  const shown = { samples, volume, view, range, width, height }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = 4 * (x + width * y)
      for (let c = 0; c < 3; c++) {
        rgba[at + c] = mean(shown, x, y, volume.channels === 3 ? c : 0)
      }
      rgba[at + 3] = 255
    }
  }
  return { width, height, rgba }
}

interface Shown {
  readonly samples: VoxelArray
  readonly volume: ImageVolume
  readonly view: PlaneView
  readonly range: { low: number; high: number }
  readonly width: number
  readonly height: number
}

function mean({ samples, volume, view, range, width, height }: Shown, x: number, y: number, channel: number): number {
  const transposed = isTransposed(view)
  let sum = 0
  for (let b = 0; b < SAMPLES; b++) {
    const j = Math.min(view.height - 1, Math.floor(((y + (b + 0.5) / SAMPLES) / height) * view.height))
    const row = view.flipRows ? view.height - 1 - j : j
    for (let a = 0; a < SAMPLES; a++) {
      const i = Math.min(view.width - 1, Math.floor(((x + (a + 0.5) / SAMPLES) / width) * view.width))
      const column = view.flipColumns ? view.width - 1 - i : i
      const at = transposed ? row + view.height * column : column + view.width * row
      const raw = samples[at * volume.channels + channel] ?? 0
      const grey = (raw * volume.slope + volume.inter - range.low) / (range.high - range.low)
      sum += Number.isFinite(grey) ? Math.min(1, Math.max(0, grey)) : 0
    }
  }
  return Math.round((255 * sum) / (SAMPLES * SAMPLES))
}
