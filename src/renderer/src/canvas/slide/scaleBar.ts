export interface ScaleBar {
  readonly millimetres: number
  /** CSS pixels. */
  readonly length: number
}

/** The longest of 1, 2, 5, 10, 20 … that is at most `most` CSS pixels, at `zoom` CSS pixels a pixel of `spacing` mm. */
export function scaleBar(zoom: number, spacing: number, most: number): ScaleBar {
  const longest = (most / zoom) * spacing
  const decade = 10 ** Math.floor(Math.log10(longest))
  const step = [5, 2, 1].find((one) => one * decade <= longest * (1 + 1e-9)) ?? 1
  const millimetres = step * decade
  return { millimetres, length: (millimetres / spacing) * zoom }
}
