import type { Label } from '../../../core/contract/schemas.ts'

/** RGBA words (little-endian, straight alpha) by label value; 0 where nothing is to be drawn. */
export type Palette = Uint32Array

type PaintedLabel = Pick<Label, 'value' | 'color' | 'visible'>

/** Background and hidden labels stay transparent. Labels that the list does not know are drawn in a neutral grey. */
export function createPalette(labels: readonly PaintedLabel[], opacity: number): Palette {
  const alpha = Math.round(Math.max(0, Math.min(1, opacity)) * 255)
  const palette = new Uint32Array(256)
  if (alpha === 0) return palette
  palette.fill(word(0xb0, 0xb0, 0xb0, alpha), 1)
  for (const label of labels) {
    const [red, green, blue] = parseColor(label.color)
    palette[label.value] = label.visible ? word(red, green, blue, alpha) : 0
  }
  return palette
}

/** '#rrggbb' by label value for drawing lines; null where nothing is to be drawn. */
export function createLineColors(labels: readonly PaintedLabel[]): readonly (string | null)[] {
  const colors: (string | null)[] = Array.from({ length: 256 }, () => '#b0b0b0')
  colors[0] = null
  for (const label of labels) colors[label.value] = label.visible ? label.color : null
  return colors
}

export function parseColor(color: string): readonly [number, number, number] {
  const bits = Number.parseInt(color.slice(1), 16)
  return [(bits >> 16) & 255, (bits >> 8) & 255, bits & 255]
}

function word(red: number, green: number, blue: number, alpha: number): number {
  return ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0
}

/**
 * Sure to unsure, evenly spaced in lightness. All lie on the yellow side of grey, opposite to pink and purple stains, for red-green
 * colour-blind eyes too: so nothing between them vanishes on a background, be it dark or bright, grey or stained.
 */
const UNSURE = ['#1f8000', '#5aa800', '#a8d000', '#fff200'] as const
/** From this share of all uncertainty on, the colour is as opaque as asked for. */
const FULL_AT = 0.3

/** RGBA words by uncertainty: 0, sure, is transparent; 255, all labels equally likely, is the last colour. */
export function createUncertaintyPalette(opacity: number): Palette {
  const palette = new Uint32Array(256)
  for (let value = 1; value < 256; value++) {
    const [red, green, blue] = unsureColor(value / 255)
    const alpha = Math.round(alphaOf(value / 255) * Math.max(0, Math.min(1, opacity)) * 255)
    palette[value] = alpha === 0 ? 0 : word(red, green, blue, alpha)
  }
  return palette
}

/** The same colours from left (sure) to right, for a legend. */
export function uncertaintyGradient(): string {
  const steps = Array.from({ length: 11 }, (_, at) => {
    const [red, green, blue] = unsureColor(at / 10)
    return `rgb(${red} ${green} ${blue} / ${Math.round(alphaOf(at / 10) * 100)}%)`
  })
  return `linear-gradient(to right, ${steps.join(', ')})`
}

function alphaOf(share: number): number {
  return Math.min(1, share / FULL_AT)
}

function unsureColor(share: number): readonly [number, number, number] {
  const at = share * (UNSURE.length - 1)
  const low = Math.min(UNSURE.length - 2, Math.floor(at))
  const from = parseColor(UNSURE[low] ?? UNSURE[0])
  const to = parseColor(UNSURE[low + 1] ?? UNSURE[0])
  const mix = (channel: 0 | 1 | 2): number => Math.round(from[channel] + (to[channel] - from[channel]) * (at - low))
  return [mix(0), mix(1), mix(2)]
}
