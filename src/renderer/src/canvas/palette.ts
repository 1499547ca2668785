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
