import { blend } from './canvas.ts'
import { CAPITAL, glyphOf, PEN, SPACING } from './glyphs.ts'
import type { Canvas, Colour } from './canvas.ts'

/** Accents belong to their letters. */
function charactersOf(text: string): string[] {
  return Array.from(text.normalize('NFC'))
}

/** Width in pixels of a line of text whose capitals are `height` pixels high. */
export function textWidth(text: string, height: number): number {
  const units = charactersOf(text).reduce((sum, character) => sum + glyphOf(character).width + SPACING, 0)
  return Math.max(0, ((units - SPACING) * height) / CAPITAL)
}

/** The text, or its beginning and an ellipsis where it is wider than `width` pixels. */
export function fitted(text: string, height: number, width: number): string {
  if (textWidth(text, height) <= width) return text
  const characters = charactersOf(text)
  while (characters.length > 1 && textWidth(`${characters.join('')}\u2026`, height) > width) characters.pop()
  return `${characters.join('')}\u2026`
}

/** Strokes of a line of text, x y x y … in pixels; (x, y) is the left end of its baseline. */
export function textStrokes(text: string, x: number, y: number, height: number): number[][] {
  const scale = height / CAPITAL
  const strokes: number[][] = []
  let left = x
  for (const character of charactersOf(text)) {
    const glyph = glyphOf(character)
    for (const stroke of glyph.strokes) {
      strokes.push(stroke.map((value, at) => (at % 2 === 0 ? left + value * scale : y + (value - CAPITAL) * scale)))
    }
    left += (glyph.width + SPACING) * scale
  }
  return strokes
}

/** Width of the pen for text whose capitals are `height` pixels high. */
export function penOf(height: number): number {
  return Math.max(0.9, (PEN * height) / CAPITAL)
}

/** Draws a line of text, smoothed; (x, y) is the left end of its baseline. What lies outside of the canvas is cut off. */
export function drawText(
  canvas: Canvas,
  text: string,
  at: { readonly x: number; readonly y: number; readonly height: number; readonly colour: Colour },
): void {
  const reach = penOf(at.height) / 2
  for (const stroke of textStrokes(text, at.x, at.y, at.height)) {
    const covered = new Map<number, number>()
    for (let i = 0; i + 3 < stroke.length; i += 2) {
      cover(canvas, covered, stroke.slice(i, i + 4), reach)
    }
    for (const [pixel, share] of covered) blend(canvas, pixel, at.colour, share)
  }
}

/** Share of each pixel that a round pen covers on its way along a segment, from the distance of the pixel's centre. */
function cover(canvas: Canvas, covered: Map<number, number>, segment: readonly number[], reach: number): void {
  const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = segment
  const [dx, dy] = [x1 - x0, y1 - y0]
  const length = dx * dx + dy * dy
  const left = Math.max(0, Math.floor(Math.min(x0, x1) - reach - 1))
  const right = Math.min(canvas.width - 1, Math.ceil(Math.max(x0, x1) + reach))
  const top = Math.max(0, Math.floor(Math.min(y0, y1) - reach - 1))
  const bottom = Math.min(canvas.height - 1, Math.ceil(Math.max(y0, y1) + reach))
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const [px, py] = [x + 0.5 - x0, y + 0.5 - y0]
      const along = length === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / length))
      const share = Math.min(1, reach + 0.5 - Math.hypot(px - along * dx, py - along * dy))
      const pixel = y * canvas.width + x
      if (share > (covered.get(pixel) ?? 0)) covered.set(pixel, share)
    }
  }
}
