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

/** Pictures in rows from the left, each cell as large as the largest of them. */
export function sheetOf(tiles: readonly Tile[], columns: number): Canvas {
  const width = Math.max(1, ...tiles.map(({ picture }) => picture.width))
  const height = Math.max(1, ...tiles.map(({ picture }) => picture.height))
  const strip = tiles.some(({ title }) => title !== undefined) ? STRIP : 0
  const rows = Math.ceil(tiles.length / columns)
  const across = Math.min(columns, Math.max(1, tiles.length))
  const sheet = newCanvas(across * (width + GAP) + GAP, rows * (height + strip + GAP) + GAP, PAPER)
  tiles.forEach(({ picture, title }, at) => {
    const x = GAP + (at % columns) * (width + GAP)
    const y = GAP + Math.floor(at / columns) * (height + strip + GAP)
    if (title !== undefined) {
      const line = { x: x + 1, y: y + STRIP - 7, height: LETTERS, colour: INK }
      drawText(sheet, fitted(title, LETTERS, width - 2), line)
    }
    paste(sheet, picture, x + ((width - picture.width) >> 1), y + strip + ((height - picture.height) >> 1))
  })
  return sheet
}

export async function canvasPng(canvas: Canvas): Promise<Uint8Array<ArrayBuffer>> {
  return Uint8Array.from(await encodePng({ ...canvas, channels: 3 }))
}
