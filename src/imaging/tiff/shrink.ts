import type { Pixels } from '../tiled.ts'
import type { VoxelArray } from '../types.ts'
import { typeOf } from '../voxels/index.ts'
import { newSamples } from './samples.ts'

/** Pixels that are put together of pieces. */
export type Halving = Pixels

/** An extent in pixels. */
interface Extent {
  readonly width: number
  readonly height: number
}

type ReadPart = (x: number, y: number, width: number, height: number) => Promise<Pixels | null>

/** Copies `piece` to its place in `out`, whose samples are made when the first piece comes. */
function place(out: Halving, piece: Pixels, at: { x: number; y: number }): Halving {
  const { width, height, channels } = out
  const data = out.data.length === 0 ? newSamples(typeOf(piece.data), width * height * channels) : out.data
  const left = Math.max(0, at.x)
  const right = Math.min(width, at.x + piece.width)
  for (let y = Math.max(0, at.y); y < Math.min(height, at.y + piece.height); y++) {
    const from = ((y - at.y) * piece.width + left - at.x) * channels
    data.set(piece.data.subarray(from, from + (right - left) * channels), (y * width + left) * channels)
  }
  return { width, height, channels, data }
}

/**
 * A tile of half the resolution, of up to four parts of twice its extent altogether, one after the other: memory holds one
 * part at a time.
 * @param target extent of the tile
 * @param read a rectangle of the larger level, in pixels from where the tile begins, cut at its edge; null outside of it
 */
async function fromQuarters(target: Extent, read: ReadPart): Promise<Pixels> {
  const cut = { width: Math.ceil(target.width / 2), height: Math.ceil(target.height / 2) }
  let out: Halving | null = null
  for (const y of [0, cut.height]) {
    for (const x of [0, cut.width]) {
      const extent = { width: Math.min(cut.width, target.width - x), height: Math.min(cut.height, target.height - y) }
      if (extent.width <= 0 || extent.height <= 0) continue
      const part = await read(2 * x, 2 * y, 2 * extent.width, 2 * extent.height)
      if (part === null) continue
      out ??= { ...target, channels: part.channels, data: part.data.slice(0, 0) }
      out = place(out, mean(part), { x, y })
    }
  }
  if (out === null) throw new RangeError('a tile of nothing')
  return out
}

/** Means of two by two pixels, of fewer at a right or lower edge; whole numbers rounded. */
function mean({ width, height, channels, data }: Pixels): Pixels {
  const target = { width: Math.ceil(width / 2), height: Math.ceil(height / 2) }
  const out: VoxelArray = newSamples(typeOf(data), target.width * target.height * channels)
  const whole = !(data instanceof Float32Array || data instanceof Float64Array)
  for (let y = 0, k = 0; y < target.height; y++) {
    const top = 2 * y * width
    const below = 2 * y + 1 < height ? top + width : top
    for (let x = 0; x < target.width; x++) {
      const left = 2 * x
      const right = left + 1 < width ? left + 1 : left
      for (let c = 0; c < channels; c++, k++) {
        const sum =
          (data[(top + left) * channels + c] ?? 0) +
          (data[(top + right) * channels + c] ?? 0) +
          (data[(below + left) * channels + c] ?? 0) +
          (data[(below + right) * channels + c] ?? 0)
        out[k] = whole ? Math.round(sum / 4) : sum / 4
      }
    }
  }
  return { ...target, channels, data: out }
}

export const halved = { place, fromQuarters }
