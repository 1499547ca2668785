import { describe, expect, it } from 'vitest'
import { createUncertaintyPalette } from './palette.ts'

type Rgb = readonly [number, number, number]
type Matrix = readonly [Rgb, Rgb, Rgb]

/** What uncertainty lies over: grey tissue from dark to bright, and stained sections (H&E). */
const grounds: Record<string, Rgb> = {
  dark: [30, 30, 30],
  grey: [128, 128, 128],
  white: [255, 255, 255],
  'pale pink': [230, 190, 210],
  pink: [210, 120, 160],
  purple: [150, 100, 160],
}
/** What eyes see, of linear sRGB: Machado, Oliveira and Fernandes 2009, severity 1. */
const eyes: Record<string, Matrix> = {
  'most eyes': [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
}
const linearToXyz: Matrix = [
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041],
]
const white: Rgb = [0.95047, 1, 1.08883]

function times(matrix: Matrix, [x, y, z]: Rgb): Rgb {
  const row = ([a, b, c]: Rgb) => a * x + b * y + c * z
  return [row(matrix[0]), row(matrix[1]), row(matrix[2])]
}

/** CIELAB (D65) of an sRGB colour, 0 to 255 each, as these eyes see it. */
function lab(color: Rgb, eye: Matrix): Rgb {
  const linear = (value: number) =>
    value <= 0.04045 * 255 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4
  const seen = times(eye, [linear(color[0]), linear(color[1]), linear(color[2])])
  const xyz = times(linearToXyz, [clamp(seen[0]), clamp(seen[1]), clamp(seen[2])])
  const f = (value: number, of: number) =>
    value / of > 216 / 24389 ? Math.cbrt(value / of) : (24389 / 27 / 116) * (value / of) + 16 / 116
  const [x, y, z] = [f(xyz[0], white[0]), f(xyz[1], white[1]), f(xyz[2], white[2])]
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)]
}

const clamp = (value: number) => Math.min(1, Math.max(0, value))
/** CIE76: 2.3 is just noticeable. */
const apart = (a: Rgb, b: Rgb) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])

/** The ground with this share of all uncertainty over it, at the strength that the layer begins with. */
function over(ground: Rgb, share: number): Rgb {
  const word = createUncertaintyPalette(0.7)[Math.round(share * 255)] ?? 0
  const alpha = (word >>> 24) / 255
  const mixed = (at: 0 | 1 | 2) => ground[at] * (1 - alpha) + ((word >>> (8 * at)) & 255) * alpha
  return [mixed(0), mixed(1), mixed(2)]
}

describe.each(Object.entries(eyes))('uncertainty for %s', (_, eye) => {
  it.each(Object.entries(grounds))('shows on %s, a little of it too, and the more the stronger', (_ground, ground) => {
    const bare = lab(ground, eye)
    const seen = Array.from({ length: 11 }, (_share, at) => lab(over(ground, at / 10), eye))
    const contrast = seen.map((one) => apart(one, bare))
    expect(contrast[0]).toBe(0)
    // A tenth of all uncertainty, then two and three tenths.
    expect(contrast[1]).toBeGreaterThan(12)
    expect(contrast[2]).toBeGreaterThan(25)
    expect(Math.min(...contrast.slice(3))).toBeGreaterThan(40)
    // What is less sure never looks like what is more so.
    const pairs = seen.flatMap((one, at) => seen.slice(at + 1).map((other) => apart(one, other)))
    expect(Math.min(...pairs)).toBeGreaterThan(3.5)
  })

  it('becomes lighter with every step, so that the order needs no legend', () => {
    const lightness = Array.from({ length: 8 }, (_share, at) => lab(over([128, 128, 128], 0.3 + at / 10), eye)[0])
    expect(lightness).toEqual([...lightness].sort((a, b) => a - b))
    expect((lightness[7] ?? 0) - (lightness[0] ?? 0)).toBeGreaterThan(20)
  })
})
