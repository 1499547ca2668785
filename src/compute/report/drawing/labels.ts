import { labelPalette } from '../../../core/labelmap/index.ts'
import { blend, colourOf } from './canvas.ts'
import type { Canvas, Colour } from './canvas.ts'

/** Labels, or numbers of objects, of a picture of the canvas's size; 0 is background. */
type Labels = Uint8Array | Uint32Array
/** The colour of each value above 0; null: it is not drawn. */
export type Colours = (value: number) => Colour | null

/** Yellow first, as contours are drawn in print; then the palette of the workstation, in its order. */
const YELLOW = '#ffd60a'
const ORDER = [YELLOW, ...labelPalette.slice(1).filter((colour) => colour !== '#f0e442')]

/** #rrggbb of the label that comes at this place of the list, from 0. */
export function reportColour(place: number): string {
  return ORDER[place % ORDER.length] ?? YELLOW
}

/** Colours of label values in the order of the list. */
export function coloursOf(values: readonly number[]): Colours {
  const table = new Map(values.map((value, place) => [value, colourOf(reportColour(place))]))
  return (value) => table.get(value) ?? null
}

/** Colours that tell neighbouring objects apart: their numbers have no meaning. */
export function objectColours(): Colours {
  const table = ORDER.map(colourOf)
  return (value) => table[(Math.imul(value, 0x9e3779b1) >>> 8) % table.length] ?? null
}

export function oneColour(colour: Colour): Colours {
  return () => colour
}

/** Lays colours over what is there; `opacity` 1 covers it. */
export function fillLabels(canvas: Canvas, labels: Labels, colours: Colours, opacity: number): void {
  forEachLabelled(canvas, labels, colours, (pixel, colour) => blend(canvas, pixel, colour, opacity))
}

const DARK: Colour = [0, 0, 0]

export interface ContourStyle {
  /** Pixels. */
  readonly thickness: number
  /** Every other stretch of this many pixels is dark; 0: none is. */
  readonly dash: number
  /** A dark line around, so that the contour is seen on anything. */
  readonly halo: boolean
}

/**
 * Draws the outline of each label, or of each object where labels are numbers of objects: pixels inside of it within
 * `thickness` of a lower value, so that a border between two of them is drawn once. Where a picture ends its labels have no
 * outline.
 */
export function drawContour(canvas: Canvas, labels: Labels, colours: Colours, style: ContourStyle): void {
  const { width, height } = canvas
  const { thickness, dash, halo } = style
  const edge = outline(labels, width, height, thickness)
  if (halo) {
    const dark = new Set<number>()
    forEachLabelled(canvas, labels, colours, (pixel, _, x, y) => {
      if (edge[pixel] !== 1) return
      for (const [nx, ny] of [
        [x - 1, y],
        [x + 1, y],
        [x, y - 1],
        [x, y + 1],
      ] as const) {
        if (nx >= 0 && ny >= 0 && nx < width && ny < height && edge[ny * width + nx] !== 1) dark.add(ny * width + nx)
      }
    })
    for (const pixel of dark) blend(canvas, pixel, DARK, 0.45)
  }
  forEachLabelled(canvas, labels, colours, (pixel, colour, x, y) => {
    if (edge[pixel] !== 1) return
    const gap = dash > 0 && Math.floor((x + y) / dash) % 2 === 1
    blend(canvas, pixel, gap ? DARK : colour, gap ? 0.6 : 1)
  })
}

/** 1 where a labelled pixel is closer than `thickness` (in both directions) to one that has a neighbour of lower value. */
function outline(labels: Labels, width: number, height: number, thickness: number): Uint8Array {
  const edge = new Uint8Array(width * height)
  // Values change rarely: a square is drawn around each pixel that has a lower one beside it.
  const mark = (x: number, y: number): void => {
    const value = labels[y * width + x] ?? 0
    for (let ny = Math.max(0, y - thickness + 1); ny < Math.min(height, y + thickness); ny++) {
      for (let nx = Math.max(0, x - thickness + 1); nx < Math.min(width, x + thickness); nx++) {
        if (labels[ny * width + nx] === value) edge[ny * width + nx] = 1
      }
    }
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const pixel = y * width + x
      const value = labels[pixel] ?? 0
      if (value === 0) continue
      const lower =
        (x > 0 && (labels[pixel - 1] ?? 0) < value) ||
        (x + 1 < width && (labels[pixel + 1] ?? 0) < value) ||
        (y > 0 && (labels[pixel - width] ?? 0) < value) ||
        (y + 1 < height && (labels[pixel + width] ?? 0) < value)
      if (lower) mark(x, y)
    }
  }
  return edge
}

function forEachLabelled(
  canvas: Canvas,
  labels: Labels,
  colours: Colours,
  visit: (pixel: number, colour: Colour, x: number, y: number) => void,
): void {
  const { width, height } = canvas
  for (let y = 0, pixel = 0; y < height; y++) {
    for (let x = 0; x < width; x++, pixel++) {
      const value = labels[pixel] ?? 0
      const colour = value === 0 ? null : colours(value)
      if (colour !== null) visit(pixel, colour, x, y)
    }
  }
}
