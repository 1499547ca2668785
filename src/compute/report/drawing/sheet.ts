import { encodePng } from '../../../imaging/index.ts'
import { newCanvas, paste } from './canvas.ts'
import { drawText, fitted } from './text.ts'
import type { Canvas, Colour } from './canvas.ts'

const PAPER: Colour = [18, 18, 18]
const INK: Colour = [232, 232, 232]
const GAP = 6
/** Height of capitals, and of the strip above a picture that has a title. */
const LETTERS = 9
const STRIP = 22

export interface Tile {
  readonly picture: Canvas
  /** Above the picture; cut off where it is wider. */
  readonly title?: string
}

/** Pictures in rows from the left; each column as wide as its widest picture, each row as high as its highest. */
export function sheetOf(tiles: readonly Tile[], columns: number): Canvas {
  const across = Math.min(columns, Math.max(1, tiles.length))
  const strip = tiles.some(({ title }) => title !== undefined) ? STRIP : 0
  const widths = Array.from({ length: across }, (_, column) =>
    Math.max(1, ...tiles.filter((__, at) => at % across === column).map(({ picture }) => picture.width)),
  )
  const heights = Array.from({ length: Math.ceil(tiles.length / across) }, (_, row) =>
    Math.max(1, ...tiles.slice(row * across, (row + 1) * across).map(({ picture }) => picture.height)),
  )
  const lefts = starts(widths, GAP)
  const tops = starts(heights, GAP + strip)
  const sheet = newCanvas(lefts[across] ?? GAP, (tops[heights.length] ?? GAP) - strip, PAPER)
  tiles.forEach(({ picture, title }, at) => {
    const x = lefts[at % across] ?? 0
    const y = tops[Math.floor(at / across)] ?? 0
    if (title !== undefined) {
      const line = { x: x + 1, y: y - 7, height: LETTERS, colour: INK }
      drawText(sheet, fitted(title, LETTERS, (widths[at % across] ?? 0) - 2), line)
    }
    paste(sheet, picture, x, y)
  })
  return sheet
}

/** Where each of a row of boxes begins, `gap` before each; the last number is where a further one would. */
function starts(lengths: readonly number[], gap: number): number[] {
  const result = [gap]
  for (const length of lengths) result.push((result.at(-1) ?? 0) + length + gap)
  return result
}

export async function canvasPng(canvas: Canvas): Promise<Uint8Array<ArrayBuffer>> {
  return Uint8Array.from(await encodePng({ ...canvas, channels: 3 }))
}
