import type { Rect, SliceLayout } from './layout.ts'
import type { ImageSlice, Samples } from './samples.ts'

/** Display window in scaled intensity: center - width / 2 is black, center + width / 2 is white. */
export interface DisplayWindow {
  readonly center: number
  readonly width: number
}

const OPAQUE = 0xff000000

/**
 * Turns raw samples into opaque grey RGBA words (little-endian, as ImageData holds them). Types of up to 16 bits go
 * through a table of all raw values, others are computed.
 */
export interface ToneMap {
  readonly kind: 'table' | 'direct'
  /** `table`: RGBA words, indexed by raw + bias. */
  readonly table: Uint32Array
  readonly bias: number
  /** `direct`: grey = raw * gain + offset, clipped to 0..255. */
  readonly gain: number
  readonly offset: number
}

const tableRange: Partial<Record<ImageSlice['voxelType'], readonly [number, number]>> = {
  uint8: [256, 0],
  int8: [256, 128],
  uint16: [65536, 0],
  int16: [65536, 32768],
}

export function createToneMap(
  slice: Pick<ImageSlice, 'voxelType' | 'slope' | 'inter'>,
  window: DisplayWindow,
): ToneMap {
  const perUnit = 255 / Math.max(window.width, Number.MIN_VALUE)
  const gain = slice.slope * perUnit
  const offset = (slice.inter - (window.center - window.width / 2)) * perUnit
  const range = tableRange[slice.voxelType]
  if (!range) return { kind: 'direct', table: new Uint32Array(0), bias: 0, gain, offset }
  const [size, bias] = range
  const table = new Uint32Array(size)
  for (let raw = 0; raw < size; raw++) table[raw] = greyWord((raw - bias) * gain + offset)
  return { kind: 'table', table, bias, gain, offset }
}

/** Rounds half up and clips; what is not a number is black. */
function greyWord(value: number): number {
  const grey = value >= 255 ? 255 : value > 0 ? (value + 0.5) | 0 : 0
  return (OPAQUE | (grey << 16) | (grey << 8) | grey) >>> 0
}

/**
 * Draws the display rectangle `rect` of a slice into `out`, RGBA words, rows of rect.x1 - rect.x0 pixels.
 */
export function renderImageRect(
  slice: ImageSlice,
  layout: SliceLayout,
  tone: ToneMap,
  rect: Rect,
  out: Uint32Array,
): void {
  if (slice.channels === 3) renderColor(slice.samples, layout, tone, rect, out)
  else if (tone.kind === 'table') renderTable(slice.samples, layout, tone, rect, out)
  else renderDirect(slice.samples, layout, tone, rect, out)
}

function renderTable(samples: Samples, layout: SliceLayout, tone: ToneMap, rect: Rect, out: Uint32Array): void {
  const { table, bias } = tone
  const { stepI, stepJ } = layout
  let at = 0
  for (let j = rect.y0; j < rect.y1; j++) {
    let from = layout.origin + j * stepJ + rect.x0 * stepI
    for (let i = rect.x0; i < rect.x1; i++, from += stepI) out[at++] = table[(samples[from] ?? 0) + bias] ?? OPAQUE
  }
}

function renderDirect(samples: Samples, layout: SliceLayout, tone: ToneMap, rect: Rect, out: Uint32Array): void {
  const { gain, offset } = tone
  const { stepI, stepJ } = layout
  let at = 0
  for (let j = rect.y0; j < rect.y1; j++) {
    let from = layout.origin + j * stepJ + rect.x0 * stepI
    for (let i = rect.x0; i < rect.x1; i++, from += stepI) out[at++] = greyWord((samples[from] ?? 0) * gain + offset)
  }
}

function renderColor(samples: Samples, layout: SliceLayout, tone: ToneMap, rect: Rect, out: Uint32Array): void {
  const channel = (raw: number): number =>
    tone.kind === 'table' ? (tone.table[raw + tone.bias] ?? 0) & 255 : greyWord(raw * tone.gain + tone.offset) & 255
  const { stepI, stepJ } = layout
  let at = 0
  for (let j = rect.y0; j < rect.y1; j++) {
    let from = layout.origin + j * stepJ + rect.x0 * stepI
    for (let i = rect.x0; i < rect.x1; i++, from += stepI) {
      const red = channel(samples[from * 3] ?? 0)
      const green = channel(samples[from * 3 + 1] ?? 0)
      const blue = channel(samples[from * 3 + 2] ?? 0)
      out[at++] = (OPAQUE | (blue << 16) | (green << 8) | red) >>> 0
    }
  }
}
