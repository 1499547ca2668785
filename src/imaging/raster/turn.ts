import type { VoxelArray } from '../types.ts'

export interface Turned<T extends VoxelArray> {
  readonly width: number
  readonly height: number
  readonly data: T
}

/**
 * Turns a picture as the EXIF orientation asks (CIPA DC-008, tag 0x0112): 1 leaves it, 2 mirrors left and right, 3 is half a
 * turn, 4 mirrors top and bottom, 5 exchanges rows and columns, 6 is a quarter turn clockwise, 7 exchanges them across the
 * other diagonal, 8 is a quarter turn against the clock. Anything else leaves it. One sample a pixel.
 */
export function turn<T extends VoxelArray>(data: T, width: number, height: number, orientation: number): Turned<T> {
  if (!(orientation >= 2 && orientation <= 8)) return { width, height, data }
  const swapped = orientation >= 5
  const [newWidth, newHeight] = swapped ? [height, width] : [width, height]
  const turned = data.slice() as T
  // Where a pixel of the result lies in the file: seen from the right, or from below.
  const fromRight = orientation === 2 || orientation === 3 || orientation === 7 || orientation === 8
  const fromBelow = orientation === 3 || orientation === 4 || orientation === 6 || orientation === 7
  for (let y = 0, to = 0; y < newHeight; y++) {
    for (let x = 0; x < newWidth; x++, to++) {
      const column = swapped ? y : x
      const row = swapped ? x : y
      const from = (fromBelow ? height - 1 - row : row) * width + (fromRight ? width - 1 - column : column)
      turned[to] = data[from] ?? 0
    }
  }
  return { width: newWidth, height: newHeight, data: turned }
}
