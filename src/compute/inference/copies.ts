import type { InferenceSettings } from '../../core/contract/recipes.ts'
import type { Size } from '../data/resize.ts'

/** A turned or mirrored copy of a picture: pixel (x, y) of it is pixel `origin + x * column + y * row` of the picture. */
export interface Copy extends Size {
  readonly origin: number
  readonly column: number
  readonly row: number
}

/**
 * The copies of a picture of that size that are predicted beside it, itself first: mirrored as `flips` says, and with
 * `quarterTurns` turned by 90 degrees too. Each copy comes once: turns and one mirror make all eight.
 */
export function copiesOf(
  { width, height }: Size,
  { flips, quarterTurns }: Pick<InferenceSettings, 'flips' | 'quarterTurns'>,
): Copy[] {
  const horizontal = flips === 'horizontal' || flips === 'both'
  const vertical = flips === 'vertical' || flips === 'both'
  const copies: Copy[] = []
  for (const transposed of quarterTurns ? [false, true] : [false]) {
    for (const down of [false, true]) {
      for (const across of [false, true]) {
        // Turns alone: mirrored both ways or, turned by 90 degrees, one way.
        const turn = transposed ? down !== across : down === across
        const wanted = quarterTurns ? horizontal || vertical || turn : (!across || horizontal) && (!down || vertical)
        if (!wanted) continue
        const origin = (across ? width - 1 : 0) + (down ? (height - 1) * width : 0)
        const alongX = across ? -1 : 1
        const alongY = down ? -width : width
        copies.push(
          transposed
            ? { width: height, height: width, origin, column: alongY, row: alongX }
            : { width, height, origin, column: alongX, row: alongY },
        )
      }
    }
  }
  return copies
}

/** channels x height x width of the picture as those of the copy; the array itself where both are the same. */
export function copied(
  image: Float32Array,
  channels: number,
  { width, height, origin, column, row }: Copy,
): Float32Array {
  if (origin === 0 && column === 1 && row === width) return image
  const pixels = width * height
  const out = new Float32Array(channels * pixels)
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      let from = c * pixels + origin + y * row
      const end = c * pixels + (y + 1) * width
      for (let to = end - width; to < end; to++, from += column) out[to] = image[from] ?? 0
    }
  }
  return out
}
