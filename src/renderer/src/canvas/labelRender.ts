import type { Rect, SliceLayout } from './layout.ts'
import type { Palette } from './palette.ts'

/**
 * Draws the display rectangle `rect` of a label slice into `out`, RGBA words, rows of rect.x1 - rect.x0 pixels.
 * Returns whether anything but transparency was drawn.
 */
export function renderMaskRect(
  mask: Uint8Array,
  layout: SliceLayout,
  palette: Palette,
  rect: Rect,
  out: Uint32Array,
): boolean {
  const { stepI, stepJ } = layout
  let at = 0
  let any = 0
  for (let j = rect.y0; j < rect.y1; j++) {
    let from = layout.origin + j * stepJ + rect.x0 * stepI
    for (let i = rect.x0; i < rect.x1; i++, from += stepI) {
      const word = palette[mask[from] ?? 0] ?? 0
      out[at++] = word
      any |= word
    }
  }
  return any !== 0
}

/** Like `renderMaskRect` for the prediction, drawn only where it differs from the mask: what a person has yet to judge. */
export function renderPredictionRect(
  prediction: Uint8Array,
  mask: Uint8Array,
  layout: SliceLayout,
  palette: Palette,
  rect: Rect,
  out: Uint32Array,
): boolean {
  const { stepI, stepJ } = layout
  let at = 0
  let any = 0
  for (let j = rect.y0; j < rect.y1; j++) {
    let from = layout.origin + j * stepJ + rect.x0 * stepI
    for (let i = rect.x0; i < rect.x1; i++, from += stepI) {
      const label = prediction[from] ?? 0
      const word = label === mask[from] ? 0 : (palette[label] ?? 0)
      out[at++] = word
      any |= word
    }
  }
  return any !== 0
}
