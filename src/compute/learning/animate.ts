import { CodedError } from '../../core/contract/errors.ts'
import { PERCENTILE_INPUT } from '../../core/contract/modelCard.ts'
import { encodeGif } from '../../imaging/index.ts'
import { preparedSlice } from '../foreign/prepare.ts'
import { colourOf, copyOf, newCanvas, paste } from '../report/drawing/canvas.ts'
import { drawContour } from '../report/drawing/labels.ts'
import { scaled, scaledLabels, shownSize } from '../report/drawing/scale.ts'
import { PREDICTED } from '../report/drawing/styles.ts'
import { drawText, fitted } from '../report/drawing/text.ts'
import type { ComputeSlice, SliceGeometry } from '../../core/contract/compute.ts'
import type { Canvas, Colour } from '../report/drawing/canvas.ts'

export interface AnimationOrder {
  readonly slice: ComputeSlice
  readonly geometry?: SliceGeometry | null | undefined
  readonly frames: readonly { readonly labels: Uint8Array; readonly words: string }[]
  readonly colors: readonly { readonly label: number; readonly color: string }[]
}

/** Longer side of the picture; a narrower one stands in the middle, so that there is room for words. */
const LONGEST = 480
const NARROWEST = 240
/** Below the picture: one line of words. */
const STRIP = 30
const LETTERS = 10
const MARGIN = 8
const PAPER: Colour = [18, 18, 18]
const INK: Colour = [232, 232, 232]
/** Milliseconds of a frame, of each of very many, and of the last one. */
const FRAME = 800
const SHORT_FRAME = 300
const MANY = 20
const LAST = 2500

/**
 * One picture after the other as an animated GIF: the slice as it is seen on the screen, from `low` to `high`, with the contours
 * of a frame's labels, and its words below. Throws CodedError('bad-request') where labels do not fit the slice.
 */
export async function animateSlice({
  slice,
  geometry,
  frames,
  colors,
}: AnimationOrder): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height } = slice
  for (const { labels } of frames) {
    if (labels.length === width * height) continue
    throw new CodedError(
      'bad-request',
      `A frame has ${labels.length} labels for a slice of ${width} x ${height} pixels.`,
    )
  }
  const pixel = geometry && { width: geometry.columns, height: geometry.rows }
  const size = shownSize(slice, LONGEST, pixel ?? undefined)
  const picture = scaled(pictureOf(slice), size)
  const table = new Map(colors.map(({ label, color }) => [label, colourOf(color)]))
  const paper = newCanvas(Math.max(NARROWEST, size.width), size.height + STRIP, PAPER)
  const left = Math.floor((paper.width - size.width) / 2)
  const drawn = frames.map(({ labels, words }) => {
    const frame = copyOf(paper)
    const shown = copyOf(picture)
    drawContour(
      shown,
      scaledLabels(Uint8Array.from(labels), slice, size),
      (value) => table.get(value) ?? null,
      PREDICTED,
    )
    paste(frame, shown, left, 0)
    const line = fitted(words, LETTERS, paper.width - 2 * MARGIN)
    drawText(frame, line, { x: MARGIN, y: size.height + (STRIP + LETTERS) / 2, height: LETTERS, colour: INK })
    return frame.data
  })
  const each = frames.length > MANY ? SHORT_FRAME : FRAME
  const delays = frames.map((_, at) => (at === frames.length - 1 ? LAST : each))
  return Uint8Array.from(await encodeGif(drawn, { width: paper.width, height: paper.height, delays }))
}

/** In grey, or in its colours. */
function pictureOf(slice: ComputeSlice): Canvas {
  const { width, height } = slice
  const pixels = width * height
  const planes = preparedSlice(slice, { ...PERCENTILE_INPUT, colour: { kind: 'rgb' } }, 3)
  const canvas = newCanvas(width, height)
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++) canvas.data[3 * i + c] = Math.round(255 * (planes[c * pixels + i] ?? 0))
  }
  return canvas
}
