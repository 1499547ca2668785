import type { Rectangle } from '../tiled.ts'
import type { VoxelArray } from '../types.ts'
import { newSamples } from './samples.ts'
import { typeOf } from '../voxels/index.ts'

/** Does this value of the orientation tag (1 to 8, TIFF revision 6.0) exchange width and height? */
export function isTurned(orientation: number): boolean {
  return orientation >= 5
}

/** Where the pixel shown at (x, y) is stored in a picture of the stored size. */
function stored(orientation: number, x: number, y: number, width: number, height: number): [number, number] {
  switch (orientation) {
    case 2:
      return [width - 1 - x, y]
    case 3:
      return [width - 1 - x, height - 1 - y]
    case 4:
      return [x, height - 1 - y]
    case 5:
      return [y, x]
    case 6:
      return [y, height - 1 - x]
    case 7:
      return [width - 1 - y, height - 1 - x]
    case 8:
      return [width - 1 - y, x]
    default:
      return [x, y]
  }
}

/** The rectangle of a stored picture that is shown in `rectangle`. */
export function storedRectangle(
  orientation: number,
  { x, y, width, height }: Rectangle,
  picture: { width: number; height: number },
): Rectangle {
  const [ax, ay] = stored(orientation, x, y, picture.width, picture.height)
  const [bx, by] = stored(orientation, x + width - 1, y + height - 1, picture.width, picture.height)
  const [left, top] = [Math.min(ax, bx), Math.min(ay, by)]
  return { x: left, y: top, width: Math.abs(ax - bx) + 1, height: Math.abs(ay - by) + 1 }
}

/** Turns and mirrors a stored picture as the tag asks; the same array where there is nothing to do. */
export function oriented(
  data: VoxelArray,
  { width, height }: { width: number; height: number },
  channels: number,
  orientation: number,
): VoxelArray {
  if (orientation <= 1) return data
  const turned = isTurned(orientation)
  const [newWidth, newHeight] = turned ? [height, width] : [width, height]
  const out = newSamples(typeOf(data), data.length)
  for (let y = 0, k = 0; y < newHeight; y++) {
    for (let x = 0; x < newWidth; x++) {
      const [sx, sy] = stored(orientation, x, y, width, height)
      const from = (sy * width + sx) * channels
      for (let c = 0; c < channels; c++) out[k++] = data[from + c] ?? 0
    }
  }
  return out
}
