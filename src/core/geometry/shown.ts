import { isTransposed } from './views.ts'
import type { PlaneView } from './types.ts'

/** How the pixels of a stored slice across `sliceAxis` lie on the screen, or come to a network. */
export type SliceLayout = Pick<
  PlaneView,
  'sliceAxis' | 'columnAxis' | 'rowAxis' | 'flipColumns' | 'flipRows' | 'width' | 'height'
>

type Samples =
  Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array

/**
 * A stored slice (ascending axes, the lower one fastest, `channels` samples a pixel) as it is shown: height x width, columns
 * fastest. Where both orders are the same, the very array that came in.
 */
export function storedToShown<T extends Samples>(stored: T, layout: SliceLayout, channels = 1): T {
  if (!isTransposed(layout) && !layout.flipColumns && !layout.flipRows) return stored
  // `slice` keeps the array's own type; TypeScript widens it to the union.
  const shown = stored.slice() as T
  eachPixel(layout, (from, to) => {
    for (let c = 0; c < channels; c++) shown[to * channels + c] = stored[from * channels + c] ?? 0
  })
  return shown
}

/** The inverse of `storedToShown` for labels; always a copy. */
export function shownToStored(shown: Uint8Array, layout: SliceLayout): Uint8Array<ArrayBuffer> {
  const stored = new Uint8Array(shown.length)
  eachPixel(layout, (from, to) => {
    stored[from] = shown[to] ?? 0
  })
  return stored
}

/** Visits every pixel with its place in the stored slice and in the shown one. */
function eachPixel(layout: SliceLayout, visit: (stored: number, shown: number) => void): void {
  const { width, height, flipColumns, flipRows } = layout
  const transposed = isTransposed(layout)
  for (let j = 0; j < height; j++) {
    const row = flipRows ? height - 1 - j : j
    for (let i = 0; i < width; i++) {
      const column = flipColumns ? width - 1 - i : i
      visit(transposed ? row + height * column : column + width * row, i + width * j)
    }
  }
}
